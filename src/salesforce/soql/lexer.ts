import { badCharacter } from './hints.ts';
import { SoqlRefusal } from './refusal.ts';

/**
 * Text to tokens, in one pass that never looks back. Outside quotes only ASCII is SOQL: a no-break space, a full-width
 * letter or a zero-width joiner is refused, not skipped, because what one reader skips another reads.
 */
export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'date' | 'datetime' | 'time' | 'currency' | 'symbol' | 'end';
  readonly start: number;
  readonly end: number;
  /** Lower-cased word or symbol; empty for literals, so that no string ever looks like a keyword. */
  readonly key: string;
}

export function lex(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const code = source.charCodeAt(at);
    const what = code < 128 ? classOf[code] : OTHER;
    if (what === SPACE) {
      at += 1;
      continue;
    }
    const token =
      what === LETTER
        ? word(source, at)
        : what === DIGIT
          ? number(source, at)
          : code === QUOTE
            ? string(source, at)
            : symbol(source, at, tokens[tokens.length - 1]);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', start: source.length, end: source.length, key: '' });
  return tokens;
}

const OTHER = 0;
const SPACE = 1;
const LETTER = 2;
const DIGIT = 3;
const QUOTE = 39;
const BACKSLASH = 92;
const DOT = 46;
const UNDERSCORE = 95;
const MAX_STRING = 4_000;

const classOf = new Uint8Array(128);
for (const c of ' \t\r\n') classOf[c.charCodeAt(0)] = SPACE;
for (const c of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_') classOf[c.charCodeAt(0)] = LETTER;
for (const c of '0123456789') classOf[c.charCodeAt(0)] = DIGIT;

function isWordAt(source: string, at: number): boolean {
  const code = source.charCodeAt(at);
  return code < 128 && (classOf[code] ?? OTHER) >= LETTER;
}

const currency = /[a-zA-Z]{3}[0-9]+\.[0-9]+/y;

function word(source: string, start: number): Token {
  if (source.charCodeAt(start) === UNDERSCORE) {
    throw new SoqlRefusal(
      'bad_name',
      start,
      'A name cannot begin with an underscore.',
      'Use the API name of the field.',
    );
  }
  let end = start + 1;
  while (isWordAt(source, end)) end += 1;
  // USD5000.01 is one value; USD5000 reads as a word, since a field may be called so.
  if (source.charCodeAt(end) === DOT && (classOf[source.charCodeAt(end + 1)] ?? OTHER) === DIGIT) {
    const moneyEnd = endOf(currency, source, start);
    if (moneyEnd !== undefined) return closed(source, 'currency', start, moneyEnd);
  }
  return { kind: 'word', start, end, key: source.slice(start, end).toLowerCase() };
}

const numeral = /[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)/y;
const day = /[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])/y;
const clock = /(?:[01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?/y;
const zone = /[zZ]|[+-][0-9]{2}:?[0-9]{2}/y;

function number(source: string, start: number): Token {
  const end = endOf(numeral, source, start);
  if (end === undefined) throw badCharacter(source, start);
  const after = source[end];
  if (after === '/' || (after === '-' && end - start === 4)) return date(source, start);
  if (after === ':') return time(source, start);
  return closed(source, 'number', start, end);
}

function time(source: string, start: number): Token {
  const end = endOf(clock, source, start);
  if (end === undefined) throw badDate(start);
  return closed(source, 'time', start, endOf(zone, source, end) ?? end);
}

function date(source: string, start: number): Token {
  const dayEnd = endOf(day, source, start);
  if (dayEnd === undefined) throw badDate(start);
  const separator = source[dayEnd];
  if (separator !== 'T' && separator !== 't') return closed(source, 'date', start, dayEnd);
  const clockEnd = endOf(clock, source, dayEnd + 1);
  const end = clockEnd === undefined ? undefined : endOf(zone, source, clockEnd);
  if (end === undefined) throw badDate(start);
  return closed(source, 'datetime', start, end);
}

/** `20LIMIT` and `1.2.3` are no number and no word: nothing may lean on a literal. */
function closed(source: string, kind: Token['kind'], start: number, end: number): Token {
  if (isWordAt(source, end) || source[end] === '.') {
    if (kind !== 'number' && kind !== 'currency') throw badDate(start);
    throw new SoqlRefusal(
      'bad_number',
      start,
      'This is not a number that SOQL knows.',
      'Write plain digits such as 1000 or 0.5, with no unit or exponent, and put text in single quotes.',
    );
  }
  return { kind, start, end, key: '' };
}

function badDate(at: number): SoqlRefusal {
  return new SoqlRefusal(
    'bad_date',
    at,
    'This is not a date or time that SOQL knows.',
    'Write 2026-01-31, or 2026-01-31T09:00:00Z with seconds and a zone, without quotes.',
  );
}

/** `-`, `+` and `.` open a number only when a digit follows; anything else is for the character table to explain. */
function symbol(source: string, start: number, before: Token | undefined): Token {
  const one = source.charAt(start);
  if (one === '(' || one === ')' || one === ',' || one === ':')
    return { kind: 'symbol', start, end: start + 1, key: one };
  if (one === '.' && before?.kind === 'word' && before.end === start)
    return { kind: 'symbol', start, end: start + 1, key: one };
  if (one === '-' || one === '+' || one === '.') return number(source, start);
  const two = source.slice(start, start + 2);
  if (two === '==' || (two === '!=' && source.charAt(start + 2) === '=')) throw badCharacter(source, start);
  if (two === '<=' || two === '>=' || two === '!=' || two === '<>')
    return { kind: 'symbol', start, end: start + 2, key: two };
  if (one !== '=' && one !== '<' && one !== '>') throw badCharacter(source, start);
  return { kind: 'symbol', start, end: start + 1, key: one };
}

// Escapes of the SOQL reference; an unknown one is refused, since readers disagree on what it means.
const escapes = new Set('nNrRtTbBfF"\'\\_%');
const hex4 = /[0-9a-fA-F]{4}/y;
// Control, invisible, unassigned and private characters. The two joiners that Persian, Indic and emoji need stay.
const unprintable = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

function string(source: string, start: number): Token {
  let isAscii = true;
  for (let at = start + 1; at < source.length; at += 1) {
    const code = source.charCodeAt(at);
    if (code === QUOTE) return checkedString(source, start, at + 1, isAscii);
    if (code === BACKSLASH) at = afterEscape(source, at);
    else if (code < 32 || code === 127) {
      throw new SoqlRefusal(
        'control_character',
        at,
        'Text cannot hold a line break or control character.',
        'Write \\n for a line break and \\t for a tab.',
      );
    } else if (code > 126) isAscii = false;
  }
  throw new SoqlRefusal(
    'unterminated_string',
    start,
    'This text is not closed.',
    "Close it with a single quote, and write \\' for a quote inside it.",
  );
}

function afterEscape(source: string, at: number): number {
  const letter = source.charAt(at + 1);
  if (letter === 'u' && endOf(hex4, source, at + 2) !== undefined) return at + 5;
  if (escapes.has(letter)) return at + 1;
  throw new SoqlRefusal(
    'bad_escape',
    at,
    'This is not an escape that SOQL knows.',
    "Write \\\\ for a backslash and \\' for a quote.",
  );
}

function checkedString(source: string, start: number, end: number, isAscii: boolean): Token {
  if (end - start - 2 > MAX_STRING) {
    throw new SoqlRefusal(
      'string_too_long',
      start,
      `One text may have ${MAX_STRING} characters.`,
      'Search for a shorter part of it.',
    );
  }
  if (!isAscii) {
    const found = unprintable.exec(source.slice(start, end));
    if (found !== null) {
      throw new SoqlRefusal(
        'invisible_character',
        start + found.index,
        'This text holds a character that cannot be seen.',
        'Remove it.',
      );
    }
  }
  if (source.charCodeAt(end) === QUOTE) {
    throw new SoqlRefusal(
      'doubled_quote',
      end - 1,
      'SOQL does not double a quote.',
      "Write \\' for a quote inside text, such as 'O\\'Brien'.",
    );
  }
  return { kind: 'string', start, end, key: '' };
}

function endOf(pattern: RegExp, source: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : undefined;
}
