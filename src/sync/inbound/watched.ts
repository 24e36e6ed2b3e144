import { KINDS } from '../../domain/mapping.ts';
import { isEventObject } from '../../domain/subscription.ts';
import type { SyncStore } from '../../ports/sync-store.ts';
import { mappingOf } from '../remote/target.ts';

/** Objects whose records the poll looks at, and change events are asked for. A platform event has no records. */
export async function watchedObjects(store: SyncStore, bot: string): Promise<Set<string>> {
  const subscribed = (await store.subscriptions.list(bot)).map(({ object }) => object);
  const objects = new Set(subscribed.filter((object) => !isEventObject(object)));
  for (const kind of KINDS) objects.add((await mappingOf(store, bot, kind)).object);
  return objects;
}
