import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

/** As Salesforce offers it first when a unique field is made: "ab" and "AB" count as one value. */
const MARK = {
  object: 'Contact',
  name: 'Gatehouse_Id__c',
  type: 'string',
  length: 64,
  isUnique: true,
  isExternalId: true,
  isCaseSensitive: false,
};

async function foldCase(world: SyncWorld): Promise<void> {
  await world.control('POST', 'fields', MARK);
  await (await world.org()).describe('Contact', { isFresh: true });
}

describeStores((_name, openFresh) => {
  it('keeps two people apart whose ids differ in case alone, where the external-id field does not tell them apart [S1]', async () => {
    await using world = await createSyncWorld(openFresh);
    await foldCase(world);
    const people = ['aB3', 'ab3', 'AB3', 'Ab3'];
    for (const id of people.slice(0, 2)) {
      await world.put(id, { name: `Person ${id}`, email: `${id}-${people.indexOf(id)}@example.com` });
      await world.settle();
    }
    // Also of two in one request the second must not get the first one's record.
    for (const id of people.slice(2))
      await world.put(id, { name: `Person ${id}`, email: `${id}-${people.indexOf(id)}@example.com` });
    await world.settle();
    const records = await world.records();
    expect(records.map(({ LastName }) => LastName).sort()).toEqual([...people].sort());
    for (const id of people) {
      const { sfId, state } = await world.link(id);
      expect([state, records.find(({ Id }) => Id === sfId)?.LastName]).toEqual(['active', id]);
    }
  });

  it('knows a person by the mark that was written before, letter for letter, and makes no second record', async () => {
    await using world = await createSyncWorld(openFresh);
    await foldCase(world);
    const own = await world.add({ LastName: 'Byron', Gatehouse_Id__c: 'demo:party:aB3' });
    await world.put('aB3', { name: 'Ada Byron' });
    await world.put('AB3', { name: 'Anne Byron' });
    await world.settle();
    expect((await world.link('aB3')).sfId).toBe(own);
    expect((await world.link('AB3')).sfId).not.toBe(own);
    expect(await world.records()).toHaveLength(2);
  });
});
