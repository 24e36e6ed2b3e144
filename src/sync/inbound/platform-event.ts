import type { Fields, FieldValue } from '../../domain/action.ts';
import { isRecord } from '../../domain/is-record.ts';
import type { Scope } from '../../domain/link.ts';
import { eventChannel, isEventObject } from '../../domain/subscription.ts';
import type { FeedRow, InboxRow, Subscription, SyncStore } from '../../ports/sync-store.ts';
import type { Opened } from '../remote/policy-bounds.ts';

/** Platform events: what somebody published, told as it is. It says nothing of records, so nothing is read and no poll can bring one. */

export interface Heard {
  readonly channel: string;
  /** Of the event, however often it is delivered; else its place in the stream. */
  readonly id: string;
  readonly data: unknown;
}

/** Letters of one event's values that are kept. */
const MOST_LETTERS = 64 * 1024;

export const isEventChannel = (channel: string): boolean => channel.startsWith('/event/');

/** Channels that the subscriptions of a bot want, and an event of each. */
export const channelsOf = (subscriptions: readonly Subscription[]): ReadonlyMap<string, string> =>
  new Map(
    subscriptions.flatMap((one) => (isEventObject(one.object) ? [[eventChannel(one), one.object] as const] : [])),
  );

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

function toFeed(
  { channel, id, data }: Heard,
  subscriptions: readonly Subscription[],
  opened: Opened,
  now: number,
): Omit<FeedRow, 'bot' | 'seq'> | undefined {
  const { payload, event } = isRecord(data) ? data : {};
  if (!isRecord(payload)) return undefined;
  const api = isRecord(event) ? event.EventApiName : undefined;
  const wanted = subscriptions.filter((one) => isEventObject(one.object) && eventChannel(one) === channel);
  // A channel of one event tells no name of it in older orgs.
  const subscription = wanted.find(({ object }) => object === api) ?? (api === undefined ? wanted[0] : undefined);
  if (subscription === undefined) return undefined;
  const { object, fields } = subscription;
  const values = plainValues(
    payload,
    fields.filter((name) => opened.isOpen(object, name)),
  );
  const changes = Object.fromEntries(Object.entries(values).map(([name, after]) => [name, { before: null, after }]));
  const at = typeof payload.CreatedDate === 'string' ? Date.parse(payload.CreatedDate) : Number.NaN;
  return { type: 'received', kind: 'event', localId: id, object, sfId: null, changes, at: Number.isNaN(at) ? now : at };
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
