import { expect, it } from 'vitest';
import { defaultMapping } from '../../src/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/save-mapping.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld } from './world.ts';

describeStores((_name, openFresh) => {
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
    await world.sync.desk.restore('demo', row?.id ?? '', (kind, localId, fields) =>
      world.sync.hosts.put('demo', kind, [{ id: localId, fields }]),
    );
    await world.settle();
    expect((await world.host('p1')).fields).toMatchObject({ first: 'Ada', last: 'King' });
    expect((await world.records())[0]).toMatchObject({ FirstName: 'Ada', LastName: 'King' });
  });
});
