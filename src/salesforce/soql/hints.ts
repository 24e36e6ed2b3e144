import { SoqlRefusal } from './refusal.ts';

// What models write when they think in SQL, each with its repair. A good hint saves a second refusal.

export type Hint = readonly [code: string, rule: string, next: string];

const characters: Readonly<Record<string, Hint>> = {
  '"': [
    'double_quotes',
    'SOQL does not use double quotes.',
    "Use single quotes for text, and none for names: Name = 'Acme'.",
  ],
  '`': ['back_ticks', 'SOQL does not quote names.', 'Remove the back-ticks.'],
  ';': [
    'semicolon',
    'A query does not end with a semicolon, and only one query is read.',
    'Remove the semicolon and all after it.',
  ],
  '[': [
    'brackets',
    'SOQL does not quote names or write lists in brackets.',
    "Remove them; write a list as ('a', 'b').",
  ],
  '#': ['comment', 'A query holds no comment.', 'Remove the comment.'],
  '!': [
    'not_operator',
    'An exclamation mark is part of != only.',
    'Write != for not equal, Field != null for not empty, or NOT (condition).',
  ],
  '=': ['double_equals', 'SOQL compares with one equals sign.', 'Write = instead of ==.'],
  '?': ['bind_variable', 'A query holds no placeholders.', 'Write the value itself.'],
  '%': ['stray_character', 'The percent sign belongs inside the text of LIKE.', "Write Name LIKE 'Acme%'."],
};

/** The refusal for a character that starts no token. */
export function badCharacter(source: string, at: number): SoqlRefusal {
  const char = String.fromCodePoint(source.codePointAt(at) ?? 0);
  const two = source.slice(at, at + 2);
  if (two === '--' || two === '/*' || two === '//')
    return refusal(at, ['comment', 'A query holds no comment.', 'Remove the comment.']);
  if (char === '*') return refusal(at, star(source, at));
  const known = characters[char];
  if (known !== undefined) return refusal(at, known);
  if ('\u2018\u2019\u201c\u201d\u00b4\u00ab\u00bb'.includes(char)) {
    return refusal(at, [
      'curly_quotes',
      'SOQL knows only the straight single quote.',
      "Use ' for text: Name = 'Acme'.",
    ]);
  }
  if (char >= ' ' && char <= '~') {
    return refusal(at, [
      'stray_character',
      `The character ${char} has no meaning in SOQL.`,
      'Remove it; SOQL has no arithmetic, and text goes in single quotes.',
    ]);
  }
  return refusal(at, [
    'not_ascii',
    'Outside text in single quotes a query holds only plain ASCII letters, digits, signs, spaces and line breaks.',
    'Type the names again in plain letters and the gaps as plain spaces.',
  ]);
}

function star(source: string, at: number): Hint {
  if (/count\s*\(\s*$/i.test(source.slice(Math.max(0, at - 20), at))) {
    return [
      'count_star',
      'SOQL has no COUNT(*).',
      'Write SELECT COUNT() FROM the object, or COUNT(Id) beside other columns.',
    ];
  }
  return ['select_star', 'SOQL has no *.', 'Name the fields you need: SELECT Id, Name.'];
}

const joins = [
  'no_join',
  'SOQL has no JOIN.',
  'Read a parent by its path (SELECT Id, Account.Name FROM Contact) and children by a sub-query (SELECT Id, (SELECT Id FROM Contacts) FROM Account).',
] as const;
const isNull: Hint = ['is_null', 'SOQL has no IS and no NOT NULL.', 'Write Field = null or Field != null.'];
export const clauseOrder: Hint = [
  'clause_order',
  'This clause stands in the wrong place or twice.',
  'Keep the order SELECT, FROM, USING SCOPE, WHERE, WITH, GROUP BY, HAVING, ORDER BY, LIMIT, OFFSET.',
];

const words: Readonly<Record<string, Hint>> = {
  join: joins,
  inner: joins,
  left: joins,
  right: joins,
  outer: joins,
  cross: joins,
  full: joins,
  on: joins,
  distinct: [
    'no_distinct',
    'SOQL has no DISTINCT.',
    'Group instead: SELECT Industry FROM Account GROUP BY Industry, or count with COUNT_DISTINCT(Industry).',
  ],
  top: ['no_top', 'SOQL has no TOP.', 'Put LIMIT n at the end.'],
  between: ['no_between', 'SOQL has no BETWEEN.', 'Write Field >= low AND Field <= high.'],
  case: ['no_case', 'SOQL has no CASE.', 'Select the fields and decide from the answer.'],
  when: ['no_case', 'SOQL has no CASE.', 'Select the fields and decide from the answer.'],
  ilike: ['use_like', 'SOQL has no ILIKE, and LIKE ignores case.', "Write Name LIKE '%acme%'."],
  rlike: ['use_like', 'SOQL has no regular expressions.', "Write Name LIKE '%acme%'."],
  regexp: ['use_like', 'SOQL has no regular expressions.', "Write Name LIKE '%acme%'."],
  contains: ['use_like', 'SOQL has no CONTAINS.', "Write Name LIKE '%acme%'."],
  is: isNull,
  null: isNull,
  union: ['no_union', 'SOQL has no UNION.', 'Ask one query after the other.'],
  intersect: ['no_union', 'SOQL has no INTERSECT.', 'Ask one query after the other.'],
  except: ['no_union', 'SOQL has no EXCEPT.', 'Use NOT IN (SELECT ...).'],
  fetch: ['no_top', 'SOQL has no FETCH.', 'Put LIMIT n at the end.'],
  exists: ['no_exists', 'SOQL has no EXISTS.', 'Write Id IN (SELECT AccountId FROM Contact).'],
  as: ['no_as', 'A selected column takes its alias without AS.', 'Write COUNT(Id) total.'],
  from: clauseOrder,
  where: clauseOrder,
  with: clauseOrder,
  using: clauseOrder,
  group: clauseOrder,
  having: clauseOrder,
  order: clauseOrder,
  limit: clauseOrder,
  offset: clauseOrder,
};

/** The hint for a word that no clause expects; `undefined` when the plain sentence must do. */
export function hintFor(key: string): Hint | undefined {
  return Object.hasOwn(words, key) ? words[key] : undefined;
}

const openings: Readonly<Record<string, Hint>> = {
  find: [
    'not_select',
    'SOSL is not read here.',
    "Write a SOQL query with LIKE: SELECT Id, Name FROM Account WHERE Name LIKE '%acme%'.",
  ],
  with: ['not_select', 'SOQL has no common table expressions.', 'Begin with SELECT.'],
};

/** The hint for a text that does not begin with SELECT. */
export function hintForOpening(key: string): Hint {
  const known = Object.hasOwn(openings, key) ? openings[key] : undefined;
  return (
    known ?? [
      'not_select',
      'Only a query that begins with SELECT is read; nothing can be written, deleted or described here.',
      'Begin with SELECT.',
    ]
  );
}

/** The hint for a bare word where a value belongs. */
export const unquoted: Hint = [
  'unquoted_value',
  'A value is a number, a date, true, false, null, a date literal or text in single quotes; two fields cannot be compared.',
  "Put text in single quotes: Industry = 'Technology'.",
];

export function refusal(at: number, [code, rule, next]: Hint): SoqlRefusal {
  return new SoqlRefusal(code, at, rule, next);
}
