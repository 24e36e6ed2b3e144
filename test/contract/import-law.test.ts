import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const FORBIDDEN = [
  ['actions/a.ts', 'jsforce'],
  ['actions/b.ts', '../src/ports/store.ts'],
  ['permissions/a.ts', '../src/domain/errors.ts'],
  ['src/domain/errors.ts', './action.ts'],
  ['src/domain/a.ts', '../ports/store.ts'],
  ['src/domain/b.ts', 'node:fs'],
  ['src/domain/stored-value/a.ts', '../../sync/mapping/compile.ts'],
  ['src/ports/a.ts', '../store/open.ts'],
  ['src/ports/b.ts', '../runtime/log.ts'],
  ['src/runtime/a.ts', '../store/open.ts'],
  ['src/identity/a.ts', '../http/server.ts'],
  ['src/identity/b.ts', '../store/open.ts'],
  ['src/policy/a.ts', '../gate/create-gate.ts'],
  ['src/confirm/a.ts', '../policy/permit.ts'],
  ['src/confirm/b.ts', '../mcp/server.ts'],
  ['src/gate/create-gate.ts', '../http/server.ts'],
  ['src/gate/create-gate.ts', '../salesforce/create-connections.ts'],
  ['src/salesforce/transport/a.ts', '../auth/session.ts'],
  ['src/salesforce/auth/a.ts', '../records/org.ts'],
  ['src/salesforce/records/a.ts', '../create-connections.ts'],
  ['src/salesforce/bulk/a.ts', '../records/org.ts'],
  ['src/salesforce/events/a.ts', '../records/org.ts'],
  ['src/salesforce/events/b.ts', '../../store/open.ts'],
  ['src/salesforce/metadata/a.ts', '../request.ts'],
  ['src/salesforce/soql/a.ts', 'node:fs'],
  ['src/salesforce/soql/c.ts', '../../../permissions/policy.ts'],
  ['src/salesforce/a.ts', '../store/open.ts'],
  ['src/store/a.ts', '../salesforce/auth/oauth.ts'],
  ['src/store/tables/a.ts', '../../gate/create-gate.ts'],
  ['src/sync/a.ts', 'jsforce'],
  ['src/sync/mapping/a.ts', 'node:crypto'],
  ['src/sync/mapping/b.ts', '../remote/target.ts'],
  ['src/sync/merge/a.ts', '../engine/engine.ts'],
  ['src/sync/engine/a.ts', '../jobs/worker.ts'],
  ['src/sync/bulk/a.ts', '../jobs/worker.ts'],
  ['src/outbound/a.ts', '../domain/errors.ts'],
  ['src/notices/a.ts', '../sync/jobs/status.ts'],
  ['src/http/routes/a.ts', '../../mcp/server.ts'],
  ['src/http/a.ts', '@modelcontextprotocol/server'],
  ['src/mcp/a.ts', '../http/server.ts'],
  ['src/mcp/b.ts', 'hono'],
  ['src/mcp/c.ts', '../app/app.ts'],
  ['src/chat/a.ts', '../http/server.ts'],
  ['src/cli/a.ts', 'keyv'],
  ['src/sim/a.ts', '../domain/errors.ts'],
  ['src/sim/rest/a.ts', '../../domain/errors.ts'],
  ['src/app/a.ts', '../http/server.ts'],
  ['src/main.ts', './app/app.ts'],
  ['src/a-loose-file.ts', 'zod'],
  ['src/a-new-room/a.ts', '../domain/errors.ts'],
] as const;

const ALLOWED = [
  ['actions/c.ts', '../src/domain/errors.ts'],
  ['src/app/app.ts', '../store/open.ts'],
  ['src/salesforce/jsforce.ts', 'jsforce'],
  ['src/salesforce/soql/b.ts', '../../../permissions/field-access.ts'],
  ['src/sync/engine/b.ts', '../merge/plan.ts'],
  ['src/http/routes/b.ts', '../../domain/errors.ts'],
  ['src/sim/rest/b.ts', '../org.ts'],
] as const;

/** Each asks the other for a type alone. */
const CIRCLE = [
  ['src/ports/one.ts', "import type { Other } from './other.ts';\nexport type One = Other | 1;\n"],
  ['src/ports/other.ts', "import type { One } from './one.ts';\nexport type Other = One | 2;\n"],
] as const;

let folder: string;
let refused: Set<string>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-law-'));
  const config = JSON.parse(readFileSync(path.join(ROOT, 'biome.json'), 'utf8'));
  writeFileSync(path.join(folder, 'biome.json'), JSON.stringify({ ...config, $schema: undefined, vcs: undefined }));
  const written = [...FORBIDDEN, ...ALLOWED].map(
    ([file, from]) => [file, `export * as found from '${from}';\n`] as const,
  );
  for (const [file, text] of [...written, ...CIRCLE]) {
    const at = path.join(folder, file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  const biome = path.join(ROOT, 'node_modules', '.bin', 'biome');
  const rules = ['--only=style/noRestrictedImports', '--only=suspicious/noImportCycles'];
  const args = ['lint', ...rules, '--reporter=json', '--max-diagnostics=none', '.'];
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
  it.each(CIRCLE)('%s is in a circle of types, and may not be', (file) => expect(refused).toContain(file));
  it.each(ALLOWED)('%s may import %s', (file) => expect(refused).not.toContain(file));
});
