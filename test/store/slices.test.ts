import { expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { createSyncStore } from '../../src/store/sync/sync-store.ts';
import { describeStores, type FreshDatabase } from '../support/databases.ts';
import { sentBy } from '../support/statements.ts';

const MANY = 4_500;

async function filled({ store, database }: FreshDatabase) {
  const rest = { audience: 'internal', profile: 'internal', createdAt: 1, grants: [] } as const;
  for (const name of ['demo', 'other']) await store.bots.create({ name, ...rest, policy: shippedPolicy('internal') });
  const sync = createSyncStore(database);
  for (const bot of ['demo', 'other']) {
    const count = bot === 'demo' ? MANY : 3;
    const ids = Array.from({ length: count }, (_, n) => `e${n}`);
    const event = { bot, orgId: '00D', object: 'Contact', sfId: '003', kind: 'poll', receivedAt: 1 } as const;
    await sync.inbox.add(ids.map((eventId) => ({ ...event, eventId })));
    await sync.inbox.finish(bot, ids, 10);
  }
  return sync;
}

describeStores((name, openFresh) => {
  const deletes = (sent: readonly string[], table: string) =>
    sent.filter((sql) => sql.startsWith(`delete from "${table}"`));
  const left = async ({ database }: FreshDatabase) =>
    database.all<{ bot: string }>('select "bot" from inbox group by "bot" order by "bot"', []);

  it('deletes a bot of any size in statements of bounded size, the bot itself last, and nobody else [X3] [X7]', async () => {
    await using fresh = await openFresh();
    await filled(fresh);
    const sent = await sentBy(() => fresh.store.bots.remove('demo'));
    const begin = sent.findIndex((sql) => /^begin/i.test(sql));
    // Whoever is stopped before that finds the bot there still, and deletes it again.
    const slices = deletes(sent.slice(0, begin), 'inbox');
    expect(slices).toHaveLength(3);
    for (const sql of slices) expect(sql).toMatch(/limit 2000/);
    expect(deletes(sent.slice(0, begin), 'bots')).toEqual([]);
    // Links before people: a link whose person is gone would be taken for one that the host has deleted.
    const place = (table: string) => sent.findIndex((sql) => sql.startsWith(`delete from "${table}"`));
    expect(place('links')).toBeLessThan(place('hostRecords'));
    expect(await fresh.store.bots.get('demo')).toBeUndefined();
    expect(await left(fresh)).toEqual([{ bot: 'other' }]);
    expect(await fresh.store.bots.remove('demo')).toBe(false);
  });

  it('lets used events go in bounded statements by an index, and keeps the rest [X3]', async () => {
    await using fresh = await openFresh();
    const sync = await filled(fresh);
    expect(
      await sync.inbox.add([
        { bot: 'demo', orgId: '00D', object: 'Contact', sfId: '003', kind: 'poll', receivedAt: 1, eventId: 'new' },
      ]),
    ).toBe(1);
    const sent = await sentBy(() => fresh.store.clearPast({ now: 11 + 7 * 86_400_000, historyBefore: 0 }));
    expect(deletes(sent, 'inbox')).toHaveLength(3);
    expect(await left(fresh)).toEqual([{ bot: 'demo' }]);
    if (name === 'SQLite') {
      const plan = await fresh.database.all<object>(`explain query plan ${deletes(sent, 'inbox')[0]}`, []);
      expect(JSON.stringify(plan)).toContain('INDEX inbox_done');
    }
  });
});
