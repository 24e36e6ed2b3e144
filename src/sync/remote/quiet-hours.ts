import { endOfHours, type Hours } from '../../domain/wall-clock.ts';
import type { SyncDeps } from '../../ports/sync.ts';

/** Until when the sync of this bot does nothing by itself; undefined where it may. What a person asks for goes at any time. */
export async function quietUntil(
  { store, now }: Pick<SyncDeps, 'store' | 'now'>,
  bot: string,
): Promise<number | undefined> {
  const hours = await store.quiet.get(bot);
  return hours && endOfHours(hours, now());
}

/** As they are shown: `endsAt` while they last. */
export interface ShownHours extends Hours {
  readonly endsAt?: string;
}

export async function shownHours(
  { store, now }: Pick<SyncDeps, 'store' | 'now'>,
  bot: string,
): Promise<ShownHours | undefined> {
  const hours = await store.quiet.get(bot);
  if (hours === undefined) return undefined;
  const { from, until, zone } = hours;
  const ends = endOfHours(hours, now());
  return { from, until, zone, ...(ends === undefined ? {} : { endsAt: new Date(ends).toISOString() }) };
}
