/** Characters that a person cannot see in what they are asked to approve. Input holding one is refused, never repaired. */

// Controls but tab, LF, CR; soft hyphen; zero-width and direction marks; line and paragraph separators; bidi embeddings,
// overrides and isolates; invisible operators; BOM; interlinear marks; tags; lone surrogates.
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: naming control characters is this file's job
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|\u034f|\u17b4|\u17b5|[\ud800-\udfff]/u;

/** Joiners that belong to a script or an emoji: Persian and Indic spelling, family emoji. */
const PROPER_JOINER =
  /(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Malayalam}\p{M}])[\u200c\u200d](?=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Malayalam}])|(?<=\p{Extended_Pictographic}|\ufe0f|[\u{1f3fb}-\u{1f3ff}])\u200d(?=\p{Extended_Pictographic})/gu;

/** The first hidden character as `U+202E`, or undefined when all can be seen. */
export function hiddenCharacter(text: string): string | undefined {
  const found = HIDDEN.exec(text.replace(PROPER_JOINER, ''))?.[0];
  if (found === undefined) return undefined;
  // A match is never empty.
  return `U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Record text inside one of our own sentences: quoted, on one line, capped, without hidden characters. */
export function quoted(text: string, most = 80): string {
  const clean = withoutHidden(text).replace(/\s+/g, ' ').trim();
  return JSON.stringify(clean.length > most ? `${clean.slice(0, most - 1)}…` : clean);
}

/** Longest text of one record field in an answer; CRM text is data, and a megabyte of it is no answer. */
const MOST_SHOWN = 2_000;

/** What records say, made safe to hand on: without hidden characters, capped, structure kept. */
export function cleanData<T>(value: T, most = MOST_SHOWN): T {
  return cleanValue(value, most) as T; // same shape, only texts differ
}

function cleanValue(value: unknown, most: number): unknown {
  if (typeof value === 'string') {
    const text = HIDDEN.test(value) ? withoutHidden(value) : value;
    return text.length > most ? `${text.slice(0, most)}… [cut: ${text.length} characters]` : text;
  }
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, most));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cleanValue(inner, most)]));
}

/** Joiners that spell a word or an emoji stay. */
function withoutHidden(text: string): string {
  const proper = new Set([...text.matchAll(PROPER_JOINER)].map(({ index }) => index));
  return text.replace(new RegExp(HIDDEN, 'gu'), (character, at: number) => (proper.has(at) ? character : ''));
}
