import type { CompiledQuery, KyselyPlugin } from 'kysely';

/** Marks the statements of one Kysely as such that no write to the disk is waited for. */

const unsynced = new WeakSet<object>();

export const markUnsynced: KyselyPlugin = {
  transformQuery({ node }) {
    const own = { ...node };
    unsynced.add(own);
    return own;
  },
  transformResult: async ({ result }) => result,
};

export function isUnsynced({ query }: CompiledQuery): boolean {
  return unsynced.has(query);
}
