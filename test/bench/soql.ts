import { readFileSync } from 'node:fs';
import { parsePolicyFile } from '../../src/cli/soql-policy-file.ts';
import { createGuard } from '../../src/salesforce/soql/guard.ts';
import { hostileTexts } from '../salesforce/soql/hostile-texts.ts';

/** F8: how fast the guard reads real queries, and how long the worst hostile text holds it up. */
export async function benchSoql(): Promise<{ name: string; value: number | string; target?: string }[]> {
  // The same folder from here and from dist/bench, where this runs.
  const fixtures = new URL('../../test/salesforce/soql/fixtures/', import.meta.url);
  const guard = createGuard(parsePolicyFile(JSON.parse(readFileSync(new URL('policy.json', fixtures), 'utf8'))));
  const queriesIn = (name: string) => queriesOf(new URL(`${name}.jsonl`, fixtures));
  const real = [...queriesIn('valid'), ...queriesIn('benign')];
  const passing = real.filter((q) => guard(q).ok);
  const hostile = [...hostileTexts(20_000), ...hostileTexts(1_000_000), ...queriesIn('hostile')];
  return [
    { name: 'soql: real queries judged per second of processor', value: perSecond(guard, real), target: '>= 100000' },
    { name: 'soql: of these, the passing ones (resolved, bounded, read twice)', value: perSecond(guard, passing) },
    { name: 'soql: worst hostile text, ms', value: worstMs(guard, hostile), target: '<= 50' },
  ];
}

type Guard = ReturnType<typeof createGuard>;

/** By processor time, and the best of several rounds: what else the machine does is not ours. */
function perSecond(guard: Guard, queries: readonly string[]): number {
  const round = () => {
    const start = process.cpuUsage();
    for (let times = 0; times < 20; times += 1) for (const q of queries) guard(q);
    const { user, system } = process.cpuUsage(start);
    return (20 * queries.length * 1e6) / (user + system);
  };
  return Math.round(Math.max(...Array.from({ length: 8 }, round)));
}

/** Each text's best of three, so that a pause of the collector is not laid at its door; the worst of these. */
function worstMs(guard: Guard, texts: readonly string[]): number {
  const best = (text: string) => Math.min(...Array.from({ length: 3 }, () => msOf(() => guard(text))));
  return Number(Math.max(...texts.map(best)).toFixed(2));
}

function msOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function queriesOf(file: URL): string[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { q } = JSON.parse(line) as { q: string }; // our own fixture
      return q;
    });
}
