import type { Scope } from '../../domain/link.ts';
import { receivedId, toId18 } from '../../domain/salesforce-id.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { FeedRow, InboxRow, SyncStore } from '../../ports/sync-store.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { type Asked, readRecords, type SubscribedRecord } from '../webhooks/subscribed-records.ts';
import { decideTransitions, type Look, Overtaken } from '../webhooks/transitions.ts';
import { type Found, readFound, tellFound } from './found.ts';

export const EVENTS_PER_READ = 500;

/**
 * Uses up stored events. An event only says which record to look at: its link is marked for reading, once however often the event
 * came, and a subscribed record is read from the org, so that the feed holds what Salesforce answered and nothing a message claims.
 */
export async function useInbox(deps: SyncDeps, bot: string, org: SyncOrg): Promise<number> {
  const { store, crash } = deps;
  const scope: Scope = { bot, orgId: org.orgId };
  let used = 0;
  for (;;) {
    const events = await store.inbox.pending(scope, EVENTS_PER_READ);
    if (events.length === 0) return used;
    const shown = await readSubscribed(deps, scope, org, events);
    const found = await readFound(
      deps,
      scope,
      org,
      events.flatMap((event) => realId(event).map((sfId) => ({ object: event.object, sfId }))),
    );
    const done = await use(deps, scope, org, events, { ...shown, found }).catch(unlessOvertaken);
    if (done === undefined) continue;
    used += done;
    await crash?.('inbox-finished');
  }
}

function unlessOvertaken(error: unknown): undefined {
  if (error instanceof Overtaken) return undefined;
  throw error;
}

/** All that these events come to, in one transaction. */
function use(
  { store, now }: SyncDeps,
  scope: Scope,
  org: SyncOrg,
  events: readonly InboxRow[],
  { records, looks, found }: Shown & { readonly found: readonly Found[] },
): Promise<number> {
  const { bot } = scope;
  return store.atomically(async (inside) => {
    const mine = new Set(
      await inside.inbox.finish(
        bot,
        events.map((event) => event.eventId),
        now(),
      ),
    );
    const fresh = events.filter((event) => mine.has(event.eventId));
    const linked = await inside.links.bySf(
      scope,
      fresh.filter((event) => event.kind !== 'poll').map((event) => event.sfId),
    );
    await inside.links.touch(
      linked.filter((link) => link.state !== 'unlinked').map((link) => link.id),
      'event from Salesforce',
      true,
      now(),
    );
    const named = new Set(fresh.map(placeOf));
    const shown = records.filter((record) => named.has(placeOf(record)));
    const told = [
      ...(await toldOnce(inside, scope, shown, looks, now())),
      ...(await becoming(inside, scope, shown, looks)),
    ];
    const changed = changedIn(fresh);
    const at = org.clock();
    const rows = told.map((record) => toFeed(record, changed.get(placeOf(record)), at));
    await inside.feed.add(bot, [...rows, ...(await tellFound(inside, scope, found, at))]);
    return mine.size;
  });
}

/** A message and a poll, or the same message again, may name one change: it is told once. */
async function toldOnce(
  inside: SyncStore,
  scope: Scope,
  shown: readonly SubscribedRecord[],
  looks: Shown['looks'],
  now: number,
): Promise<readonly SubscribedRecord[]> {
  const states = new Map(shown.filter(({ object }) => !looks.has(object)).map((record) => [record.sfId, record]));
  const news = await inside.told.news(scope, [...states.values()], now);
  return news.flatMap((sfId) => states.get(sfId) ?? []);
}

async function becoming(
  inside: SyncStore,
  scope: Scope,
  shown: readonly SubscribedRecord[],
  looks: Shown['looks'],
): Promise<readonly SubscribedRecord[]> {
  const told: SubscribedRecord[] = [];
  for (const look of looks.values()) {
    const records = shown.filter(({ object }) => object === look?.object);
    if (look) told.push(...(await decideTransitions(inside, scope, look, records)));
  }
  return told;
}

/** What the change events among them named, by record. */
function changedIn(events: readonly InboxRow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const named = new Map<string, Set<string>>();
  for (const event of events) {
    if (!event.changed) continue;
    const place = placeOf(event);
    named.set(place, new Set([...(named.get(place) ?? []), ...event.changed]));
  }
  return named;
}

/** One bad Id in a query fails the whole of it, so one that came from outside must be right to its check characters. */
function realId({ kind, sfId }: InboxRow): readonly string[] {
  const verdict = toId18(sfId);
  if ('id' in verdict) return [verdict.id];
  return kind === 'poll' ? [receivedId(sfId) ?? []].flat() : [];
}

const placeOf = ({ object, sfId }: Pick<InboxRow, 'object' | 'sfId'>): string => `${object}/${sfId}`;

interface Shown {
  readonly records: readonly SubscribedRecord[];
  /** Of objects that are told of by transitions alone; undefined where nobody looked in this org who made them already. */
  readonly looks: ReadonlyMap<string, Look | undefined>;
}

/** One packed read of every record that these events name and the host app asked to be told of. */
async function readSubscribed(
  { store, policyOf }: SyncDeps,
  scope: Scope,
  org: SyncOrg,
  events: readonly InboxRow[],
): Promise<Shown> {
  const asked: Asked[] = [];
  const looks = new Map<string, Look | undefined>();
  for (const { object, fields, when } of await store.subscriptions.list(scope.bot)) {
    const ids = events.filter((event) => event.object === object).flatMap(realId);
    if (ids.length === 0) continue;
    asked.push({ object, fields, ids, watched: when?.field });
    if (!when) continue;
    // Before the read: what is decided rests on values that are younger than the decision before it.
    const number = await store.transitions.looks(scope, object, when);
    looks.set(object, number === undefined ? undefined : { object, when, looks: number });
  }
  const records = asked.length === 0 ? [] : await readRecords(org, openedBy(await policyOf(scope.bot)), asked);
  return { records, looks };
}

function toFeed(
  { object, sfId, fields }: SubscribedRecord,
  changed: ReadonlySet<string> | undefined,
  at: number,
): Omit<FeedRow, 'bot' | 'seq'> {
  const changes = Object.fromEntries(Object.entries(fields).map(([name, after]) => [name, { before: null, after }]));
  const named = Object.keys(fields).filter((name) => changed?.has(name));
  const told = { type: 'record', kind: 'record', localId: '', object, sfId, changes, at } as const;
  return named.length === 0 ? told : { ...told, changed: named };
}
