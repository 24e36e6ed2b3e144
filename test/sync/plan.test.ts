import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld } from './world.ts';

describeStores((_name, openFresh) => {
  it('sends no value that the field cannot hold, clears nothing for it, says so, and follows when it is mended [sync-P26] [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('c1', { title: 'A case', amount: 10, expectedDate: '2026-06-30' }, { kind: 'case' });
    await world.settle();
    world.clock.advance(60_000);
    await world.put(
      'c1',
      { amount: 'about 500', expectedDate: '2026-02-31', summary: 'in step all the same' },
      { kind: 'case' },
    );
    const told = await world.case('c1');
    expect(told.changes.map(({ field }) => field)).toEqual(['Description']);
    expect(told.warnings).toEqual([expect.stringMatching(/Amount was not sent: "about 500" is no amount/)]);
    expect(await world.records('Opportunity')).toEqual([
      expect.objectContaining({ Amount: 10, CloseDate: '2026-06-30', Description: 'in step all the same' }),
    ]);
    expect(await world.link('c1', 'case')).toMatchObject({
      state: 'active',
      error: { code: 'invalid_input', message: expect.stringContaining('CloseDate was not sent: "2026-02-31"') },
    });
    await world.settle();
    expect((await world.log('c1')).filter((row) => row.status === 'failed')).toHaveLength(1);

    world.clock.advance(60_000);
    await world.put('c1', { amount: 500, expectedDate: '2026-07-31' }, { kind: 'case' });
    await world.settle();
    expect((await world.records('Opportunity'))[0]).toMatchObject({ Amount: 500, CloseDate: '2026-07-31' });
    expect(await world.link('c1', 'case')).toMatchObject({ error: null });
  });

  it('takes the later value of Salesforce over one that does not fit, and keeps that one in the log [S2]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('c1', { title: 'A case', amount: 10 }, { kind: 'case' });
    await world.settle();
    world.clock.advance(60_000);
    await world.put('c1', { amount: 'much' }, { kind: 'case' });
    world.clock.advance(60_000);
    await world.edit((await world.link('c1', 'case')).sfId ?? '', { Amount: 70 }, 'Opportunity');
    await world.settle();
    expect((await world.host('c1', 'case')).fields.amount).toBe(70);
    expect((await world.log('c1')).flatMap((row) => row.changes)).toContainEqual(
      expect.objectContaining({ field: 'Amount', winner: 'salesforce', lost: 'much' }),
    );
    expect(await world.link('c1', 'case')).toMatchObject({ error: null });
  });

  it('names the value that did not fit where Salesforce then misses a required field', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('c1', { title: 'A case', expectedDate: 'next tuesday' }, { kind: 'case' });
    await expect(world.case('c1')).rejects.toMatchObject({
      message: expect.stringMatching(/CloseDate was not sent: "next tuesday" is no date/),
    });
    expect(await world.records('Opportunity')).toEqual([]);
  });

  it('says that nothing can be made of a person without a value to send, and makes it once there is one [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const nothing = { code: 'invalid_input', next: expect.stringContaining('email, name, phone') };
    await world.put('p1', { shoeSize: 44 });
    await world.put('p2', { website: 'https://ada.example' });
    await expect(world.party('p1')).rejects.toMatchObject(nothing);
    await world.settle();
    for (const id of ['p1', 'p2']) {
      expect(await world.link(id)).toMatchObject({ state: 'failed', sfId: null, error: nothing });
      expect(await world.log(id)).toMatchObject([{ status: 'failed', operation: 'none', error: nothing }]);
    }
    await world.put('c1', { title: 'A case' }, { kind: 'case', parties: [{ party: 'p1', role: 'complainant' }] });
    expect(await world.case('c1')).toMatchObject({
      roles: [],
      warnings: [expect.stringContaining('p1 has no Contact')],
    });
    await world.put('p1', { name: 'Ada Lovelace' });
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'active', error: null });
    expect(await world.records('OpportunityContactRole')).toMatchObject([{ Role: 'Complainant' }]);
  });

  it('keeps what the host says where Salesforce alone speaks and says nothing, and logs it where it gives way [S2]', async () => {
    await using world = await createSyncWorld(openFresh);
    const acme = await world.add({ Name: 'Acme' }, 'Account');
    await world.put('p1', { name: 'Ada', email: 'ada@example.com', company: 'Acme', industry: 'Mathematics' });
    await world.put('p2', {
      name: 'Bob',
      email: 'bob@example.com',
      company: 'Nowhere',
      website: 'https://bob.example',
    });
    await world.settle();
    world.clock.advance(600_000);
    for (const id of ['p1', 'p2']) await world.store.links.touch([(await world.link(id)).id], 'look', true, 0);
    await world.settle();
    expect((await world.host('p1')).fields.industry).toBe('Mathematics');
    expect((await world.host('p2')).fields.website).toBe('https://bob.example');
    await world.edit(acme, { Industry: 'Energy' }, 'Account');
    await world.store.links.touch([(await world.link('p1')).id], 'look', true, 0);
    await world.settle();
    expect((await world.host('p1')).fields.industry).toBe('Energy');
    expect((await world.log('p1'))[0]?.changes).toMatchObject([
      { field: 'Account.Industry', after: 'Energy', winner: 'salesforce', lost: 'Mathematics' },
    ]);
  });

  it('logs what Salesforce holds where that is not what the host said [S5] [W9]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('c1', { title: 'A case', status: 'in_progress' }, { kind: 'case' });
    const { id } = await world.case('c1');
    const changes = async () => (await world.log('c1')).flatMap((row) => row.changes);
    expect(await changes()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ field: 'StageName', after: 'in_progress', crm: { StageName: 'Qualification' } }),
        expect.objectContaining({ field: 'CloseDate', after: null, crm: { CloseDate: '2026-08-02' } }),
      ]),
    );
    expect((await changes()).find(({ field }) => field === 'Name')).not.toHaveProperty('crm');
    world.clock.advance(600_000);
    await world.edit(id, { StageName: 'Closed Lost' }, 'Opportunity');
    await world.settle();
    const pulled = (await changes()).find(({ crm }) => crm?.StageName === 'Closed Lost');
    expect(pulled?.after).toBe((await world.host('c1', 'case')).fields.status);
  });
});
