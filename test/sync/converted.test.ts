import { expect, it } from 'vitest';
import { mappingSchema } from '../../src/domain/mapping.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { suggestRules } from '../../src/sync/mapping/suggest.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

async function asLeads(world: SyncWorld) {
  const mapping = {
    ...defaultMapping('party'),
    object: 'Lead',
    rules: [
      ...defaultMapping('party').rules.filter(({ remote }) =>
        ['Email', 'FirstName', 'Phone'].includes(remote[0] ?? ''),
      ),
      {
        local: ['company'],
        remote: ['Company'],
        direction: 'to_crm' as const,
        transforms: [{ use: 'default' as const, value: '[not provided]' }],
      },
    ],
  };
  const deps = { store: world.store, now: () => world.clock.now };
  await saveMapping(deps, { bot: 'demo', org: await world.org(), kind: 'party', mapping, version: 0, by: 'test' });
}

const convert = (world: SyncWorld, Id: string | null, ConvertedContactId?: string) =>
  world.control('POST', 'records/Lead', {
    Id,
    IsConverted: true,
    ...(ConvertedContactId ? { ConvertedContactId } : {}),
  });

describeStores((_name, openFresh) => {
  it('stops once with "converted" and names the contact, alone and in a batch, known or found out [G04]', async () => {
    await using world = await createSyncWorld(openFresh);
    await asLeads(world);
    for (const id of ['p1', 'p2', 'p3'])
      await world.put(id, { email: `${id}@t.example`, name: `Person ${id}`, phone: '1' });
    await world.settle();
    const contact = await world.add({ LastName: 'One' });
    for (const id of ['p1', 'p2', 'p3']) await convert(world, (await world.link(id)).sfId, contact);
    // Nobody told us yet: the write is refused, and the next look says why.
    await world.put('p1', { phone: '222' });
    expect(await world.calls(async () => world.sync.runner.runAllDue('demo', await world.org()))).toBeLessThanOrEqual(
      3,
    );
    for (const id of ['p2', 'p3']) await world.put(id, { phone: '222' });
    expect(await world.calls(async () => world.sync.runner.runAllDue('demo', await world.org()))).toBeLessThanOrEqual(
      3,
    );
    for (const id of ['p1', 'p2', 'p3']) {
      expect((await world.link(id)).error).toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(/was converted into the contact 003\w{15}/),
        candidates: [{ id: contact }],
      });
      expect((await world.log(id)).filter(({ reason }) => reason === 'converted in Salesforce')).toHaveLength(1);
    }
    // Nothing is tried again by itself, however long it takes.
    world.clock.advance(3_600_000);
    expect(await world.calls(async () => world.sync.runner.runAllDue('demo', await world.org()))).toBe(0);
    await world.put('p1', { phone: '333' });
    expect(await world.calls(async () => world.sync.runner.runAllDue('demo', await world.org()))).toBeLessThanOrEqual(
      2,
    );
    expect((await world.log('p1')).filter(({ reason }) => reason === 'converted in Salesforce')).toHaveLength(1);
    await expect(world.party('p1')).rejects.toMatchObject({ code: 'conflict', candidates: [{ id: contact }] });
  });

  it('can make leads by a mapping that is nothing but suggestions [H7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const samples = { email: 'ada@t.example', name: 'Ada Lovelace', phone: '1' };
    const taken = { local: new Set<string>(), remote: new Set<string>() };
    for (const more of [{}, { company: 'Acme' }]) {
      const describe = await (await world.org()).describe('Lead');
      const rules = (await suggestRules('party', { ...samples, ...more }, describe, taken)).map(({ rule }) => rule);
      const mapping = mappingSchema.parse({ kind: 'party', object: 'Lead', rules });
      const deps = { store: world.store, now: () => world.clock.now };
      const version = (await world.store.mappings.get('demo', 'party'))?.version ?? 0;
      await saveMapping(deps, { bot: 'demo', org: await world.org(), kind: 'party', mapping, version, by: 'test' });
      const id = `p${version}`;
      await world.put(id, { ...samples, ...more, email: `${id}@t.example` });
      await world.worker.turn('demo');
      expect(await world.link(id)).toMatchObject({ state: 'active', object: 'Lead', error: null });
    }
    const leads = await world.records('Lead');
    expect(leads.map(({ LastName, Company }) => [LastName, Company])).toEqual([
      ['Lovelace', '[not provided]'],
      ['Lovelace', 'Acme'],
    ]);
  });

  it('never links to a converted lead, also where a duplicate rule names it [G04]', async () => {
    await using world = await createSyncWorld(openFresh);
    await asLeads(world);
    const lead = await world.add({ LastName: 'Old', Company: 'Acme', Email: 'e@t.example' }, 'Lead');
    await convert(world, lead);
    await world.put('p2', { email: 'e@t.example', name: 'New Person' });
    for (let turn = 0; turn < 3; turn++) {
      await world.worker.turn('demo').catch(() => {});
      world.clock.advance(60_000);
    }
    const link = await world.link('p2');
    expect(link.sfId).not.toBe(lead);
    expect(link.state === 'active' || link.error?.code === 'ambiguous').toBe(true);
  });
});
