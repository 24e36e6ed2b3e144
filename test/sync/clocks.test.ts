import { describe, expect, it } from 'vitest';
import type { WebhookTarget } from '../../src/ports/sync-store.ts';
import { deliver } from '../../src/sync/webhooks/deliver.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

/** A webhook with one message to send, and how often it was sent. */
async function withWebhook(world: SyncWorld, more: Partial<WebhookTarget> = {}) {
  let sent = 0;
  const deps = {
    ...world.delivery,
    hooks: {
      refuse: async () => undefined,
      post: async () => {
        sent += 1;
        return 200;
      },
    },
  };
  await world.store.webhooks.put({
    bot: 'demo',
    url: 'https://host.example/hook',
    secret: deps.cipher.encrypt('whsec_c2VjcmV0'),
    delivered: await world.store.feed.head('demo'),
    attempts: 0,
    nextAt: 0,
    leaseUntil: 0,
    state: 'on',
    lastError: null,
    ...more,
  });
  await world.store.feed.add('demo', [
    {
      type: 'changed',
      kind: 'record',
      localId: 'p1',
      object: 'Contact',
      sfId: '003000000000001AAA',
      changes: {},
      at: world.clock.now,
    } as never, // whatever a row of the feed holds, this test looks at the lease alone
  ]);
  return { deps, sent: () => sent };
}

/** Leases of the sync among processes whose clocks differ. */

describe('leases of the sync', () => {
  describeStores((_, openFresh) => {
    it('a process whose clock differs claims nothing that another one holds, until it stood still for a lease [K6] [sync-P8]', async () => {
      for (const skewMs of [300_000, -300_000]) {
        await using world = await createSyncWorld(openFresh);
        await world.put('p1', { email: 'ada@example.com', name: 'Ada Byron' });
        let reach = () => {};
        const reached = new Promise<void>((resolve) => {
          reach = resolve;
        });
        const stalled = world.process({
          crash: (point) => (point === 'merged' ? new Promise<void>(() => reach()) : undefined),
        });
        void stalled.sync.runner.runAllDue('demo', await stalled.org()).catch(() => {});
        await reached;
        const other = world.process({ skewMs });
        const drain = async () => other.sync.runner.runAllDue('demo', await other.org());
        expect(await drain()).toBe(0);
        world.clock.advance(119_000);
        expect(await drain(), 'not a second too early').toBe(0);
        expect(await world.records()).toHaveLength(0);
        world.clock.advance(2_000);
        expect(await drain()).toBe(1);
        // Without our field it waits until what the other one sent cannot come any more.
        world.clock.advance(600_000 + Math.abs(skewMs));
        await drain();
        expect(await world.records()).toHaveLength(1);
      }
    });

    it('a clock that was ahead holds no record and no webhook for longer than their own longest pause [K6]', async () => {
      await using world = await createSyncWorld(openFresh);
      await world.put('p1', { email: 'ada@example.com', name: 'Ada Byron' });
      await world.control('POST', 'faults', { type: 'lock', times: 20 });
      const ahead = world.process({ skewMs: 3_600_000 });
      await ahead.sync.runner.runAllDue('demo', await ahead.org());
      await world.control('POST', 'faults', { clear: true });
      expect(await world.records()).toHaveLength(0);
      const right = world.process();
      expect(await right.sync.runner.runAllDue('demo', await right.org())).toBe(1);
      expect(await world.records()).toHaveLength(1);

      const failing = { attempts: 1, nextAt: world.clock.now + 3_600_000, lastError: 'It answered 500.' };
      const { deps, sent } = await withWebhook(world, failing);
      for (const [ms, isTried] of [0, 4_999, 2].map((ms) => [ms, ms === 2] as const)) {
        world.clock.advance(ms);
        await deliver(deps, 'demo');
        expect(sent()).toBe(isTried ? 1 : 0);
      }
    });

    it('a machine whose clock is minutes off that of Salesforce loses no edit, and its status says by how many [K6] [sync-P8]', async () => {
      for (const minutes of [7, -7]) {
        await using world = await createSyncWorld(openFresh);
        await world.control('POST', 'clock', { advanceMs: minutes * 60_000 });
        const sfNow = () => world.clock.now + minutes * 60_000;
        await world.put('p1', { email: 'ada@example.com', name: 'Ada Byron' });
        await world.settle();
        const [record] = await world.records();
        world.clock.advance(60_000);
        // Both sides change one field, the colleague before and after the host.
        await world.put('p1', { jobTitle: 'ours, first' });
        world.clock.advance(20_000);
        await world.edit(String(record?.Id), { Title: 'theirs, later' }, 'Contact', sfNow());
        world.clock.advance(20_000);
        await world.settle();
        expect((await world.host('p1')).fields.jobTitle, `${minutes}`).toBe('theirs, later');
        await world.edit(String(record?.Id), { Title: 'theirs, first' }, 'Contact', sfNow());
        world.clock.advance(20_000);
        await world.put('p1', { jobTitle: 'ours, later' });
        await world.settle();
        expect((await world.records())[0]?.Title, `${minutes}`).toBe('ours, later');
        const side = minutes > 0 ? 'behind' : 'ahead of';
        const { problems = [] } = (await (await world.app.sync()).status('demo')) ?? {};
        expect(problems.map(({ message }) => message)).toContain(
          `The clock of this machine is 7 minutes ${side} that of Salesforce.`,
        );
      }
    });

    it('a machine stamps its edits by its own measure of the clock of Salesforce, not by that of another machine [K6] [S2]', async () => {
      for (const skewMs of [240_000, -240_000]) {
        await using world = await createSyncWorld(openFresh);
        const other = world.process({ skewMs });
        await world.put('p1', { email: 'ada@example.com', name: 'Ada Byron' });
        await world.settle();
        const [record] = await world.records();
        // Both ask Salesforce, and whoever comes last leaves its measure for all.
        await other.party('p1');
        await world.put('p1', { phone: '+1 555 0100' });
        await world.party('p1');
        world.clock.advance(60_000);
        const edits = [
          () => other.sync.hosts.put('demo', 'party', [{ id: 'p1', fields: { jobTitle: 'ours' } }]),
          () => world.edit(String(record?.Id), { Title: 'theirs' }),
        ];
        // Of two edits the later one wins, at whichever machine it was made.
        const [first, last] = skewMs > 0 ? edits : edits.reverse();
        await first?.();
        world.clock.advance(20_000);
        await last?.();
        await world.settle();
        expect((await world.host('p1')).fields.jobTitle, `${skewMs}`).toBe(skewMs > 0 ? 'theirs' : 'ours');
      }
    });

    it('a webhook that another one is sending is left to it, whatever the time in its lease [K6] [S7]', async () => {
      await using world = await createSyncWorld(openFresh);
      const { deps, sent } = await withWebhook(world);
      // Held by a machine whose clock is an hour behind: by ours it is long over.
      await world.store.webhooks.lease('demo', 0, world.clock.now - 3_600_000);
      expect(await deliver(deps, 'demo')).toBe(0);
      world.clock.advance(119_000);
      expect(await deliver(deps, 'demo')).toBe(0);
      world.clock.advance(2_000);
      expect(await deliver(deps, 'demo')).toBe(1);
      expect(sent()).toBe(1);
    });
  });
});
