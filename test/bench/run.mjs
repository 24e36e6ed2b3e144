// `npm run bench`: every figure of section F of the specification that can be measured here, as ratios and counts.
// A name as argument runs that one alone: `npm run bench -- start`. A million takes up to an hour: only when it is named.
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = fileURLToPath(new URL('../../dist/bench/', import.meta.url));
const files = (await readdir(here)).filter((name) => name.endsWith('.ts'));
await build({
  entryPoints: [...files, ...(await readdir(`${here}fixtures`)).map((name) => `fixtures/${name}`)].map(
    (name) => here + name,
  ),
  outbase: here,
  outdir: out,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'error',
});

const wanted = process.argv.slice(2);
for (const name of files
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((n) => (wanted.length === 0 ? n !== 'million' : wanted.includes(n)))) {
  const module = await import(`${out}${name}.js`);
  for (const bench of Object.values(module).filter((value) => typeof value === 'function')) {
    const began = performance.now();
    for (const { name: what, value, target } of await bench())
      console.log(
        `${name.padEnd(8)} ${what.padEnd(64)} ${String(value).padStart(14)}${target === undefined ? '' : `   (${target})`}`,
      );
    console.log(`${''.padEnd(8)} took ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  }
}
process.exit(0);
