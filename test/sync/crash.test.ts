import { describe, expect, it } from 'vitest';
import type { CrashPoint } from '../../src/ports/sync.ts';
import type { HostRecord } from '../../src/ports/sync-store.ts';
import { describeStores } from '../support/databases.ts';
import { Crash, crashAt, createSyncWorld, pair, type SyncWorld } from './world.ts';

/** A dead process frees nothing: its claims end by their leases alone. */
async function die(work: Promise<unknown>): Promise<void> {
  await work.then(
    () => {
      throw new Error('the process survived');
    },
    (error) => {
      if (!(error instanceof Crash)) throw error;
    },
  );
}

async function inStep(world: SyncWorld, id: string) {
  const link = await world.link(id);
  const record = (await world.records()).find((one) => one.Id === link.sfId);
  const { host, salesforce } = pair(await world.host(id), record);
  expect(host).toEqual(salesforce);
  expect(link).toMatchObject({ state: 'active', leaseUntil: 0 });
  return host;
}

const ONE: readonly CrashPoint[] = ['claimed', 'read', 'merged', 'sent', 'acknowledged'];
const CREATE: readonly CrashPoint[] = ['claimed', 'read', 'merged', 'created-sent', 'acknowledged'];
const MANY: readonly CrashPoint[] = ['claimed', 'read', 'merged', 'chunk-sent', 'chunk-acknowledged'];

describeStores((_name, openFresh) => {
  describe.each([{ withoutExternalId: false }, { withoutExternalId: true }])('a process dies, %o', (options) => {
    it.each(CREATE)(
      'at "%s" of a create: one contact, nothing lost, one log row of the create [sync-P8]',
      async (point) => {
        await using world = await createSyncWorld(openFresh, options);
        await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1' });
        await die(world.process({ crash: crashAt(point) }).party('p1'));
        // A colleague edits what the dead process may have made; the host edits too.
        const [made] = await world.records();
        if (made)
          await world.edit(String(made.Id), { Title: 'edited after the crash' }, 'Contact', world.clock.now + 30_000);
        await world.put('p1', { phone: '2' });
        world.clock.advance(200_000);
        await world.settle();
        expect(await world.records()).toHaveLength(1);
        expect(await inStep(world, 'p1')).toMatchObject({
          phone: '2',
          jobTitle: made ? 'edited after the crash' : null,
        });
        const creates = (await world.log('p1')).filter((row) => row.operation === 'create');
        expect(creates).toHaveLength(1);
      },
    );

    it.each(ONE)('at "%s" of an update: the same end as without the crash [sync-P8]', async (point) => {
      await using world = await createSyncWorld(openFresh, options);
      await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1', jobTitle: 'A' });
      const { id } = await world.party('p1');
      world.clock.advance(60_000);
      await world.put('p1', { phone: '2' });
      await world.edit(id, { Title: 'B' });
      world.clock.advance(10_000);
      await die(world.process({ crash: crashAt(point) }).party('p1'));
      world.clock.advance(200_000);
      await world.settle();
      expect(await inStep(world, 'p1')).toMatchObject({ phone: '2', jobTitle: 'B' });
      const effects = (await world.log('p1')).filter((row) => row.operation === 'update');
      expect(effects.map((row) => row.direction).sort()).toEqual(['from_crm', 'to_crm']);
    });

    it.each(MANY)(
      'at "%s" of a batch: every record once, and the newer edit wins [sync-P8] [sync-P21]',
      async (point) => {
        await using world = await createSyncWorld(openFresh, options);
        for (let n = 0; n < 5; n++)
          await world.put(`p${n}`, { email: `p${n}@example.com`, name: `Person ${n}`, phone: '1' });
        const dying = world.process({ crash: crashAt(point) });
        await die(dying.org().then((org) => dying.sync.runner.runAllDue('demo', org)));
        await world.put('p1', { phone: '2' });
        world.clock.advance(200_000);
        await world.settle();
        expect(await world.records()).toHaveLength(5);
        for (let n = 0; n < 5; n++) expect((await inStep(world, `p${n}`)).phone).toBe(n === 1 ? '2' : '1');
        const creates = (await world.log()).filter((row) => row.operation === 'create');
        expect(new Set(creates.map((row) => row.localId)).size).toBe(5);
        expect(creates).toHaveLength(5);
      },
    );
  });

  it('keeps a push of a dead process known although a newer one was sent after it [sync-P7] [sync-P8]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1' });
    await world.party('p1');
    world.clock.advance(60_000);
    for (const phone of ['2', '3', '4']) {
      await world.put('p1', { phone });
      await die(world.process({ hasWatched: true, crash: crashAt(phone === '3' ? 'merged' : 'sent') }).party('p1'));
      world.clock.advance(150_000);
    }
    await world.put('p1', { phone: '5' });
    await world.settle();
    expect(await inStep(world, 'p1')).toMatchObject({ phone: '5' });
    expect((await world.log('p1')).flatMap((row) => row.changes).some((change) => change.winner)).toBe(false);
  });

  it('lets no worker that lost its claim acknowledge anything [sync-P8]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1' });
    await world.party('p1');
    world.clock.advance(60_000);
    await world.put('p1', { phone: 'slow' });
    let isStalled = false;
    const slow = world.process({
      crash: async (point) => {
        if (point !== 'sent' || isStalled) return;
        isStalled = true;
        // The lease ends, another worker takes over and pushes a newer edit.
        world.clock.advance(200_000);
        await world.put('p1', { phone: 'newer' });
        await world.settle();
      },
    });
    await slow.party('p1').catch(() => {});
    await world.settle();
    expect(await inStep(world, 'p1')).toMatchObject({ phone: 'newer' });
    expect((await world.log('p1')).flatMap((row) => row.changes).some((change) => change.winner)).toBe(false);
  });

  it('finishes the people of a case when a process dies between them [sync-P8]', async () => {
    for (const point of ['chunk-sent', 'merged', 'graph-sent', 'acknowledged', 'roles-sent'] as const) {
      await using world = await createSyncWorld(openFresh);
      await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
      await world.put('p2', { email: 'bob@example.com', name: 'Bob' });
      const put = (parties: HostRecord['parties']) =>
        world.put('c1', { title: 'A case', amount: 10 }, { kind: 'case', parties });
      const complainant = { party: 'p1', role: 'complainant' };
      // Only of a case that is there do the roles go by themselves.
      if (point === 'roles-sent') {
        await put([complainant]);
        await world.case('c1');
      }
      await put([complainant, { party: 'p2', role: 'respondent' }]);
      await die(world.process({ crash: crashAt(point) }).case('c1'));
      world.clock.advance(200_000);
      await world.settle();
      expect(await world.records()).toHaveLength(2);
      expect(await world.records('Opportunity')).toHaveLength(1);
      const roles = await world.records('OpportunityContactRole');
      expect(roles.map((role) => role.Role).sort()).toEqual(['Complainant', 'Respondent']);
    }
  });
});
