import type { Fields, FieldValue } from '../../domain/action.ts';
import { isRecord } from '../../domain/is-record.ts';
import type { Scope } from '../../domain/link.ts';
import { toId18 } from '../../domain/salesforce-id.ts';
import { eventChannel, isEventObject } from '../../domain/subscription.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import type { FeedRow, InboxRow, Subscription, SyncStore } from '../../ports/sync-store.ts';
import type { Opened } from '../remote/policy-bounds.ts';
import { watchedDescribes } from './watched.ts';

/**
 * Platform events: what somebody published, told as it is, and no poll can bring one. Where the subscription says which field names a
 * record, that record is looked at.
 */

export interface Heard {
  readonly channel: string;
  /** Of the event, however often it is delivered; else its place in the stream. */
  readonly id: string;
  readonly data: unknown;
}

/** Letters of one event's values that are kept. */
const MOST_LETTERS = 64 * 1024;

export const isEventChannel = (channel: string): boolean => channel.startsWith('/event/');

/** Channels that the subscriptions of a bot want, and the events of each. */
export function channelsOf(subscriptions: readonly Subscription[]): ReadonlyMap<string, readonly string[]> {
  const channels = new Map<string, readonly string[]>();
  for (const one of subscriptions) {
    if (!isEventObject(one.object)) continue;
    const channel = eventChannel(one);
    channels.set(channel, [...(channels.get(channel) ?? []), one.object]);
  }
  return channels;
}

/** The id that an event bears; undefined where it bears none that can be one. */
export function uuidOf(data: unknown): string | undefined {
  const { EventUuid: id } = isRecord(data) && isRecord(data.event) ? data.event : {};
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : undefined;
}

/**
 * Rows of the feed for those that come for the first time, in the transaction that moves the place of their channel. What the
 * subscription does not name, policy closes or is no plain value is left out, so is what no subscription asked for.
 */
export async function keepPlatformEvents(
  inside: SyncStore,
  scope: Scope,
  events: readonly Heard[],
  {
    subscriptions,
    opened,
    now,
  }: { readonly subscriptions: readonly Subscription[]; readonly opened: Opened; readonly now: number },
): Promise<readonly Omit<FeedRow, 'bot' | 'seq'>[]> {
  const told = new Map(
    events.flatMap((event) => {
      const row = toFeed(event, subscriptions, opened, now);
      return row ? [[`pe:${event.channel}:${event.id}`, row] as const] : [];
    }),
  );
  const markers = [...told].map(
    ([eventId, { object }]): InboxRow => ({ ...scope, eventId, object, sfId: '', kind: 'event', receivedAt: now }),
  );
  await inside.inbox.add(markers);
  const first = new Set(await inside.inbox.finish(scope.bot, [...told.keys()], now));
  return [...told].flatMap(([eventId, row]) => (first.has(eventId) ? [row] : []));
}

/** The records that they name, of objects that are looked at anyway: an id of any other is nobody's here. */
export async function recordHints(
  {
    store,
    org,
    opened,
    subscriptions,
    now,
  }: {
    readonly store: SyncStore;
    readonly org: Pick<SyncOrg, 'describe'>;
    readonly opened: Opened;
    readonly subscriptions: readonly Subscription[];
    readonly now: number;
  },
  scope: Scope,
  events: readonly Heard[],
): Promise<readonly InboxRow[]> {
  const named = events.flatMap((event) => {
    const { subscription, payload } = wantedBy(event, subscriptions) ?? {};
    const field = subscription?.recordIdField;
    if (!field || !opened.isOpen(subscription.object, field)) return [];
    const value = payload?.[field];
    const verdict = typeof value === 'string' ? toId18(value) : undefined;
    return verdict && 'id' in verdict ? [{ eventId: `pe:${event.channel}:${event.id}:record`, sfId: verdict.id }] : [];
  });
  if (named.length === 0) return [];
  const objects = new Map<string, string>();
  for (const { name, keyPrefix } of await watchedDescribes(store, scope.bot, org))
    if (keyPrefix !== null) objects.set(keyPrefix, name);
  return named.flatMap(({ eventId, sfId }) => {
    const object = objects.get(sfId.slice(0, 3));
    return object === undefined ? [] : [{ ...scope, eventId, object, sfId, kind: 'event' as const, receivedAt: now }];
  });
}

/** The subscription that asked for an event, and what was published; undefined where none did. */
function wantedBy({ channel, data }: Pick<Heard, 'channel' | 'data'>, subscriptions: readonly Subscription[]) {
  const { payload, event } = isRecord(data) ? data : {};
  if (!isRecord(payload)) return undefined;
  const api = isRecord(event) ? event.EventApiName : undefined;
  const wanted = subscriptions.filter((one) => isEventObject(one.object) && eventChannel(one) === channel);
  // A channel of one event tells no name of it in older orgs.
  const subscription = wanted.find(({ object }) => object === api) ?? (api === undefined ? wanted[0] : undefined);
  return subscription && { subscription, payload };
}

function toFeed(
  event: Heard,
  subscriptions: readonly Subscription[],
  opened: Opened,
  now: number,
): Omit<FeedRow, 'bot' | 'seq'> | undefined {
  const found = wantedBy(event, subscriptions);
  if (found === undefined) return undefined;
  const { payload } = found;
  const { object, fields } = found.subscription;
  const values = plainValues(
    payload,
    fields.filter((name) => opened.isOpen(object, name)),
  );
  const changes = Object.fromEntries(Object.entries(values).map(([name, after]) => [name, { before: null, after }]));
  const at = typeof payload.CreatedDate === 'string' ? Date.parse(payload.CreatedDate) : Number.NaN;
  return {
    type: 'received',
    kind: 'event',
    localId: event.id,
    object,
    sfId: null,
    changes,
    at: Number.isNaN(at) ? now : at,
  };
}

function plainValues(payload: Readonly<Record<string, unknown>>, names: readonly string[]): Fields {
  const values: Record<string, FieldValue> = {};
  let left = MOST_LETTERS;
  for (const name of names) {
    const value = Object.hasOwn(payload, name) ? payload[name] : undefined;
    const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    left -= isPlain ? String(value).length : 0;
    if (isPlain && left >= 0) values[name] = value as FieldValue;
    else if (isPlain) left += String(value).length;
  }
  return values;
}
