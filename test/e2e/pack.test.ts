import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

// Packs, installs from the registry and plays the demo: half a minute and a network, so only when asked for.
it.skipIf(process.env.GATEHOUSE_TEST_PACK !== '1')(
  'installs from its own tarball into an empty folder, and plays the demo there [X1]',
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-pack-'));
    try {
      await run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
      const [tarball = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
      await writeFile(path.join(folder, 'package.json'), '{"private":true}');
      await run('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], { cwd: folder });
      const program = path.join(folder, 'node_modules', '.bin', 'gatehouse');
      const { stdout } = await run(program, ['demo', '--json'], { cwd: folder });
      expect(JSON.parse(stdout).ok).toBe(true);
      const shipped = await readdir(path.join(folder, 'node_modules', 'gatehouse', 'dist'));
      expect(shipped).toContain('THIRD-PARTY-NOTICES.txt');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  240_000,
);
