// `node test/bench/soak.mjs 600 [postgres://...]`: ten minutes of edits on both sides with two workers, faults and kill -9, on
// SQLite or in a schema of its own; prints its counts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const out = `${process.cwd()}/node_modules/.cache/gatehouse-soak-${process.pid}.mjs`;
await build({
  entryPoints: ['test/sync/soak.ts'],
  outfile: out,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'error',
});
process.env.GATEHOUSE_TEST_PREPARED = await mkdtemp(path.join(tmpdir(), 'gatehouse-soak-'));
const { soak } = await import(pathToFileURL(out).href);
const [seconds = 600, url] = process.argv.slice(2);
const target = url === undefined ? undefined : { url, schema: `gatehouse_soak_${process.pid}` };
const report = await soak(Number(seconds), 40, target);
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
await rm(out, { force: true });
await rm(process.env.GATEHOUSE_TEST_PREPARED, { recursive: true });
const bad = report.duplicates + report.diverged + report.lostSingleSideEdits + report.writesAfterRest;
process.exit(bad === 0 ? 0 : 1);
