/** Ids that sort by time, also within one millisecond of one process. */
export function createLogIds(now: () => number, newId: () => string): () => string {
  let lastAt = 0;
  let count = 0;
  return () => {
    const at = Math.max(now(), lastAt);
    count = at === lastAt ? count + 1 : 0;
    lastAt = at;
    return `${logIdAt(at)}-${count.toString(36).padStart(5, '0')}-${newId().slice(0, 12)}`;
  };
}

export const isLogId = (text: string): boolean => /^[0-9a-z]{9}-[0-9a-z]{5}-[\w-]{1,12}$/.test(text);

/** What the ids of rows of this millisecond begin with. */
export const logIdAt = (at: number): string => at.toString(36).padStart(9, '0');
