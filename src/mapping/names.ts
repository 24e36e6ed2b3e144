/** One full name as first and last name, and back. Only the joined form is ever compared, so no split can oscillate. */

/** Words that belong to the family name when they stand before its last word. */
const PARTICLES = new Set(
  'af al av bin bint da dal das de del della den der des di do dos du el ibn la le lo los mac san santa st ten ter van vande vander von zu zum zur'.split(
    ' ',
  ),
);

/** "Jean Claude Van Damme" is Jean Claude, Van Damme. One word alone is a last name: Salesforce requires one. */
export function splitName(name: string): readonly [first: string | null, last: string | null] {
  const words = name.split(/\s+/).filter(Boolean);
  if (words.length === 0) return [null, null];
  let at = words.length - 1;
  while (at > 1 && PARTICLES.has(words[at - 1]?.toLowerCase() ?? '')) at--;
  return [words.slice(0, at).join(' ') || null, words.slice(at).join(' ')];
}

export function joinName(first: unknown, last: unknown): string | null {
  const words = [first, last].flatMap((part) => (typeof part === 'string' ? part.split(/\s+/) : [])).filter(Boolean);
  return words.join(' ') || null;
}
