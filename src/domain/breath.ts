/** Gives the loop back, so that everybody else has a turn before we go on: for work that is as long as an input is (K4). */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What `work` makes of each, `size` at a time with a breath between. */
export async function inTurns<T, R>(items: readonly T[], size: number, work: (item: T) => R): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) {
    if (made.length > 0 && made.length % size === 0) await breathe();
    made.push(work(item));
  }
  return made;
}
