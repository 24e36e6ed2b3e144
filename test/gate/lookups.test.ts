import { describe, expect, it } from 'vitest';
import type { FieldDescribe } from '../../src/domain/action.ts';
import { fitting, lookupNotes } from '../../src/policy/lookups.ts';
import { openDoor } from '../support/door.ts';
import { createWorld } from '../support/world.ts';

/** A stock org has none of our fields: the main question works by name and Id, or says what an operator sets. */

async function stock() {
  const world = await createWorld();
  const opportunity = (await world.records('Opportunity')).find((one) => one.Reference__c === 'OPP-123')!;
  await world.sim('POST', 'settings', { withoutFields: ['Opportunity.Reference__c', 'Account.Account_Key__c'] });
  return { world, opportunity, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

describe('an org without the fields of the lookups', () => {
  it('finds an opportunity by Id and by exact name, and says what to set for a reference [H3]', async () => {
    await using on = await stock();
    const { world, opportunity } = on;
    for (const value of [String(opportunity.Id), String(opportunity.Name)])
      expect(await world.call('GetAccount', { opportunity: value })).toMatchObject({
        status: 'done',
        result: { opportunity: { Name: opportunity.Name } },
      });
    const calls = await world.calls();
    for (const [action, args, place] of [
      ['GetAccount', { opportunity: 'OPP-123' }, 'lookups.opportunityReference'],
      ['GetAccount', { key: 'CUST-1' }, 'lookups.accountKey'],
      ['UpdateOpportunity', { reference: 'OPP-123', amount: 5 }, 'lookups.opportunityReference'],
    ] as const) {
      const refusal = await world.refusal(action, args);
      expect(refusal, action).toMatchObject({ code: 'invalid_input', fields: [{ name: place }] });
      expect(refusal.next).toMatch(
        /Id or the exact name instead\. An operator sets lookups\..*gatehouse policy set demo/,
      );
      await world.refusal(action, args);
    }
    // Six calls: two by name, and what is described is remembered all the while.
    expect((await world.calls()) - calls).toBeLessThanOrEqual(4);
    expect(await world.call('UpdateOpportunity', { name: opportunity.Name, amount: 5 })).toMatchObject({
      status: 'waiting',
    });
  });

  it('is told after connecting, in the status and on the card, with what would fit [H3]', async () => {
    await using on = await stock();
    const bot = (await on.world.app.store.bots.get(on.world.bot))!;
    const notes = await lookupNotes(on.world.app.connections, bot);
    expect(notes.map(({ name }) => name)).toEqual(['lookups.accountKey', 'lookups.opportunityReference']);
    expect(notes[0]?.fitting).toContain('AccountNumber');

    await using door = await openDoor({});
    const key = await door.operatorKey('admin');
    expect((await door.ask('GET', '/api/bots/demo/integration', { key })).json).not.toHaveProperty('lookups');
    await door.world.sim('POST', 'settings', { withoutFields: ['Account.Account_Key__c'] });
    door.world.clock.advance(61 * 60_000);
    expect((await door.ask('GET', '/api/bots/demo/integration', { key })).json.lookups).toMatchObject([
      { name: 'lookups.accountKey', next: expect.stringContaining('AccountNumber') },
    ]);
  });

  it('says so where the org cannot be asked, and what of the policy could not be looked up stands with the bot [H3] [P5]', async () => {
    await using door = await openDoor({});
    const key = await door.operatorKey('admin');
    await door.world.app.store.values.set('policy.unchecked', 'demo', '["objects.Visit: not asked."]', null);
    await door.world.sim('POST', 'faults', { type: 'drop', when: 'before', match: { path: '/' } });
    door.world.clock.advance(61 * 60_000);
    for (const path of ['/api/bots/demo', '/api/bots/demo/integration'])
      expect((await door.ask('GET', path, { key })).json).toMatchObject({
        lookups: [{ name: 'lookups', problem: expect.stringContaining('could not be asked'), fitting: [] }],
        uncheckedNames: ['objects.Visit: not asked.'],
      });
  });

  it('is offered the fittest of its fields [H3]', () => {
    const field = (name: string, more: Partial<FieldDescribe> = {}) =>
      ({
        name,
        label: name,
        type: 'string',
        filterable: true,
        custom: name.endsWith('__c'),
        unique: false,
        externalId: false,
        ...more,
      }) as FieldDescribe; // what is looked at
    const fields = [
      field('Name'),
      field('Description__c'),
      field('Deal_Number__c', { isAutoNumber: true }),
      field('ERP_Id__c', { externalId: true, unique: true }),
      field('Deal_Ref__c', { unique: true }),
      field('Reference_Text__c'),
      field('Hidden_Ref__c', { externalId: true, filterable: false }),
      field('Email__c', { type: 'email', unique: true }),
    ];
    const describe = { name: 'Opportunity', label: '', keyPrefix: null, childRelationships: [], fields };
    expect(fitting('opportunityReference', describe)).toEqual(['Deal_Number__c', 'Deal_Ref__c', 'Reference_Text__c']);
    expect(fitting('accountKey', describe)[0]).toBe('Deal_Number__c');
  });
});
