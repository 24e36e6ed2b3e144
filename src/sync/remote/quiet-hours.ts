import { endOfHours } from '../../domain/wall-clock.ts';
import type { SyncDeps } from '../../ports/sync.ts';

/** Until when the sync of this bot does nothing by itself; undefined where it may. What a person asks for goes at any time. */
export async function quietUntil(
  { store, now }: Pick<SyncDeps, 'store' | 'now'>,
  bot: string,
): Promise<number | undefined> {
  const hours = await store.quiet.get(bot);
  return hours && endOfHours(hours, now());
}
