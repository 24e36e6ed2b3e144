/**
 * Characters that a person cannot see in what they are shown or asked to approve (A7). Pure. Input that holds one is refused,
 * never repaired; what records and Salesforce say is cleaned of them.
 */

// Controls but tab, LF, CR; line and paragraph separators; interlinear marks; lone surrogates; and whatever Unicode lets a
// screen leave out: zero-width and direction marks, soft hyphens, fillers, tags and variation selectors, which can carry whole
// hidden sentences, the marks of music and shorthand. And signs that are drawn as nothing although Unicode counts them as drawn:
// the empty Braille cell, which is no space and reads as a name of nothing, the empty note, the joiners of hieroglyphs.
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: naming control characters is this file's job
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufff9-\ufffb\u2800\u{1d159}\u{13430}-\u{1343f}\u{16fe4}]|\p{Default_Ignorable_Code_Point}|[\ud800-\udfff]/u;
const ALL_HIDDEN = new RegExp(HIDDEN, 'gu');

/** What belongs to a script or an emoji: the joiners of Persian and Indic spelling and of family emoji, the one sign that colours an emoji; the space between Braille words. */
const PROPER =
  /(?<=[\u2801-\u28ff])\u2800(?=[\u2801-\u28ff])|(?<=\p{Emoji})\ufe0f|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Malayalam}\p{M}])[\u200c\u200d](?=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Malayalam}])|(?<=\p{Extended_Pictographic}|\ufe0f|[\u{1f3fb}-\u{1f3ff}])\u200d(?=\p{Extended_Pictographic})/gu;

/** The first hidden character as `U+202E`, or undefined when all can be seen. */
export function hiddenCharacter(text: string): string | undefined {
  const found = HIDDEN.exec(text.replace(PROPER, ''))?.[0];
  if (found === undefined) return undefined;
  // A match is never empty.
  return `U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** One text, cleaned and cut at `cap` characters with an ellipsis. Joiners that spell a word or an emoji stay. */
export function cleanText(text: string, cap = Number.POSITIVE_INFINITY): string {
  // Cut roughly first, so that a huge text costs no more than its cap; the slack pays for what cleaning removes.
  const near = text.length > cap * 4 ? text.slice(0, cap * 4) : text;
  const plain = HIDDEN.test(near) ? withoutHidden(near) : near;
  const lines = plain.includes('\r') ? plain.replace(/\r\n?/g, '\n') : plain;
  return lines.length <= cap ? lines : `${lines.slice(0, cap - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Characters of the longest text field of a CRM record: a long text area. */
const MOST_TEXT = 131_072;
/** Longest text of one record field in an answer; CRM text is data, and a megabyte of it is no answer. */
const MOST_SHOWN = 2_000;

/** What records say, made safe to hand on: every text cleaned and capped, the structure kept. */
export function cleanData<T>(value: T, cap = MOST_SHOWN): T {
  return cleanValue(value, cap) as T; // same shape, only texts differ
}

/** What a human is asked to approve: cleaned like any record text, but never cut short of the longest field there is. */
export function cleanShown<T>(value: T): T {
  return cleanData(value, MOST_TEXT);
}

/** Somebody's words on one line, at most 300 characters. */
export function oneLine(text: string, cap = 300): string {
  return cleanText(
    cleanText(text, cap * 4)
      .replace(/\s+/g, ' ')
      .trim(),
    cap,
  );
}

/** Record text inside one of our own sentences. */
export function quoted(text: string, cap = 80): string {
  return JSON.stringify(oneLine(text, cap));
}

function cleanValue(value: unknown, cap: number): unknown {
  if (typeof value === 'string') return cleanText(value, cap);
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, cap));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cleanValue(inner, cap)]));
}

function withoutHidden(text: string): string {
  const proper = new Set([...text.matchAll(PROPER)].map(({ index }) => index));
  return text.replace(ALL_HIDDEN, (character, at: number) =>
    proper.has(at) ? character : isHalf(character) ? '\ufffd' : '',
  );
}

/** Half of a surrogate pair: something was there, so something stays. */
function isHalf(character: string): boolean {
  return /^[\ud800-\udfff]$/.test(character);
}
