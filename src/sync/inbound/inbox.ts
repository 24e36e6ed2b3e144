import type { Scope } from '../../domain/link.ts';
import { receivedId, toId18 } from '../../domain/salesforce-id.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { FeedRow, InboxRow } from '../../ports/sync-store.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { readRecords, type SubscribedRecord } from '../webhooks/subscribed-records.ts';

export const EVENTS_PER_READ = 500;

/**
 * Uses up stored events. An event only says which record to look at: its link is marked for reading, once however often the event
 * came, and a subscribed record is read from the org, so that the feed holds what Salesforce answered and nothing a message claims.
 */
export async function useInbox(deps: SyncDeps, bot: string, org: SyncOrg): Promise<number> {
  const { store, now, crash } = deps;
  const scope: Scope = { bot, orgId: org.orgId };
  let used = 0;
  for (;;) {
    const events = await store.inbox.pending(scope, EVENTS_PER_READ);
    if (events.length === 0) return used;
    const shown = await readSubscribed(deps, bot, org, events);
    used += await store.atomically(async (inside) => {
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
      // A message and a poll, or the same message again, may name one change: it is told once.
      const states = new Map(
        shown.filter((record) => named.has(placeOf(record))).map((record) => [record.sfId, record]),
      );
      const news = await inside.told.news(scope, [...states.values()], now());
      await inside.feed.add(
        bot,
        news.flatMap((sfId) => toFeed(states.get(sfId), org.clock())),
      );
      return mine.size;
    });
    await crash?.('inbox-finished');
  }
}

/** One bad Id in a query fails the whole of it, so one that came from outside must be right to its check characters. */
function realId({ kind, sfId }: InboxRow): readonly string[] {
  const verdict = toId18(sfId);
  if ('id' in verdict) return [verdict.id];
  return kind === 'poll' ? [receivedId(sfId) ?? []].flat() : [];
}

const placeOf = ({ object, sfId }: Pick<InboxRow, 'object' | 'sfId'>): string => `${object}/${sfId}`;

/** One packed read of every record that these events name and the host app asked to be told of. */
async function readSubscribed(
  { store, policyOf }: SyncDeps,
  bot: string,
  org: SyncOrg,
  events: readonly InboxRow[],
): Promise<readonly SubscribedRecord[]> {
  const asked = (await store.subscriptions.list(bot)).flatMap(({ object, fields }) => {
    const ids = events.filter((event) => event.object === object).flatMap(realId);
    return ids.length > 0 ? [{ object, fields, ids }] : [];
  });
  return asked.length === 0 ? [] : readRecords(org, openedBy(await policyOf(bot)), asked);
}

function toFeed(record: SubscribedRecord | undefined, at: number): Omit<FeedRow, 'bot' | 'seq'>[] {
  if (!record) return [];
  const { object, sfId, fields } = record;
  const changes = Object.fromEntries(Object.entries(fields).map(([name, after]) => [name, { before: null, after }]));
  return [{ type: 'record', kind: 'record', localId: '', object, sfId, changes, at }];
}
