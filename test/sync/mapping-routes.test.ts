import { expect, it } from 'vitest';
import { stock } from '../../src/sim/stock.ts';
import { describeStores } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { createSyncWorld } from './world.ts';

describeStores((_name, openFresh) => {
  it('saves a checked mapping; existing links follow in the fields that changed and in no other [sync-P27] [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    for (let n = 0; n < 5; n++)
      await ask('PUT', `/api/parties/p${n}`, {
        email: `p${n}@example.com`,
        name: `Person Nr${n}`,
        custom: { team: `Team ${n}` },
      });
    await world.settle();
    const stamps = new Map((await world.records()).map((record) => [record.Id, record.Phone]));
    const { mapping, version } = await bodyOf(ask('GET', '/api/bots/demo/mappings/party'));
    const bad = { ...mapping, rules: [...mapping.rules, { local: 'team', remote: 'Departmnt' }] };
    await expect(ask('PUT', '/api/bots/demo/mappings/party', { mapping: bad, version })).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [expect.objectContaining({ problem: expect.stringContaining('no field Departmnt') })],
    });
    const good = { ...mapping, rules: [...mapping.rules, { local: 'team', remote: 'Department' }] };
    expect(await bodyOf(ask('PUT', '/api/bots/demo/mappings/party', { mapping: good, version }))).toMatchObject({
      version: 1,
      links: 5,
    });
    await expect(ask('PUT', '/api/bots/demo/mappings/party', { mapping: good, version })).rejects.toMatchObject({
      code: 'conflict',
    });
    world.clock.advance(60_000);
    await world.settle();
    for (const record of await world.records()) expect(record.Department).toMatch(/^Team \d$/);
    const backfill = (await world.log()).filter((row) => row.operation === 'update');
    expect(backfill).toHaveLength(5);
    expect(backfill.every((row) => row.changes.length === 1 && row.changes[0]?.field === 'Department')).toBe(true);
    expect(stamps.size).toBe(5);
    const suggested = async () => (await bodyOf(ask('GET', '/api/bots/demo/mappings/party/suggestions'))).suggestions;
    expect(await suggested()).toEqual([]);
    await ask('PUT', '/api/parties/a-late-one', { custom: { fax: '+1 555', birthDate: '1980-01-02' } });
    expect(await suggested()).toEqual([
      expect.objectContaining({ confidence: expect.any(Number), reason: expect.stringContaining('Birthdate') }),
      expect.objectContaining({ rule: expect.objectContaining({ remote: ['Fax'] }) }),
    ]);
    const { lines } = await bodyOf(ask('POST', '/api/bots/demo/mappings/party/preview', { localId: 'p1' }));
    expect(lines).toEqual(
      expect.arrayContaining([expect.objectContaining({ rule: 'Department', sends: { Department: 'Team 1' } })]),
    );
  });

  it('asks the org anew before it says that a mapping does not fit, and only then [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const base = '/api/bots/demo/mappings/party';
    const calls = async (work: () => Promise<unknown>) => {
      const count = async () => (await world.control('GET', 'calls')).count;
      const before = await count();
      await work();
      return (await count()) - before;
    };
    const { mapping } = await bodyOf(ask('GET', base));
    const check = async () => {
      const { problems, warnings } = await bodyOf(ask('POST', `${base}/check`, mapping));
      return [...problems, ...warnings];
    };
    const save = (version: number) => ask('PUT', base, { mapping, version });
    await world.control('POST', 'settings', { withoutFields: ['Contact.TimeZone__c'] });
    await (await world.org()).describe('Contact', { isFresh: true });
    const note = 'Contact has no field TimeZone__c: the rule is left out until it has';
    const problem = { name: 'rules.6.remote', problem: note };
    expect(await calls(async () => expect(await check()).toEqual([problem]))).toBe(1);
    await world.control('POST', 'settings', { withoutFields: [] });
    expect(await calls(() => save(0))).toBe(1);
    expect(await calls(() => save(1))).toBe(0);
    expect(await calls(async () => expect(await check()).toEqual([]))).toBe(0);
  });

  it('saves and runs the shipped mappings in an org that has none of our fields [H2]', async () => {
    await using world = await createSyncWorld(openFresh, { seed: { records: {}, setup: { ...stock.setup } } });
    const ask = door(world);
    const notes: string[] = [];
    for (const kind of ['party', 'case']) {
      const at = `/api/bots/demo/mappings/${kind}`;
      const { mapping, version } = await bodyOf(ask('GET', at));
      const saved = await bodyOf(ask('PUT', at, { mapping: { ...mapping, tie: 'host' }, version }));
      expect(saved).toMatchObject({ version: 1 });
      notes.push(...saved.warnings.map(({ problem }: { problem: string }) => problem));
    }
    expect(notes).toEqual(['Contact has no field TimeZone__c: the rule is left out until it has']);
    const party = { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1', timezone: 'Europe/Lisbon' };
    await world.put('p1', party);
    await world.put('c1', { title: 'Crane', amount: 5 }, { kind: 'case', parties: [{ party: 'p1', role: 'other' }] });
    await world.settle();
    expect(await world.records()).toMatchObject([{ Email: 'ada@example.com', LastName: 'Lovelace', Phone: '1' }]);
    expect(await world.records('Opportunity')).toMatchObject([{ Name: 'Crane', Amount: 5 }]);
    expect(await world.records('OpportunityContactRole')).toHaveLength(1);
  });

  it('saves over the version in force and over no other [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const { mapping } = await bodyOf(ask('GET', '/api/bots/demo/mappings/case'));
    const save = (version: number) => ask('PUT', '/api/bots/demo/mappings/case', { mapping, version });
    await expect(save(500)).rejects.toMatchObject({ code: 'conflict', next: expect.stringMatching(/^Load it again/) });
    expect(await bodyOf(save(0))).toMatchObject({ version: 1 });
    await expect(save(2)).rejects.toMatchObject({ code: 'conflict' });
    await expect(save(0)).rejects.toMatchObject({ code: 'conflict' });
    const both = await Promise.allSettled([save(1), save(1)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await bodyOf(ask('GET', '/api/bots/demo/mappings/case'))).toMatchObject({ version: 2 });
  });

  it('refuses a mapping of the other kind wherever it takes one [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const { mapping, version } = await bodyOf(ask('GET', '/api/bots/demo/mappings/party'));
    const base = '/api/bots/demo/mappings/case';
    await ask('PUT', '/api/cases/c1', { title: 'Crane' });
    const refusal = { code: 'invalid_input', message: 'This is a mapping for a party.' };
    await expect(ask('PUT', base, { mapping, version })).rejects.toMatchObject(refusal);
    await expect(ask('POST', `${base}/check`, mapping)).rejects.toMatchObject(refusal);
    await expect(ask('POST', `${base}/preview`, { mapping, localId: 'c1' })).rejects.toMatchObject(refusal);
  });

  it('previews nothing but what is there, and nothing that policy closes [S4 P5 K7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const id = await world.add({ LastName: 'Lovelace', Title: 'Countess' });
    const preview = (body?: unknown) => bodyOf(ask('POST', '/api/bots/demo/mappings/party/preview', body));
    await expect(preview({ localId: 'nobody' })).rejects.toMatchObject({ code: 'not_found' });
    for (const body of [{}, undefined])
      await expect(preview(body)).rejects.toMatchObject({
        code: 'invalid_input',
        fields: [{ name: '(body)', problem: 'name a localId, a recordId or both' }],
      });
    const badId = { code: 'invalid_input', fields: [expect.objectContaining({ name: 'recordId' })] };
    for (const recordId of ['001000000000001AAA', `${id.slice(0, 15)}zzz`, 'short'])
      await expect(preview({ recordId })).rejects.toMatchObject(badId);
    await expect(preview({ recordId: '003000000000001' })).rejects.toMatchObject({ code: 'not_found' });
    const { lines } = await preview({ recordId: id.slice(0, 15) });
    expect(lines).toContainEqual(expect.objectContaining({ rule: 'Title', receives: { jobTitle: 'Countess' } }));
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, maskFields: ['title'] } },
    }));
    const bounded = (await preview({ recordId: id })).lines;
    expect(bounded.map((line: { rule: string }) => line.rule)).toEqual(
      lines.map((line: { rule: string }) => line.rule),
    );
    expect(bounded).toContainEqual(
      expect.objectContaining({ rule: 'Title', receives: {}, note: expect.stringContaining('not open') }),
    );
    expect(bounded).toContainEqual(expect.objectContaining({ receives: { name: 'Lovelace' } }));
    const { mapping } = await bodyOf(ask('GET', '/api/bots/demo/mappings/party'));
    const users = { ...mapping, object: 'User', rules: [{ local: 'name', remote: 'LastName' }] };
    await expect(preview({ recordId: id, mapping: users })).rejects.toMatchObject({ code: 'permission_denied' });
  });
});
