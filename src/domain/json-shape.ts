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
  return JSON.parse(text);
}

interface Open {
  entries: number;
  /** Of an object: the names that it has had. */
  readonly names: Set<string> | undefined;
  isName: boolean;
}

function requireShape(text: string): void {
  const open: Open[] = [];
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    const inner = open.at(-1);
    if (character === '"') {
      const end = endOfText(text, at);
      if (inner?.names !== undefined && inner.isName) requireNew(text.slice(at, end + 1), inner.names);
      at = end;
    } else if (character === '[' || character === '{') {
      values += 1;
      open.push({ entries: 1, names: character === '{' ? new Set() : undefined, isName: true });
      if (open.length > MOST_DEPTH) throw refused(`is nested more than ${MOST_DEPTH} deep`, 'Send it flat.');
    } else if (character === ']' || character === '}') open.pop();
    else if (character === ':' && inner !== undefined) inner.isName = false;
    else if (character === ',' && inner !== undefined) {
      values += 1;
      inner.entries += 1;
      inner.isName = true;
      if (inner.entries > MOST_ENTRIES)
        throw refused(`holds a list or object of more than ${MOST_ENTRIES} entries`, 'Send less at once.');
    }
    if (values > MOST_VALUES) throw refused(`holds more than ${MOST_VALUES} values`, 'Send less at once.');
  }
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

function unescaped(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted; // the parser will say so
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

function refused(problem: string, next: string, name = '(body)'): GatehouseError {
  return new GatehouseError('invalid_input', `The JSON ${problem}.`, { next, fields: [{ name, problem }] });
}
