import { breathe } from './breath.ts';
import { isEscaped, parseAnswer } from './json-shape.ts';

/** Characters that are looked at in one turn. */
const PIECE = 65_536;

/**
 * JSON in which whole numbers of sixteen digits and more become texts: the parser rounds them, and Salesforce's commit numbers have
 * nineteen. Undefined for what is no JSON, or more of it than events are.
 */
export async function parseWithLongNumbers(text: string): Promise<unknown> {
  try {
    return await parseAnswer(/\d{16}/.test(text) ? await withLongQuoted(text) : text);
  } catch {
    return undefined;
  }
}

/**
 * One way through the text, whatever it is: an expression that knows whole texts begins anew at each quote of one that has no end,
 * which held the process for ten seconds over 160 kB of an answer that was cut.
 */
async function withLongQuoted(text: string): Promise<string> {
  const parts: string[] = [];
  let from = 0;
  let isText = false;
  for (let start = 0, end = 0; start < text.length; start = end) {
    if (start > 0) await breathe();
    // No number is cut in two, unless it is one of nobody's.
    for (end = start + PIECE; end < start + 2 * PIECE && /[\d.eE+-]/.test(text[end] ?? ''); ) end += 1;
    for (const { 0: found, index: at } of text.slice(start, end).matchAll(/"|-?\d[\d.eE+-]*/g)) {
      const index = start + at;
      if (found === '"') isText = isText ? isEscaped(text, index) : true;
      else if (!isText && /^-?\d{16,}$/.test(found)) {
        parts.push(text.slice(from, index), `"${found}"`);
        from = index + found.length;
      }
    }
  }
  return parts.join('') + text.slice(from);
}
