/** Rows per collection request, by org. */
export interface ChunkSize {
  of(orgId: string): number;
  /** Halved, down to 50, when the org's triggers choke on it; grown again by ten a call while they do not. */
  adapt(orgId: string, isOverload: boolean): void;
}

/** The most that Salesforce takes in one collection request. */
export const MOST_ROWS = 200;

export function createChunkSize(): ChunkSize {
  const sizes = new Map<string, number>();
  const of = (orgId: string) => sizes.get(orgId) ?? MOST_ROWS;
  return {
    of,
    adapt(orgId, isOverload) {
      const size = of(orgId);
      if (isOverload) sizes.set(orgId, Math.max(50, Math.floor(size / 2)));
      else if (size < MOST_ROWS) sizes.set(orgId, Math.min(MOST_ROWS, size + 10));
    },
  };
}
