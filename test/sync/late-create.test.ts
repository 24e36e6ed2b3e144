import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

const ADA = { email: 'ada@example.com', name: 'Ada Byron' };

async function failToCreate(world: SyncWorld, fault: { type: string; when?: string }): Promise<void> {
  await world.control('POST', 'faults', { ...fault, times: 1, match: { method: 'POST', path: '/sobjects' } });
  await world.put('ada', ADA);
  await expect(world.party('ada')).rejects.toThrow();
}

/** In an org without our field nothing but time tells a create that is late from one that never came. */
describeStores((_, openFresh) => {
  it('a create whose answer was lost is not sent again while the first may still be saved, then it is, once [G01 S1] [sync-P1] [sync-P8]', async () => {
    await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
    await failToCreate(world, { type: 'drop', when: 'before' });
    for (const ms of [125_000, 125_000, 125_000]) {
      world.clock.advance(ms);
      await world.sync.runner.runAllDue('demo', await world.org());
      expect(await world.records(), 'not yet').toHaveLength(0);
    }
    await world.settle();
    expect(await world.records()).toHaveLength(1);
    expect(await world.link('ada')).toMatchObject({ state: 'active', error: null });
  });

  it('a create that lands after its answer was given up is linked, never doubled [S1] [sync-P1] [sync-P8]', async () => {
    await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
    await failToCreate(world, { type: 'drop', when: 'before' });
    world.clock.advance(125_000);
    await world.sync.runner.runAllDue('demo', await world.org());
    await world.add({ FirstName: 'Ada', LastName: 'Byron', Email: ADA.email });
    await world.settle();
    expect(await world.records()).toHaveLength(1);
    expect((await world.link('ada')).sfId).toBe((await world.records())[0]?.Id);
  });

  it('a create that Salesforce surely did not do is sent again at once [S1] [R3]', async () => {
    await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
    await failToCreate(world, { type: 'limit' });
    expect((await world.link('ada')).attemptedAt).toBeNull();
  });
});
