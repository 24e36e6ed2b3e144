import { GatehouseError } from './errors.ts';

/**
 * What any JSON from outside must keep to, read from its text: parsing 5 MB of nothing but brackets, or of 300,000 names,
 * holds the process for half a second before anybody could look at what came of it. Schemas, too, look at every entry of a
 * list before they say that it has too many, go as deep as the body does, and step over a `__proto__` without a word.
 */
const MOST_DEPTH = 32;
const MOST_ENTRIES = 10_000;
const MOST_VALUES = 400_000;

/** The parsed text; a SyntaxError where it is no JSON, in words where it is too much. */
export function parseJson(text: string): unknown {
  requireShape(text);
  const value: unknown = JSON.parse(text);
  requireNames(value);
  return value;
}

function requireShape(text: string): void {
  /** Of every list and object that is open, how many entries it has so far. */
  const open: number[] = [];
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfText(text, at);
    else if (character === '[' || character === '{') {
      values += 1;
      if (open.push(1) > MOST_DEPTH) throw refused(`is nested more than ${MOST_DEPTH} deep`, 'Send it flat.');
    } else if (character === ']' || character === '}') open.pop();
    else if (character === ',' && open.length > 0) {
      const entries = (open.pop() ?? 0) + 1;
      open.push(entries);
      values += 1;
      if (entries > MOST_ENTRIES)
        throw refused(`holds a list or object of more than ${MOST_ENTRIES} entries`, 'Send less at once.');
    }
    if (values > MOST_VALUES) throw refused(`holds more than ${MOST_VALUES} values`, 'Send less at once.');
  }
}

/** Where the text that begins here ends: at the next quote without a backslash of its own. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function requireNames(body: unknown): void {
  const open: unknown[] = [body];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__'))
      throw refused('holds a field called __proto__', 'Leave it out, or give it another name.', '__proto__');
    for (const inner of Object.values(value)) open.push(inner);
  }
}

function refused(problem: string, next: string, name = '(body)'): GatehouseError {
  return new GatehouseError('invalid_input', `The body ${problem}.`, { next, fields: [{ name, problem }] });
}
