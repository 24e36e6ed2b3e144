/**
 * The known names that a mistyped one most likely meant, the nearest first. Pure, and the only one in the house: what is
 * offered must be open to whoever reads it, so the caller says which names are known.
 */
export function nearest(input: string, known: readonly string[], most = 3): readonly string[] {
  const wanted = plain(input.slice(0, MOST_LETTERS));
  return known
    .flatMap((name) => {
      const letters = plain(name);
      const isPart = wanted.length > 2 && letters.length > 2 && (letters.includes(wanted) || wanted.includes(letters));
      const most = Math.max(1, Math.floor(Math.max(wanted.length, letters.length) * 0.34));
      // Each letter that one has more is one to add: what is far by length alone need not be compared.
      if (!isPart && Math.abs(wanted.length - letters.length) > most) return [];
      const distance = distanceOf(wanted, letters);
      return isPart || distance <= most ? [{ name, isPart, distance }] : [];
    })
    .sort(
      (a, b) => a.distance - b.distance || Number(b.isPart) - Number(a.isPart) || a.name.localeCompare(b.name, 'en'),
    )
    .slice(0, most)
    .map(({ name }) => name);
}

const MOST_LETTERS = 100;

/** Case, underscores and the ending of custom names are what people leave out. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/__c$/, '')
    .replace(/[_\s-]/g, '');
}

/** Letters to add, drop or replace; two that changed places count once. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced, swapped));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
