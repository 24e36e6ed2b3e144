/**
 * The text of a search as Salesforce reads it: `FIND {words} IN NAME FIELDS RETURNING Contact(Id, Name LIMIT 5), Account LIMIT 20`. Words
 * are joined by AND unless OR stands between; quotes make a phrase, a backslash takes a character as it is, * and ? are wildcards.
 */
import { refuse } from '../refusal.ts';

export type Scope = 'ALL' | 'NAME' | 'EMAIL' | 'PHONE';

export interface Returning {
  readonly object: string;
  readonly fields: readonly string[];
  readonly limit: number;
}

export interface Sosl {
  readonly text: Wanted;
  readonly scope: Scope;
  readonly returning: readonly Returning[];
  readonly limit: number;
}

/** One of these lists must be found whole. */
export type Wanted = readonly (readonly RegExp[])[];

const most = 2_000;
const reserved = /[?&|!{}[\]()^~*:\\"'+-]/;

export function parseSosl(q: string): Sosl {
  const [head] = /^\s*FIND\s*\{/i.exec(q) ?? [];
  if (head === undefined) throw malformed('No search term found. The search term must be enclosed in braces.');
  const end = endOfTerm(q, head.length);
  const text = wantedIn(q.slice(head.length, end));
  const rest =
    /^\s*(?:IN\s+(ALL|NAME|EMAIL|PHONE)\s+FIELDS\s*)?(?:RETURNING\s+([\s\S]*?))?\s*(?:LIMIT\s+(\d+)\s*)?$/i.exec(
      q.slice(end + 1),
    );
  if (rest === null)
    throw malformed(
      `unexpected token: ${
        q
          .slice(end + 1)
          .trim()
          .split(/\s/)[0] ?? ''
      }`,
    );
  const [, scope = 'ALL', returning, limit] = rest;
  return {
    text,
    scope: scope.toUpperCase() as Scope,
    returning: returning === undefined ? [] : returningIn(returning),
    limit: Math.min(most, Number(limit ?? most)),
  };
}

/** The words of a parameterized search, whose operators are the same. */
export function plainWords(text: string): Wanted {
  return wantedIn(text);
}

function endOfTerm(q: string, from: number): number {
  for (let at = from; at < q.length; at++) {
    if (q[at] === '\\') at += 1;
    else if (q[at] === '}') return at;
  }
  throw malformed('No search term found. The search term must be enclosed in braces.');
}

function wantedIn(term: string): Wanted {
  const tokens = [...term.matchAll(/"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+)/g)];
  const groups: RegExp[][] = [[]];
  let letters = 0;
  for (const [, phrase, word] of tokens) {
    if (word !== undefined && /^(?:AND|OR)$/i.test(word)) {
      if (/^OR$/i.test(word)) groups.push([]);
      continue;
    }
    const { pattern, size } = compiled(phrase ?? word ?? '', phrase !== undefined);
    letters += size;
    groups.at(-1)?.push(pattern);
  }
  if (letters < 2) throw malformed('search term must be longer than one character');
  return groups.filter((group) => group.length > 0);
}

function compiled(text: string, isPhrase: boolean): { pattern: RegExp; size: number } {
  let source = '';
  let size = 0;
  for (let at = 0; at < text.length; at++) {
    let one = text[at] ?? '';
    if (one === '\\') {
      at += 1;
      one = text[at] ?? '';
    } else if (one === '*' || one === '?') {
      source += one === '*' ? '.*' : '.';
      continue;
    } else if (!isPhrase && reserved.test(one)) throw malformed(`unexpected token: ${one}`);
    size += 1;
    source += one.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  }
  return { pattern: new RegExp(source, 'i'), size };
}

function returningIn(text: string): Returning[] {
  const parts = [...text.matchAll(/\s*([A-Za-z]\w*)\s*(?:\(([^()]*)\))?\s*(?:,|$)/gy)];
  if (
    parts
      .map(([whole]) => whole)
      .join('')
      .trim() !== text.trim()
  )
    throw malformed('unexpected token in RETURNING');
  return parts.map(([, object = '', inner]) => {
    const [, fields = '', limit] = /^([\s\S]*?)(?:\s+LIMIT\s+(\d+))?\s*$/i.exec(inner ?? '') ?? [];
    const names = fields
      .split(',')
      .map((field) => field.trim())
      .filter(Boolean);
    if (names.some((field) => !/^[A-Za-z][\w.]*$/.test(field))) throw malformed('unexpected token in RETURNING');
    return { object, fields: names, limit: Number(limit ?? most) };
  });
}

function malformed(message: string) {
  return refuse(400, 'MALFORMED_SEARCH', message);
}
