import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, pair, type SyncWorld } from './world.ts';

async function linked(world: SyncWorld) {
  await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1', jobTitle: 'A' });
  const { id } = await world.party('p1');
  world.clock.advance(60_000);
  return id;
}

async function both(world: SyncWorld) {
  const { host, salesforce } = pair(await world.host('p1'), (await world.records())[0]);
  expect(host).toEqual(salesforce);
  return host;
}

describeStores((_name, openFresh) => {
  it('does not flip a winner by a later edit of another field: the notification had the field read when it changed [sync-P5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    const t = world.clock.now;
    const { orgId } = await world.org();
    await world.edit(id, { Title: 'salesforce at 12' }, 'Contact', t + 12_000);
    await world.store.inbox.add([
      {
        bot: 'demo',
        orgId,
        eventId: '04l000000000001',
        object: 'Contact',
        sfId: id,
        kind: 'message',
        receivedAt: t,
      },
    ]);
    world.clock.advance(12_000);
    await world.inbox();
    await world.sync.runner.runAllDue('demo', await world.org());
    world.clock.advance(3_000);
    await world.put('p1', { jobTitle: 'host at 15' });
    await world.edit(id, { Phone: 'salesforce at 20' }, 'Contact', t + 20_000);
    world.clock.advance(10_000);
    await world.settle();
    expect(await both(world)).toMatchObject({ jobTitle: 'host at 15', phone: 'salesforce at 20' });
  });

  it('asks the field history of the org, for a true conflict only [sync-P5] [S2]', async () => {
    await using world = await createSyncWorld(openFresh, { history: true });
    const id = await linked(world);
    const t = world.clock.now;
    await world.edit(id, { Title: 'salesforce at 12' }, 'Contact', t + 12_000);
    world.clock.advance(15_000);
    await world.put('p1', { jobTitle: 'host at 15' });
    await world.edit(id, { Phone: 'salesforce at 20' }, 'Contact', t + 20_000);
    world.clock.advance(10_000);
    await world.party('p1');
    expect(await both(world)).toMatchObject({ jobTitle: 'host at 15', phone: 'salesforce at 20' });
  });

  it('does not lose to its own push when the answer was lost and the host edited again [sync-P7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await linked(world);
    await world.put('p1', { jobTitle: 'first' });
    await world.control('POST', 'faults', { type: 'drop', when: 'after', times: 1, match: { method: 'PATCH' } });
    await world.party('p1').catch(() => {});
    expect((await world.records())[0]?.Title).toBe('first');
    await world.put('p1', { jobTitle: 'second' });
    world.clock.advance(200_000);
    await world.settle();
    expect(await both(world)).toMatchObject({ jobTitle: 'second' });
    expect((await world.log('p1')).flatMap((row) => row.changes).some((change) => change.winner)).toBe(false);
  });

  it('changes nothing by an old snapshot that arrives late [sync-P11]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await world.edit(id, { Title: 'new' });
    await world.settle();
    const { orgId } = await world.org();
    await world.store.inbox.add([
      {
        bot: 'demo',
        orgId,
        eventId: '04l000000000009',
        object: 'Contact',
        sfId: id,
        kind: 'message',
        receivedAt: 0,
      },
    ]);
    await world.settle();
    expect(await both(world)).toMatchObject({ jobTitle: 'new' });
  });

  it.each([3_600_000, -3_600_000])('decides alike when the host clock is off by %i ms [sync-P12]', async (skewMs) => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    const skewed = world.process({ skewMs });
    await skewed.org();
    // The first answer tells the offset.
    await skewed.poll();
    await skewed.sync.hosts.put('demo', 'party', [{ id: 'p1', fields: { jobTitle: 'host earlier', phone: 'host' } }]);
    world.clock.advance(20_000);
    await world.edit(id, { Title: 'salesforce later' });
    await world.edit(id, { Phone: 'salesforce' });
    world.clock.advance(20_000);
    await skewed.sync.hosts.put('demo', 'party', [{ id: 'p1', fields: { phone: 'host latest' } }]);
    world.clock.advance(20_000);
    await skewed.settle();
    expect(await both(world)).toMatchObject({ jobTitle: 'salesforce later', phone: 'host latest' });
  });

  it('clears on the other side what was cleared on one, and never writes unmapped or from-CRM fields [sync-P24]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await world.put('p1', { phone: null, industry: 'host only', shoeSize: 44 });
    await world.edit(id, { Title: null, Department: 'theirs', MailingCity: 'Paris' });
    await world.settle();
    expect(await both(world)).toMatchObject({ phone: null, jobTitle: null });
    const [record] = await world.records();
    expect(record).toMatchObject({ Department: 'theirs', MailingCity: 'Paris' });
    expect((await world.host('p1')).fields).not.toHaveProperty('location');
  });

  it('does not push for ever what Salesforce stores differently [sync-P26] [sync-P25]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', {
      email: 'Ada@Example.COM',
      name: 'Jean  Claude Van Damme',
      phone: '(020) 79-46 ',
      jobTitle: 'x'.repeat(300),
      notes: ' a\r\nb ',
    });
    await world.settle();
    const [before] = await world.records();
    expect(before).toMatchObject({ FirstName: 'Jean Claude', LastName: 'Van Damme', Title: 'x'.repeat(128) });
    for (let n = 0; n < 3; n++) {
      await world.edit(String(before?.Id), { Department: `touch ${n}` });
      world.clock.advance(60_000);
      await world.settle();
    }
    expect(await world.log('p1')).toHaveLength(1);
    expect((await world.host('p1')).fields).toMatchObject({ jobTitle: 'x'.repeat(300), phone: '(020) 79-46 ' });
  });

  it('writes one record conditionally: an edit that slips in is read and merged, not overwritten [sync-P3] [S2]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await world.poll();
    await world.put('p1', { phone: '2' });
    let isDone = false;
    const slow = world.process({
      crash: async (point) => {
        if (point !== 'merged' || isDone) return;
        isDone = true;
        world.clock.advance(5_000);
        await world.edit(id, { Title: 'slipped in', Phone: 'slipped in too' });
        world.clock.advance(5_000);
      },
    });
    await slow.party('p1');
    await world.settle();
    expect(await both(world)).toMatchObject({ jobTitle: 'slipped in', phone: 'slipped in too' });
  });

  it('sees an edit of the very second of its read: it looks again when that second is over [S2]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await world.put('p1', { phone: '2' });
    await world.edit(id, { Title: 'same second' });
    let isDone = false;
    const fast = world.process({
      crash: async (point) => {
        if (point !== 'read' || isDone) return;
        isDone = true;
        await world.edit(id, { Phone: 'same second too' });
      },
    });
    await fast.party('p1');
    await world.settle();
    expect(await both(world)).toMatchObject({ jobTitle: 'same second', phone: 'same second too' });
  });
});
