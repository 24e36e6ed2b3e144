import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { type Door, openDoor } from '../support/door.ts';
import { createClock } from '../support/world.ts';

const DAY_MS = 86_400_000;
/** By name: what is unused of them does not change with the next action. */
const GRANTS = ['CREATE_LEAD', 'READ_ACCOUNT', 'UPDATE_OPPORTUNITY', 'RUN_SOQL', 'SYNC_PARTY', 'SYNC_CASE'] as const;

/** A bot that has stood for 40 days before anything is asked. */
async function oldDoor(more: { readonly policy?: (policy: Policy) => Policy } = {}): Promise<Door> {
  const clock = createClock(Date.now() - 40 * DAY_MS);
  const door = await openDoor({ clock, grants: GRANTS, ...more }, async ({ app }) => ({
    routes: (await app.sync()).routes,
  }));
  clock.advance(40 * DAY_MS);
  return door;
}

const listing = (fields: readonly string[]) => (policy: Policy) => ({
  ...policy,
  objects: { ...policy.objects, Account: { ...policy.objects.Account!, allowFields: [...fields] } },
});

async function ask(door: Door) {
  const { status, json } = await door.ask('GET', '/api/bots/demo/policy/unused', {
    key: await door.operatorKey('viewer'),
  });
  expect(status).toBe(200);
  return json;
}

const namesOf = (places: readonly { readonly object: string; readonly what: string }[]) =>
  places.map(({ object, what }) => `${object} ${what}`);

describe('what a bot never used', () => {
  it('names the grants, objects and listed fields that nothing used, and asks Salesforce nothing [P8]', async () => {
    await using door = await oldDoor({ policy: listing(['Name', 'Industry', 'Website', 'Account_Key__c', 'Fax']) });
    const { world } = door;
    await world.call('GetAccount', { name: 'Acme Industries' });
    await world.call('RunSOQL', { soql: 'SELECT CaseNumber FROM Case LIMIT 1' });
    const calls = await world.calls();
    const found = await ask(door);
    expect(await world.calls()).toBe(calls);
    expect(found).toMatchObject({ isYoung: false, rows: 2 });
    expect(found.grants.map(({ permission }: { permission: string }) => permission)).toEqual(
      expect.arrayContaining(['CREATE_LEAD', 'UPDATE_OPPORTUNITY', 'SYNC_PARTY', 'SYNC_CASE']),
    );
    expect(found.grants).toHaveLength(4);
    const names = namesOf(found.places);
    expect(names).toEqual(
      expect.arrayContaining(['Lead object', 'Opportunity object', 'Account write', 'Case write', 'Account fields']),
    );
    expect(names).not.toContain('Case object');
    // The key of an account is looked up by; Name, Industry and Website were read.
    const { fields, changes } = found.places.find(({ what }: { what: string }) => what === 'fields');
    expect(fields).toEqual(['Fax']);
    expect(changes).toEqual([
      {
        name: 'objects.Account.allowFields',
        before: ['Name', 'Industry', 'Website', 'Account_Key__c', 'Fax'],
        after: ['Name', 'Industry', 'Website', 'Account_Key__c'],
      },
    ]);
    expect(found.open).toEqual([{ object: 'Case', used: ['CaseNumber'] }]);
    expect(found.unknown).toEqual({ young: [], paths: [], fields: [] });
    expect((await world.app.store.bots.get('demo'))?.policyRevision).toBe(1);
  });

  it('takes a write, what waits for a person and the sync for use [P8]', async () => {
    await using door = await oldDoor();
    const { world } = door;
    await world.call('CreateLead', { lastName: 'Ito', company: 'Ito & Sons' });
    await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Call back' });
    await door.ask('PUT', '/api/parties/p-1', { key: door.keys.host, json: { email: 'ana@x.example' } });
    const found = await ask(door);
    expect(found.grants.map(({ permission }: { permission: string }) => permission).sort()).toEqual([
      'READ_ACCOUNT',
      'RUN_SOQL',
      'SYNC_CASE',
    ]);
    const names = namesOf(found.places);
    for (const used of ['Lead', 'Opportunity', 'Contact']) {
      expect(names).not.toContain(`${used} object`);
      expect(names).not.toContain(`${used} write`);
    }
    // Companies are found by name, and none is made.
    expect(names).toContain('Account write');
    expect(names).toEqual(expect.arrayContaining(['Task object', 'OpportunityContactRole object']));
  });

  it('does not judge a young bot, a young grant, nor what was opened lately [P8]', async () => {
    await using young = await openDoor();
    expect(await ask(young)).toMatchObject({ isYoung: true, grants: [], places: [] });

    await using door = await oldDoor();
    const { world } = door;
    const key = await door.operatorKey('admin');
    const put = (json: object) => door.ask('PUT', '/api/bots/demo/permissions', { key, json });
    await put({ revoke: ['RUN_SOQL'] });
    await put({ grant: ['RUN_SOQL'] });
    await world.setPolicy(({ objects, ...policy }) => ({ ...policy, objects: { ...objects, Asset: objects.Task! } }));
    world.clock.advance(29 * DAY_MS);
    const before = await ask(door);
    expect(before.unknown.young).toEqual(['RUN_SOQL', 'Asset']);
    expect(before.grants).not.toContainEqual(expect.objectContaining({ permission: 'RUN_SOQL' }));
    world.clock.advance(2 * DAY_MS);
    const after = await ask(door);
    expect(after.unknown.young).toEqual([]);
    expect(namesOf(after.places)).toContain('Asset object');
  });

  it('takes what an operator tried, and what a bot did more than 30 days ago, for no use [P8]', async () => {
    await using door = await oldDoor();
    const { world } = door;
    await world.call('GetAccount', { name: 'Acme Industries' });
    world.clock.advance(31 * DAY_MS);
    await door.ask('POST', '/api/bots/demo/policy/try', {
      key: await door.operatorKey('admin'),
      json: { action: 'GetAccount', args: { name: 'Acme Industries' } },
    });
    const found = await ask(door);
    expect(found.rows).toBe(0);
    expect(found.grants).toContainEqual({ permission: 'READ_ACCOUNT', actions: ['GetAccount'] });
    expect(namesOf(found.places)).toContain('Account object');
  });

  it('leaves a listed lookup alone that a query followed, or may have followed [P8]', async () => {
    await using door = await oldDoor({
      policy: (policy) => ({
        ...policy,
        objects: {
          ...policy.objects,
          Opportunity: { ...policy.objects.Opportunity!, allowFields: ['Name', 'AccountId', 'OwnerId', 'NextStep'] },
        },
      }),
    });
    const { world } = door;
    await world.call('RunSOQL', { soql: 'SELECT Name, Account.Name FROM Opportunity LIMIT 1' });
    await world.call('RunSOQL', { soql: 'SELECT Name FROM Opportunity LIMIT 1' });
    const waiting = await world.app.approvals.list({ bot: 'demo', pending: true });
    for (const { id } of waiting) await world.approve(id);
    const fieldsOf = (found: { places: readonly { what: string; fields: readonly string[] }[] }) =>
      found.places.find(({ what }) => what === 'fields')?.fields;
    const kept = await ask(door);
    expect([fieldsOf(kept), kept.unknown.fields]).toEqual([['OwnerId', 'NextStep'], []]);
    await world.app.retention.tidy(world.clock.now + 1);
    const forgotten = await ask(door);
    expect([fieldsOf(forgotten), forgotten.unknown.fields]).toEqual([
      ['NextStep'],
      ['Opportunity.AccountId', 'Opportunity.OwnerId'],
    ]);
  });

  it('says nothing of objects while a mapping may lead to any of them [P8]', async () => {
    await using door = await oldDoor();
    const { world } = door;
    await door.ask('PUT', '/api/bots/demo/mappings/party', {
      key: await door.operatorKey('admin'),
      json: {
        ...(await door.ask('GET', '/api/bots/demo/mappings/party', { key: await door.operatorKey('admin') })).json,
      },
    });
    const store = (await world.app.sync()).parts.store.mappings;
    const saved = await store.get('demo', 'party');
    const rule = { local: ['team'], remote: ['Team__r.Name'], direction: 'from_crm', transforms: [] } as const;
    const mapping = saved?.mapping ?? expect.fail('no mapping was saved');
    await store.add({
      ...saved!,
      version: saved!.version + 1,
      mapping: { ...mapping, rules: [...mapping.rules, rule] },
    });
    const found = await ask(door);
    expect(found.unknown.paths).toEqual(['Contact.Team__r.Name']);
    expect(found.places).toEqual([]);
  });
});
