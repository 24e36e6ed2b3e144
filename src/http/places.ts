import { HttpRefusal } from '../domain/http-refusal.ts';
import type { Route } from '../ports/route.ts';

/** So many bodies of a route at one time: twenty large ones at once are twenty times the memory, held by whoever sends slowly. */
export interface Places {
  within<T>(route: Pick<Route, 'path' | 'mostAtOnce'>, work: () => Promise<T>): Promise<T>;
}

export function createPlaces(): Places {
  const taken = new Map<string, number>();
  return {
    async within({ path, mostAtOnce }, work) {
      if (mostAtOnce === undefined) return work();
      const before = taken.get(path) ?? 0;
      if (before >= mostAtOnce)
        throw new HttpRefusal(503, 'rate_limited', 'Too much is being received at this moment.', {
          next: 'Send it again in a few seconds.',
          retryable: true,
          retryAfterMs: 5_000,
        });
      taken.set(path, before + 1);
      try {
        return await work();
      } finally {
        taken.set(path, (taken.get(path) ?? 1) - 1);
      }
    },
  };
}
