import type { JudgedQuery, Soql } from '../domain/action.ts';
import { bindsIn, type Declaration } from '../domain/declaration.ts';
import { LITERAL } from './read.ts';

const SAMPLES = { text: 'x', number: 1, boolean: true, date: '2000-01-01', datetime: '2000-01-01T00:00:00Z' } as const;

/** The query of a definition with a value of the right type in each place: what the guard says of it holds for every other value. */
export async function sampleQuery(
  soql: Pick<Soql, 'bind' | 'judge'>,
  declaration: Declaration,
): Promise<JudgedQuery | undefined> {
  if (declaration.operation !== 'query' || declaration.soql === undefined) return undefined;
  const values = bindsIn(declaration.soql).map((name) => {
    const type = LITERAL[declaration.input[name]?.type ?? 'text'];
    return { name, type, value: SAMPLES[type] };
  });
  return soql.judge(await soql.bind(declaration.soql, values), 'concise', true);
}
