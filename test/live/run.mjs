// `npm run live`: asks a real Developer org what we only believe of Salesforce. docs/live.md says how to get one.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = fileURLToPath(new URL('../../dist/live/live.js', import.meta.url));
await build({
  entryPoints: [`${here}live.ts`],
  outfile: out,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'error',
});
const { live } = await import(out);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
try {
  process.exit(await live(process.env, (line) => console.log(line), stop.signal));
} catch (error) {
  console.error(error.message);
  process.exit(2);
}
