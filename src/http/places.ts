import { HttpRefusal } from '../domain/http-refusal.ts';
import type { Route } from '../ports/route.ts';

/** So many bodies of a route at one time: twenty large ones at once are twenty times the memory, held by whoever sends slowly. */
export interface Places {
  /** Who holds the places of one sender with slow bodies leaves the others theirs. */
  within<T>(route: Pick<Route, 'path' | 'mostAtOnce'>, sender: string, work: () => Promise<T>): Promise<T>;
}

/** Senders that may be full at one time before the route is. */
const FULL_SENDERS = 4;

export function createPlaces(): Places {
  const taken = new Map<string, number>();
  return {
    async within({ path, mostAtOnce }, sender, work) {
      if (mostAtOnce === undefined) return work();
      const places = [
        { name: `route ${path}`, most: mostAtOnce * FULL_SENDERS },
        { name: `sender ${sender}`, most: mostAtOnce },
      ];
      if (places.some(({ name, most }) => (taken.get(name) ?? 0) >= most))
        throw new HttpRefusal(503, 'rate_limited', 'Too much is being received at this moment.', {
          next: 'Send it again in a few seconds.',
          retryable: true,
          retryAfterMs: 5_000,
        });
      for (const { name } of places) taken.set(name, (taken.get(name) ?? 0) + 1);
      try {
        return await work();
      } finally {
        for (const { name } of places) {
          const left = (taken.get(name) ?? 1) - 1;
          if (left === 0) taken.delete(name);
          else taken.set(name, left);
        }
      }
    },
  };
}
