import { breathe } from './breath.ts';
import { GatehouseError } from './errors.ts';

/**
 * The one way in for JSON from outside. Its shape is read from its text, and long texts are parsed piece by piece: the parser
 * alone holds the process for 12 s over 30 MB of brackets, before anybody could look at what came of it. Schemas, too, look at
 * every entry of a list before they say that it has too many, go as deep as the body does, and step over a `__proto__`
 * without a word.
 */
const MOST_DEPTH = 32;
const MOST_ENTRIES = 10_000;
/** Characters that are looked at, or parsed, in one turn: some milliseconds, whatever they are. */
const PIECE = 65_536;

interface Bounds {
  readonly mostValues: number;
  /** Whether an object may not name anything twice, and no whole number may be one that the parser rounds. */
  readonly isStrict: boolean;
}

const SENT: Bounds = { mostValues: 400_000, isStrict: true };
/** A describe of 800 fields with 300 picklist values each, more than any seen in an org, holds 1.5 million. */
const ANSWERED: Bounds = { mostValues: 2_000_000, isStrict: false };

/** The parsed text; a SyntaxError where it is no JSON, in words where it is too much. */
export function parseJson(text: string): unknown {
  const turns = readingOf(text, SENT);
  for (;;) {
    const { done, value } = turns.next();
    if (done) return value;
  }
}

/** The same, with a breath between the turns: of what may be long. */
export const parseJsonInTurns = (text: string): Promise<unknown> => inTurns(readingOf(text, SENT));

/** What answers a question of ours: it may hold more, and of two values of one name the last is taken, as everybody does. */
export const parseAnswer = (text: string): Promise<unknown> => inTurns(readingOf(text, ANSWERED));

async function inTurns(turns: Generator<void, unknown>): Promise<unknown> {
  for (;;) {
    const { done, value } = turns.next();
    if (done) return value;
    await breathe();
  }
}

/** A list or object whose end is not reached yet. */
interface Open {
  readonly isObject: boolean;
  readonly start: number;
  entries: number;
  /** Of a strict object: the names that it has had. */
  readonly names: Set<string> | undefined;
  isName: boolean;
  /** Where the last name stands. */
  name: readonly [start: number, end: number] | undefined;
  /** What was parsed of it already; undefined while it is short enough to be parsed with what is around it. */
  parsed: unknown[] | undefined;
  /** Where the text begins that is not parsed yet. */
  from: number;
  /** The last entry is parsed: nothing but a comma or the end may follow. */
  isTaken: boolean;
}

function* readingOf(text: string, { mostValues, isStrict }: Bounds): Generator<void, unknown> {
  const open: Open[] = [];
  let values = 1;
  let turnEnds = PIECE;
  /** Where the text value begins that is being read. */
  let quoteAt: number | undefined;
  for (let at = 0; at < text.length; at += 1) {
    if (at >= turnEnds) {
      yield;
      turnEnds = at + PIECE;
    }
    const character = text[at];
    const inner = open.at(-1);
    if (quoteAt !== undefined || character === '"') {
      const end = text.indexOf('"', quoteAt === undefined ? at + 1 : at);
      if (end === -1) return unended(text);
      quoteAt ??= at;
      at = end;
      if (isEscaped(text, end)) continue;
      if (inner?.isObject && inner.isName) {
        inner.name = [quoteAt, end + 1];
        if (inner.names !== undefined) requireNew(text.slice(quoteAt, end + 1), inner.names);
      }
      quoteAt = undefined;
    } else if (character === '[' || character === '{') {
      values += 1;
      open.push(opened(character === '{', at, isStrict));
      if (open.length > MOST_DEPTH) throw refused(`is nested more than ${MOST_DEPTH} deep`, 'Send it flat.');
    } else if (character === ']' || character === '}') {
      const closed = open.pop();
      if (closed === undefined) return unended(text);
      if (closed.parsed === undefined) continue;
      if (closed.isObject !== (character === '}')) throw noJson();
      takeUntil(closed, text, at);
      const value = closed.isObject ? Object.fromEntries(closed.parsed as [string, unknown][]) : closed.parsed;
      const outer = open.at(-1);
      if (outer !== undefined) takeInner(outer, text, closed.start, at + 1, value);
      else if (isBlank(text.slice(0, closed.start) + text.slice(at + 1))) return value;
      else throw noJson();
    } else if (isStrict && isDigit(character)) {
      const end = endOfNumber(text, at);
      if (end - at >= LONG_NUMBER) requireKept(text, at, end);
      at = end - 1;
    } else if (character === ':' && inner !== undefined) inner.isName = false;
    else if (character === ',' && inner !== undefined) {
      values += 1;
      inner.entries += 1;
      inner.isName = true;
      if (inner.entries > MOST_ENTRIES)
        throw refused(`holds a list or object of more than ${MOST_ENTRIES} entries`, 'Send less at once.');
      if (inner.isTaken || at - inner.from > PIECE) takeUntil(inner, text, at);
    }
    if (values > mostValues) throw refused(`holds more than ${mostValues} values`, 'Send less at once.');
  }
  return open.length > 0 || quoteAt !== undefined ? unended(text) : JSON.parse(text);
}

const opened = (isObject: boolean, start: number, isStrict: boolean): Open => ({
  isObject,
  start,
  entries: 1,
  names: isObject && isStrict ? new Set() : undefined,
  isName: true,
  name: undefined,
  parsed: undefined,
  from: start + 1,
  isTaken: false,
});

/** The entries that end here, before a comma or the end. */
function takeUntil(open: Open, text: string, end: number): void {
  const entries = text.slice(open.from, end);
  if (open.isTaken !== isBlank(entries)) throw noJson();
  if (!open.isTaken) take(open, entries);
  open.isTaken = false;
  open.from = end + 1;
}

/** An entry that was too long to be parsed in one piece, and those before it. */
function takeInner(outer: Open, text: string, start: number, end: number, value: unknown): void {
  const [nameAt, nameEnd] = outer.isObject ? (outer.name ?? [start, start]) : [start, start];
  const before = text.slice(outer.from, nameAt).trim();
  if (outer.isTaken || text.slice(nameEnd, start).trim() !== (outer.isObject ? ':' : '')) throw noJson();
  if (before !== '') {
    if (!before.endsWith(',')) throw noJson();
    take(outer, before.slice(0, -1));
  }
  outer.parsed ??= [];
  outer.parsed.push(outer.isObject ? [JSON.parse(text.slice(nameAt, nameEnd)), value] : value);
  outer.from = end;
  outer.isTaken = true;
}

function take(open: Open, entries: string): void {
  if (isBlank(entries)) throw noJson();
  open.parsed ??= [];
  for (const entry of open.isObject ? Object.entries(JSON.parse(`{${entries}}`)) : JSON.parse(`[${entries}]`))
    open.parsed.push(entry);
}

const isBlank = (text: string) => text.trim() === '';

const noJson = () => new SyntaxError('The text is no JSON.');

/** In the words of the parser, which say where, as far as they cost nothing. */
function unended(text: string): unknown {
  if (text.length <= PIECE) return JSON.parse(text);
  throw noJson();
}

/** Of two values of one name the parser would drop the first without a word: half a policy, for one. */
function requireNew(quoted: string, names: Set<string>): void {
  const name = quoted.includes('\\') ? unescaped(quoted) : quoted.slice(1, -1);
  if (name === '__proto__')
    throw refused('holds a field called __proto__', 'Leave it out, or give it another name.', '__proto__');
  if (names.has(name)) {
    const shown = name.slice(0, 80);
    throw refused(`names ${JSON.stringify(shown)} twice in one object`, 'Leave one of the two out.', shown);
  }
  names.add(name);
}

/** Digits from which on a whole number may be more than the parser keeps. */
const LONG_NUMBER = 16;
/** The largest number that there is has 309. */
const MOST_DIGITS = 309;

const OF_NUMBERS: ReadonlySet<string> = new Set(['.', 'e', 'E', '+', '-']);

const isDigit = (character: string | undefined) => character !== undefined && character >= '0' && character <= '9';

/** With its places and its exponent. */
function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (isDigit(text[end]) || OF_NUMBERS.has(text[end] ?? '')) end += 1;
  return end;
}

/**
 * An id of somebody's would become the id of somebody else: 9007199254740993 is read as 9007199254740992. What has places or an
 * exponent is measured, and everybody rounds it.
 */
function requireKept(text: string, start: number, end: number): void {
  const digits = text.slice(start, Math.min(end, start + MOST_DIGITS + 1));
  if (!/^\d+$/.test(digits)) return;
  const kept = Number(digits);
  // As JavaScript writes it, or exactly: 2 ** 55 + 2 has been written both ways.
  if (String(kept) === digits || (Number.isFinite(kept) && BigInt(digits) === BigInt(kept))) return;
  throw refused(`holds the whole number ${digits.slice(0, 40)}, which would be rounded`, 'Send it as a text.');
}

function unescaped(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted; // the parser will say so
  }
}

/** Whether the quote here belongs to its text: an odd number of backslashes stands before it. */
export function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function refused(problem: string, next: string, name = '(body)'): GatehouseError {
  return new GatehouseError('invalid_input', `The JSON ${problem}.`, { next, fields: [{ name, problem }] });
}
