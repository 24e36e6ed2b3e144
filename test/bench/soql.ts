import { readFileSync } from 'node:fs';
import { createGuard } from '../../src/salesforce/soql/guard.ts';
import { parsePolicyFile } from '../../src/salesforce/soql/policy-file.ts';

/** F8: how fast the guard reads real queries, and how long the worst hostile text holds it up. */
export async function benchSoql(): Promise<{ name: string; value: number | string; target?: string }[]> {
  const fixtures = new URL('../salesforce/soql/fixtures/', import.meta.url);
  const guard = createGuard(parsePolicyFile(JSON.parse(readFileSync(new URL('policy.json', fixtures), 'utf8'))));
  const queries = ['valid', 'benign', 'hostile'].flatMap((name) => queriesOf(new URL(`${name}.jsonl`, fixtures)));
  const passing = queries.filter((q) => guard(q).ok);
  const hostile = [...hostileTexts(20_000), ...hostileTexts(1_000_000), ...queries];
  return [
    { name: 'soql: queries judged per second', value: perSecond(guard, queries), target: '>= 100000' },
    { name: 'soql: passing queries resolved, bounded and read again per second', value: perSecond(guard, passing) },
    { name: 'soql: worst hostile text, ms', value: worstMs(guard, hostile), target: '<= 50' },
  ];
}

/** Texts of about this length made to cost a reader dear. */
export function hostileTexts(length: number): string[] {
  const fill = (part: string) => part.repeat(Math.floor(length / part.length));
  const where = 'SELECT Id FROM Account WHERE ';
  return [
    `${where}Name = '${fill("\\'")}`,
    `${where}Name = '${fill('\\\\')}'`,
    `${where}Name = '${fill('\u202e')}'`,
    `${where}${fill('(')}Name = 'a'${fill(')')}`,
    `${where}${fill('NOT ')}Name = 'a'`,
    `${where}${fill("Name = 'a' AND ")}Name = 'b'`,
    `${where}${fill('Id IN (SELECT AccountId FROM Contact WHERE ')}Id = null`,
    `${where}Name IN (${fill("'a',")}'b')`,
    `${where}CreatedDate > ${fill('2026-01-01T')}`,
    `${where}Amount > ${fill('1.')}`,
    `${where}Amount > ${fill('9')}`,
    `SELECT ${fill('(SELECT Id, ')}Id FROM Account`,
    `SELECT ${fill('FORMAT(')}Name FROM Account`,
    `SELECT ${fill('Owner.')}Name FROM Account`,
    `SELECT ${fill('Name, ')}Id FROM Account`,
    `SELECT ${fill('A')} FROM Account`,
    `SELECT Id FROM Contact c, ${fill('c.Account a, ')}c.Owner o`,
    `SELECT ${fill('TYPEOF What WHEN Account THEN Id END, ')}Id FROM Task`,
    `SELECT Id FROM Account${fill(' ')}`,
    `SELECT Id FROM Account ORDER BY ${fill('Name DESC NULLS LAST, ')}Id`,
    fill('SELECT '),
    fill('\u0000'),
    fill("'"),
    fill('-'),
    fill(' '),
  ];
}

type Guard = ReturnType<typeof createGuard>;

/** The best of several rounds: the others measure what else the machine did. */
function perSecond(guard: Guard, queries: readonly string[]): number {
  const round = () => {
    const start = performance.now();
    for (let times = 0; times < 20; times += 1) for (const q of queries) guard(q);
    return (20 * queries.length * 1_000) / (performance.now() - start);
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
