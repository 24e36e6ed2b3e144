/** One full name as first and last name, and back. Only the joined form is ever compared, so no split can oscillate. */

/** Words that belong to the family name when they stand before its last word. */
const PARTICLES = new Set(
  'af al av bin bint da dal das de del della den der des di do dos du el ibn la le lo los mac san santa st ten ter van vande vander von zu zum zur'.split(
    ' ',
  ),
);

/** How the record that is written to has it now. */
export interface PresentName {
  readonly first: unknown;
  readonly last: unknown;
}

/**
 * "Jean Claude Van Damme" is Jean Claude, Van Damme. One word alone is a last name: Salesforce requires one. Where the record has a
 * name already, what people made of it there decides: "García Márquez" stays one last name, whatever comes before it.
 */
export function splitName(name: string, present?: PresentName): readonly [first: string | null, last: string | null] {
  const words = name.split(/\s+/).filter(Boolean);
  if (words.length === 0) return [null, null];
  const at = (present && asPresent(words, present)) ?? byParticles(words);
  return [words.slice(0, at).join(' ') || null, words.slice(at).join(' ')];
}

function byParticles(words: readonly string[]): number {
  let at = words.length - 1;
  while (at > 1 && PARTICLES.has(words[at - 1]?.toLowerCase() ?? '')) at--;
  return at;
}

/** Where the new name still ends in the last name or begins with the first; undefined where it tells nothing of either. */
function asPresent(words: readonly string[], present: PresentName): number | undefined {
  const [first, last] = [present.first, present.last].map((part) => folded(wordsOf(part)));
  const fresh = folded(words);
  if (!first || !last || last.length === 0) return undefined;
  const isEqual = (a: readonly string[], b: readonly string[]) =>
    a.length === b.length && a.every((one, i) => one === b[i]);
  if (fresh.length >= last.length && isEqual(fresh.slice(-last.length), last)) return fresh.length - last.length;
  const beginsAlike = first.length > 0 && fresh.length > first.length && isEqual(fresh.slice(0, first.length), first);
  // A last name of several words was corrected, or one followed a first name of several.
  return beginsAlike && (last.length > 1 || first.length > 1) ? first.length : undefined;
}

const wordsOf = (part: unknown): string[] => (typeof part === 'string' ? part.split(/\s+/).filter(Boolean) : []);
const folded = (words: readonly string[]): string[] =>
  words.map((word) => word.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase());

export function joinName(first: unknown, last: unknown): string | null {
  return [first, last].flatMap(wordsOf).join(' ') || null;
}
