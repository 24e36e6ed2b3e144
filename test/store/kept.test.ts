import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Proposal } from '../../src/domain/proposal.ts';
import type { FeedRow, LogRow } from '../../src/ports/sync-store.ts';
import { KEPT } from '../../src/store/kept.ts';
import { createSyncStore } from '../../src/store/sync/sync-store.ts';
import { logIdAt } from '../../src/sync/host/log-ids.ts';
import { describeStores, type FreshDatabase } from '../support/databases.ts';
import { aProposal, NOW } from './rows.ts';

const DAY_MS = 86_400_000;
const times = { now: NOW, historyBefore: NOW - 90 * DAY_MS };
const [OLD, YOUNG] = [NOW - 91 * DAY_MS, NOW - 89 * DAY_MS];

const change = (at: number): Omit<FeedRow, 'bot' | 'seq'> => ({
  ...{ type: 'updated', kind: 'party', localId: 'p1', object: 'Contact', sfId: null, changes: {} },
  at,
});
const logged = (at: number): LogRow => ({
  ...{ bot: 'demo', orgId: '00D', kind: 'party', localId: 'p1', object: 'Contact', sfId: null, operation: 'none' },
  ...{ direction: 'to_crm', status: 'success', changes: [], reason: 'r', calls: 0, error: null, batch: null },
  id: `${logIdAt(at)}-00000-000000000000`,
  at,
});

describeStores((name, openFresh) => {
  const tablesOf = async ({ database }: FreshDatabase): Promise<string[]> => {
    const query =
      name === 'SQLite'
        ? sql<{ name: string }>`select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`
        : sql<{
            name: string;
          }>`select table_name as name from information_schema.tables where table_schema = current_schema()`;
    return (await query.execute(database.kysely)).rows
      .map((row) => row.name)
      .filter((one) => one !== 'gatehouse_schema');
  };

  it('every table has a time after which its rows go, or a reason why they stay, also one that comes later [X7]', async () => {
    await using fresh = await openFresh();
    expect((await tablesOf(fresh)).sort()).toEqual(Object.keys(KEPT).sort());
    // Every statement is one that the database takes.
    await fresh.store.clearPast(times);
  });

  it('logs, talks and ended proposals go after their time, what is open or not told stays [X7]', async () => {
    await using fresh = await openFresh();
    const { store, database } = fresh;
    const sync = createSyncStore(database);
    const ended = (id: string, more: Partial<Proposal>) =>
      store.proposals.insert(aProposal({ id, settledAt: OLD, ...more }));
    await ended('done', { state: 'done' });
    await ended('young', { state: 'done', settledAt: YOUNG });
    await ended('unknown', { state: 'unknown' });
    await ended('waits', { state: 'pending', settledAt: null });
    await ended('refused-list', { state: 'rejected' });
    await sql`insert into asked values ('link', 'demo', 1, 'd', 'refused-list', 1)`.execute(database.kysely);
    await sync.log.add([logged(OLD), logged(YOUNG)]);
    for (const [id, at] of [
      ['old', OLD],
      ['new', YOUNG],
    ] as const) {
      const talk = {
        id,
        bot: 'demo',
        owner: 'o',
        session: null,
        context: null,
        cards: '[]',
        orgId: null,
        userId: null,
        createdAt: at,
        updatedAt: at,
      };
      await store.conversations.create({ ...talk, turn: 't', turnUntil: 0 });
      await store.conversations.append(id, 't', at, ['hello']);
    }
    await store.counters.add('calls', OLD, 1);
    await store.counters.add('calls', YOUNG, 1);
    await store.values.set('kind', 'dead', 'x', NOW - 1);
    await store.values.set('kind', 'for ever', 'x', null);

    await store.clearPast(times);

    const left = await store.proposals.list({ limit: 10 });
    expect(left.map(({ id }) => id).sort()).toEqual(['refused-list', 'unknown', 'waits', 'young']);
    expect((await sync.log.find('demo', { limit: 10 })).map(({ at }) => at)).toEqual([YOUNG]);
    expect([await store.conversations.get('old'), await store.conversations.messages('old')]).toEqual([undefined, []]);
    expect(await store.conversations.messages('new')).toHaveLength(1);
    expect(await store.counters.sum('calls', 0)).toBe(0);
    expect(await database.all('select "key" from "keptValues"', [])).toEqual([{ key: 'for ever' }]);
  });

  it('the feed goes from its beginning, and nothing of it that the webhook was not told [S7] [X7]', async () => {
    await using fresh = await openFresh();
    const { feed, webhooks } = createSyncStore(fresh.database);
    // The clock of whoever wrote the fourth was behind.
    await feed.add('demo', [OLD, OLD, YOUNG, OLD].map(change));
    await feed.add('told', [OLD, OLD, OLD].map(change));
    await feed.add('off', [OLD, OLD].map(change));
    for (const [bot, state] of [
      ['told', 'on'],
      ['off', 'off'],
    ] as const)
      await webhooks.put({
        ...{ bot, url: 'https://x.example', secret: 's', state, delivered: bot === 'told' ? 1 : 0 },
        ...{ leaseUntil: 0, attempts: 0, nextAt: 0, lastError: null },
      });
    await fresh.store.clearPast(times);
    const seqs = async (bot: string) => (await feed.after(bot, 0, 10)).map(({ seq }) => seq);
    expect([await seqs('demo'), await seqs('told'), await seqs('off')]).toEqual([[3, 4], [2, 3], []]);
    await feed.add('off', [change(NOW)]);
    expect(await seqs('off')).toEqual([3]);
  });
});
