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

  const internal = [{ errorCode: 'UNKNOWN_EXCEPTION', message: 'An unexpected error occurred. 0-0 (0)' }];
  const apex = [{ errorCode: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message: 'CPU time limit', fields: ['Phone'] }];
  // Found again by the email, or by the name alone.
  const [party, case_] = [
    {
      kind: 'party',
      object: 'Contact',
      field: 'phone',
      of: (n: number) => ({ email: `p${n}@example.com`, name: `P ${n}` }),
    },
    { kind: 'case', object: 'Opportunity', field: 'summary', of: (n: number) => ({ title: `Case ${n}` }) },
  ] as const;
  it.each([
    ['in one part', internal, party, false],
    ['beside updates', internal, party, true],
    ['in one part', internal, case_, false],
    ['beside updates', internal, case_, true],
    ['beside updates', apex, case_, true],
    ['in one part', apex, case_, false],
  ] as const)(
    'many creates that were done although the call failed, %s, are looked for and not sent again, in no part of them [S1] [sync-P1] [R3]',
    async (_, body, { kind, object, field, of }, hasUpdates) => {
      await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
      const put = (from: number, to: number, more = {}) =>
        world.sync.hosts.put(
          'demo',
          kind,
          Array.from({ length: to - from }, (_, n) => ({ id: `r${from + n}`, fields: { ...of(from + n), ...more } })),
        );
      await put(0, 3);
      await world.settle();
      if (hasUpdates) await put(0, 3, { [field]: 'new' });
      await put(3, 8);
      let isFaulty = true;
      const dying = world.process({
        async crash(point) {
          if (point !== 'merged' || !isFaulty) return;
          isFaulty = false;
          await world.control('POST', 'faults', { type: 'status', status: 500, when: 'after', times: 1, body });
        },
      });
      await dying.sync.runner.runAllDue('demo', await dying.org()).catch(() => undefined);
      expect((await world.control('GET', 'faults')).faults, 'it struck').toEqual([]);
      await world.settle();
      expect(await world.records(object)).toHaveLength(8);
      // What is asked for once more makes none either.
      await put(3, 8, { [field]: 'later' });
      world.clock.advance(900_000);
      await world.settle();
      expect(await world.records(object)).toHaveLength(8);
      const links = await Promise.all(Array.from({ length: 8 }, (_, n) => world.link(`r${n}`, kind)));
      expect(links.map(({ state, error }) => [state, error?.code])).toEqual(links.map(() => ['active', undefined]));
    },
  );

  it('what was made before the rest of a call met trouble is written down, and not made again [S1] [S8] [R2]', async () => {
    let met = 0;
    for (let used = 795; used <= 800; used++) {
      await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
      const put = (from: number, to: number, more = {}) =>
        world.sync.hosts.put(
          'demo',
          'case',
          Array.from({ length: to - from }, (_, n) => ({
            id: `r${from + n}`,
            fields: { title: `Case ${from + n}`, ...more },
          })),
        );
      await put(0, 2);
      await world.settle();
      await put(0, 2, { summary: 'new' });
      await put(2, 6);
      // The call is refused as a whole, so that its parts go one by one, and the allowance ends amid them.
      const body = [{ errorCode: 'JSON_PARSER_ERROR', message: 'Cannot deserialize' }];
      let isFaulty = true;
      const process = world.process({
        async crash(point) {
          if (point !== 'merged' || !isFaulty) return;
          isFaulty = false;
          await world.control('POST', 'settings', { apiMax: 1_000, apiUsed: used });
          await world.control('POST', 'faults', { type: 'status', status: 400, times: 1, body });
        },
      });
      await process.sync.runner.runAllDue('demo', await process.org()).catch(() => {
        met++;
      });
      await world.control('POST', 'settings', { apiMax: 100_000, apiUsed: 0 });
      const unknown = { apiUsed: null, apiMax: null, apiAt: null, limitedUntil: 0 };
      await world.app.store.connections.patch('demo', unknown);
      world.clock.advance(900_000);
      await world.settle();
      expect(await world.records('Opportunity'), `used ${used}`).toHaveLength(6);
    }
    expect(met, 'it met trouble').toBeGreaterThan(0);
  });
});
