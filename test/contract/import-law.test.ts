import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const FORBIDDEN = [
  ['actions/a.ts', 'jsforce'],
  ['actions/b.ts', '../src/store/store.ts'],
  ['permissions/a.ts', '../src/errors.ts'],
  ['src/errors.ts', './config.ts'],
  ['src/gate/dispatch.ts', '../http/server.ts'],
  ['src/gate/dispatch.ts', '../salesforce/create-connections.ts'],
  ['src/confirm/a.ts', '../mcp/server.ts'],
  ['src/mapping/a.ts', 'node:crypto'],
  ['src/stored-value/a.ts', '../mapping/compile.ts'],
  ['src/salesforce/soql/a.ts', 'node:fs'],
  ['src/salesforce/soql/c.ts', '../../../permissions/policy.ts'],
  ['src/salesforce/a.ts', '../store/store.ts'],
  ['src/store/a.ts', '../salesforce/oauth.ts'],
  ['src/sync/a.ts', 'jsforce'],
  ['src/http/routes/a.ts', '../../mcp/server.ts'],
  ['src/http/a.ts', '@modelcontextprotocol/server'],
  ['src/mcp/a.ts', '../http/server.ts'],
  ['src/mcp/b.ts', 'hono'],
  ['src/cli/a.ts', 'keyv'],
  ['src/sim/a.ts', '../errors.ts'],
  ['src/sim/rest/a.ts', '../../errors.ts'],
  ['src/a-new-room/a.ts', '../errors.ts'],
] as const;

const ALLOWED = [
  ['actions/c.ts', '../src/errors.ts'],
  ['src/app.ts', './store/open.ts'],
  ['src/salesforce/jsforce.ts', 'jsforce'],
  ['src/salesforce/soql/b.ts', '../../../permissions/field-access.ts'],
  ['src/http/routes/b.ts', '../../errors.ts'],
  ['src/sim/rest/b.ts', '../org.ts'],
] as const;

let folder: string;
let refused: Set<string>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-law-'));
  const config = JSON.parse(readFileSync(path.join(ROOT, 'biome.json'), 'utf8'));
  writeFileSync(path.join(folder, 'biome.json'), JSON.stringify({ ...config, $schema: undefined, vcs: undefined }));
  for (const [file, specifier] of [...FORBIDDEN, ...ALLOWED]) {
    const at = path.join(folder, file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, `export * as found from '${specifier}';\n`);
  }
  const biome = path.join(ROOT, 'node_modules', '.bin', 'biome');
  const args = ['lint', '--only=style/noRestrictedImports', '--reporter=json', '--max-diagnostics=none', '.'];
  const { stdout } = spawnSync(biome, args, { cwd: folder, encoding: 'utf8' });
  const { diagnostics } = JSON.parse(stdout);
  refused = new Set(
    diagnostics.map(({ location }: { location: { path: string | { file: string } } }) =>
      typeof location.path === 'string' ? location.path : location.path.file,
    ),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the import law', () => {
  it.each(FORBIDDEN)('%s may not import %s', (file) => expect(refused).toContain(file));
  it.each(ALLOWED)('%s may import %s', (file) => expect(refused).not.toContain(file));
});
