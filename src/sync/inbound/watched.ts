import { GatehouseError } from '../../domain/errors.ts';
import { KINDS } from '../../domain/mapping.ts';
import type { ObjectDescribe } from '../../domain/record.ts';
import { isEventObject } from '../../domain/subscription.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import type { SyncStore } from '../../ports/sync-store.ts';
import { mappingOf } from '../remote/target.ts';

/** Custom channels by the name of their object in lower case: the mapping's, else that of the subscription. */
export async function customChannels(store: SyncStore, bot: string): Promise<ReadonlyMap<string, string>> {
  const subscribed = await store.subscriptions.list(bot);
  const mapped = await Promise.all(KINDS.map((kind) => mappingOf(store, bot, kind)));
  return new Map(
    [...subscribed, ...mapped].flatMap(({ object, channel }) =>
      channel && !isEventObject(object) ? [[object.toLowerCase(), channel] as const] : [],
    ),
  );
}

/** Objects whose records the poll looks at, and change events are asked for. A platform event has no records. */
export async function watchedObjects(store: SyncStore, bot: string): Promise<Set<string>> {
  const subscribed = (await store.subscriptions.list(bot)).map(({ object }) => object);
  const objects = new Set(subscribed.filter((object) => !isEventObject(object)));
  for (const kind of KINDS) objects.add((await mappingOf(store, bot, kind)).object);
  return objects;
}

/** Of those that the org has. */
export async function watchedDescribes(
  store: SyncStore,
  bot: string,
  org: Pick<SyncOrg, 'describe'>,
): Promise<readonly ObjectDescribe[]> {
  const found: ObjectDescribe[] = [];
  for (const object of await watchedObjects(store, bot)) {
    const describe = await org.describe(object).catch(notThere);
    if (describe) found.push(describe);
  }
  return found;
}

function notThere(error: unknown): undefined {
  if (error instanceof GatehouseError && error.code === 'not_found') return undefined;
  throw error;
}
