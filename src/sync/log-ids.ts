/** Ids that sort by time, also within one millisecond of one process. */
export function createLogIds(now: () => number, newId: () => string): () => string {
  let lastAt = 0;
  let count = 0;
  return () => {
    const at = Math.max(now(), lastAt);
    count = at === lastAt ? count + 1 : 0;
    lastAt = at;
    return `${at.toString(36).padStart(9, '0')}-${count.toString(36).padStart(5, '0')}-${newId().slice(0, 8)}`;
  };
}
