import { parseJson } from './json-shape.ts';

/**
 * JSON in which whole numbers of sixteen digits and more become texts: the parser rounds them, and Salesforce's commit numbers have
 * nineteen. Undefined for what is no JSON, or more of it than events are.
 */
export function parseWithLongNumbers(text: string): unknown {
  try {
    return parseJson(/\d{16}/.test(text) ? text.replace(STRING_OR_LONG, quoted) : text);
  } catch {
    return undefined;
  }
}

const STRING_OR_LONG = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const quoted = (match: string): string => (match.startsWith('"') ? match : `"${match}"`);
