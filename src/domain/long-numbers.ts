/**
 * JSON in which whole numbers of sixteen digits and more become texts: JSON.parse rounds them, and Salesforce's commit numbers have
 * nineteen. Undefined for what is no JSON.
 */
export function parseWithLongNumbers(text: string): unknown {
  try {
    return JSON.parse(/\d{16}/.test(text) ? text.replace(STRING_OR_LONG, quoted) : text);
  } catch {
    return undefined;
  }
}

const STRING_OR_LONG = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const quoted = (match: string): string => (match.startsWith('"') ? match : `"${match}"`);
