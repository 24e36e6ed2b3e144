import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const TSC = path.join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js');
const TSC_OPTIONS = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', '--types', 'node'];
TSC_OPTIONS.push('--typeRoots', path.join(ROOT, 'node_modules', '@types'));

const LIBRARY_USER = `
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type App, createApp, defineAction, readConfig, shippedPolicy } from 'gatehouse';
import { createSim } from 'gatehouse/sim';

const app: App = await createApp(
  readConfig({ GATEHOUSE_DATA: mkdtempSync(path.join(tmpdir(), 'gatehouse-user-')), GATEHOUSE_LOG: 'silent' }),
);
await app.store.bots.create({
  name: 'mine', audience: 'internal', profile: 'internal', createdAt: Date.now(), grants: ['READ_ACCOUNT'], policy: shippedPolicy('internal'),
});
await app.connections.connect('mine', { flow: 'simulated' });
const { status, result } = await app.gate.call({
  bot: 'mine', principal: 'agent:test', channel: 'rest', action: 'GetAccount', args: { name: 'Acme Industries' },
});
const sim = await createSim({ seed: { records: {} } });
await sim.close();
await app.close();
const account = result?.account as { Name: string };
process.stdout.write(JSON.stringify({ status, name: account.Name, actions: typeof defineAction === 'function' }));
`;

// Packs, installs from the registry and plays the demo: half a minute and a network, so only when asked for.
it.skipIf(process.env.GATEHOUSE_TEST_PACK !== '1')(
  'installs from its own tarball into an empty folder, and plays the demo there [X1]',
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-pack-'));
    try {
      await run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
      const [tarball = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
      await writeFile(path.join(folder, 'package.json'), '{"private":true,"type":"module"}');
      await run('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`], { cwd: folder });
      const program = path.join(folder, 'node_modules', '.bin', 'gatehouse');
      const { stdout } = await run(program, ['demo', '--json'], { cwd: folder });
      expect(JSON.parse(stdout).ok).toBe(true);
      // A library user: TypeScript sees the types, Node runs the code, with nothing but the package.
      await writeFile(path.join(folder, 'use.ts'), LIBRARY_USER);
      await run(process.execPath, [TSC, ...TSC_OPTIONS, 'use.ts'], { cwd: folder });
      const used = await run(process.execPath, ['use.js'], { cwd: folder });
      expect(JSON.parse(used.stdout)).toEqual({ status: 'done', name: 'Acme Industries', actions: true });
      const shipped = await readdir(path.join(folder, 'node_modules', 'gatehouse', 'dist'));
      expect(shipped).toContain('THIRD-PARTY-NOTICES.txt');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  240_000,
);
