import { expect, it } from 'vitest';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld } from './world.ts';

const parties = [{ party: 'p1', role: 'complainant' }];

describeStores((_name, openFresh) => {
  it('gives the cases of a person their contact role once a human said who it is, and takes it back on unlink [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    const first = await world.add({ LastName: 'Lovelace', Email: 'ada@example.com' });
    await world.add({ LastName: 'Byron', Email: 'ada@example.com' });
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.put('c1', { title: 'A case' }, { kind: 'case', parties });
    await world.settle();
    const roles = async () => (await world.records('OpportunityContactRole')).map((role) => role.ContactId);
    expect(await roles()).toEqual([]);
    await world.sync.manualLinks.link('demo', await world.org(), 'party', 'p1', first);
    await world.settle();
    expect(await roles()).toEqual([first]);
    await world.sync.manualLinks.unlink('demo', (await world.org()).orgId, 'party', 'p1');
    await world.settle();
    expect(await roles()).toEqual([]);
  });

  it('gives it too when the trouble of the person went away by itself, and when the contact lives on in another one [sync-P16]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: '' });
    await world.put('c1', { title: 'A case' }, { kind: 'case', parties });
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'failed' });
    world.clock.advance(60_000);
    await world.put('p1', { name: 'Ada Lovelace' });
    await world.settle();
    const roles = async () => (await world.records('OpportunityContactRole')).map((role) => role.ContactId);
    expect(await roles()).toEqual([(await world.link('p1')).sfId]);
    const master = await world.add({ LastName: 'Lovelace', Email: 'other@example.com' });
    world.clock.advance(60_000);
    await world.control('POST', 'merge', { object: 'Contact', master, duplicate: (await world.link('p1')).sfId });
    world.clock.advance(60_000);
    await world.settle();
    expect((await world.link('p1')).sfId).toBe(master);
    expect(await roles()).toContain(master);
  });

  it('gives a record that several people are linked to at once to one of them, and tells the others whose it is [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    const [record, theirs] = [await world.add({ LastName: 'Lovelace' }), await world.add({ LastName: 'Byron' })];
    const ids = ['p1', 'p2', 'p3'];
    for (const id of ids) await world.put(id, { phone: id });
    const org = await world.org();
    const link = (id: string, to: string) => world.sync.manualLinks.link('demo', org, 'party', id, to);
    const ends = await Promise.allSettled(ids.map((id) => link(id, record)));
    const winner = ids[ends.findIndex(({ status }) => status === 'fulfilled')];
    const refused = ends.filter((end) => end.status === 'rejected');
    expect(refused.map(({ reason }) => [reason.code, reason.message])).toEqual(
      Array(2).fill(['conflict', `This Contact is linked to ${winner}.`]),
    );
    // Whoever came second may be linked elsewhere at once: no lease is left behind.
    const loser = ids.find((id) => id !== winner) ?? '';
    expect(await link(loser, theirs)).toMatchObject({ state: 'active', sfId: theirs });
  });

  it('lets a person say which of two has the record that both mean: the second in place of the first, or neither more [S1] [sync-P2]', async () => {
    await using world = await createSyncWorld(openFresh);
    const person = (phone: string) => ({ email: 'ada@example.com', name: 'Ada Byron', phone });
    await world.put('p1', person('1'));
    await world.settle();
    await world.put('p2', person('2'));
    await world.settle();
    const record = (await world.link('p1')).sfId ?? '';
    const problem = async () => (await (await world.app.sync()).status('demo'))?.problems[0];
    expect(await problem()).toMatchObject({
      next: expect.stringMatching(`gatehouse link demo party p2 ${record} --instead-of p1$`),
      examples: [{ localId: 'p2', candidates: [{ id: record, linkedTo: 'p1', hint: 'linked to p1' }] }],
    });
    const org = await world.org();
    const link = (id: string, insteadOf: string) =>
      world.sync.manualLinks.link('demo', org, 'party', id, record, { insteadOf });
    // Whoever names the wrong one takes it from nobody.
    await expect(link('p2', 'p3')).rejects.toMatchObject({
      code: 'conflict',
      next: expect.stringContaining('insteadOf'),
    });
    expect(await world.link('p1')).toMatchObject({ state: 'active', sfId: record });
    await link('p2', 'p1');
    world.clock.advance(60_000);
    await world.put('p2', { phone: '3' });
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'unlinked', sfId: null });
    expect(await world.link('p2')).toMatchObject({ state: 'active', sfId: record, error: null });
    expect((await world.records()).map(({ Phone }) => Phone)).toEqual(['3']);
    expect(await problem()).toBeUndefined();
    // Or it is left out.
    await world.put('p4', person('4'));
    await world.settle();
    expect((await problem())?.examples).toMatchObject([{ localId: 'p4' }]);
    await world.sync.manualLinks.unlink('demo', org.orgId, 'party', 'p4');
    await world.settle();
    expect([await problem(), (await world.records()).length]).toEqual([undefined, 1]);
  });

  it('goes on with who is linked elsewhere, though the record before keeps our mark, alone and in a batch [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ids = ['p1', 'p2', 'p3'];
    for (const id of ids) await world.put(id, { email: `${id}@t.example`, name: `Person ${id}`, phone: '1' });
    await world.settle();
    const theirs = new Map<string, string>();
    for (const id of ids) {
      theirs.set(id, await world.add({ LastName: id, Email: `other-${id}@t.example` }));
      await world.sync.manualLinks.link('demo', await world.org(), 'party', id, theirs.get(id) ?? '');
    }
    const phones = async () => {
      const records = await world.records();
      return ids.map((id) => records.find(({ Id }) => Id === theirs.get(id))?.Phone);
    };
    world.clock.advance(60_000);
    await world.put('p1', { phone: '2' });
    await world.settle();
    expect((await phones())[0]).toBe('2');
    for (const id of ids) await world.put(id, { phone: '3' });
    await world.settle();
    expect(await phones()).toEqual(['3', '3', '3']);
    for (const id of ids) expect(await world.link(id)).toMatchObject({ state: 'active', error: null });
  });

  it('restores a name that lost, in both fields that the host has for it [S2]', async () => {
    await using world = await createSyncWorld(openFresh);
    const { rules, ...rest } = defaultMapping('party');
    await saveMapping(
      { store: world.store, now: () => world.clock.now },
      {
        bot: 'demo',
        org: await world.org(),
        kind: 'party',
        version: 0,
        by: 'operator:ada',
        mapping: {
          ...rest,
          rules: [
            ...rules.filter((rule) => rule.local[0] !== 'name'),
            {
              local: ['first', 'last'],
              remote: ['FirstName', 'LastName'],
              direction: 'both',
              transforms: [{ use: 'join_name' }, { use: 'split_name' }],
            },
          ],
        },
      },
    );
    await world.put('p1', { email: 'ada@example.com', first: 'Ada', last: 'Byron' });
    const { id } = await world.party('p1');
    world.clock.advance(60_000);
    await world.put('p1', { last: 'King' });
    world.clock.advance(5_000);
    await world.edit(id, { LastName: 'Lovelace' });
    await world.settle();
    expect((await world.host('p1')).fields).toMatchObject({ first: 'Ada', last: 'Lovelace' });
    const row = (await world.log('p1')).find((one) => one.changes.some((change) => change.lost === 'Ada King'));
    world.clock.advance(10_000);
    await world.sync.manualLinks.restore('demo', row?.id ?? '', 'operator:ada');
    const told = await world.store.feed.after('demo', 0, 100);
    expect(told.at(-1)).toMatchObject({
      type: 'updated',
      localId: 'p1',
      sfId: id,
      changes: { last: { before: 'Lovelace', after: 'King' } },
    });
    await world.settle();
    expect((await world.log('p1'))[0]).toMatchObject({
      direction: 'to_crm',
      reason: 'restored by operator:ada',
      changes: [{ after: 'Ada King' }],
    });
    expect((await world.host('p1')).fields).toMatchObject({ first: 'Ada', last: 'King' });
    expect((await world.records())[0]).toMatchObject({ FirstName: 'Ada', LastName: 'King' });
  });
});
