/** The known names that a mistyped one most likely meant. Pure. */
export function nearest(input: string, known: readonly string[], most = 3): readonly string[] {
  const wanted = input.slice(0, 100).toLowerCase();
  return known
    .map((name) => ({ name, distance: closeness(wanted, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.ceil(Math.max(wanted.length, name.length) * 0.5)))
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, most)
    .map(({ name }) => name);
}

/** Edit distance; one text within the other counts as one step, since people shorten. */
function closeness(a: string, b: string): number {
  if (a === b) return 0;
  if (a.length >= 3 && (b.includes(a) || a.includes(b))) return 1;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
