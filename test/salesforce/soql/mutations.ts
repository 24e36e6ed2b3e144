import fc from 'fast-check';

/** Queries that are nearly right: real ones with a token or two dropped, doubled, swapped or put in from elsewhere. */
export function mutated(queries: readonly string[]): fc.Arbitrary<string> {
  const pool = [...new Set(queries.flatMap(tokensOf))].filter((token) => token.trim() !== '');
  const change = fc.record({
    kind: fc.constantFrom('drop', 'double', 'swap', 'replace', 'insert'),
    at: fc.nat(),
    token: fc.constantFrom(...pool, ...intruders),
  });
  return fc
    .record({ query: fc.constantFrom(...queries), changes: fc.array(change, { minLength: 1, maxLength: 2 }) })
    .map(({ query, changes }) => changes.reduce(apply, tokensOf(query)).join(''));
}

const intruders = [
  '(',
  ')',
  ',',
  '.',
  "'",
  '"',
  ';',
  ':',
  '=',
  'AND',
  'OR',
  'NOT',
  'SELECT',
  'FROM',
  'WHERE',
  'LIMIT',
  'OFFSET',
  'FOR VIEW',
  'null',
  '5',
  '-1',
  "'x'",
  '2026-01-01',
  'TODAY',
  'COUNT()',
  '\u00a0',
  '\u200b',
  '*',
  '/**/',
  '--',
  'ALL ROWS',
  '\\',
  '{',
  'Id',
];

interface Change {
  readonly kind: string;
  readonly at: number;
  readonly token: string;
}

function apply(tokens: readonly string[], { kind, at, token }: Change): string[] {
  const index = at % Math.max(tokens.length, 1);
  const here = tokens[index] ?? '';
  const next = tokens[index + 2] ?? '';
  switch (kind) {
    case 'drop':
      return tokens.toSpliced(index, 1);
    case 'double':
      return tokens.toSpliced(index, 0, here, ' ');
    case 'swap':
      return tokens.toSpliced(index, 3, next, tokens[index + 1] ?? '', here);
    case 'replace':
      return tokens.toSpliced(index, 1, token);
    default:
      return tokens.toSpliced(index, 0, ` ${token} `);
  }
}

function tokensOf(query: string): string[] {
  return query.match(/'(?:\\.|[^'\\])*'|\w+|\s+|[^\w\s]/gs) ?? [];
}
