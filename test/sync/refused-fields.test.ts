import { expect, it } from 'vitest';
import type { Mapping, Rule } from '../../src/domain/mapping.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { sendParts, toParts } from '../../src/sync/remote/collection-write.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

const plain = (local: string, remote: string): Rule => ({
  local: [local],
  remote: [remote],
  direction: 'both',
  transforms: [],
});

async function save(world: SyncWorld, more: Partial<Mapping>, rules: readonly Rule[] = []) {
  const mapping = { ...defaultMapping('party'), ...more, rules: [...defaultMapping('party').rules, ...rules] };
  const deps = { store: world.store, now: () => world.clock.now };
  await saveMapping(deps, { bot: 'demo', org: await world.org(), kind: 'party', mapping, version: 0, by: 'test' });
}

const drain = async (world: SyncWorld) => world.sync.runner.runAllDue('demo', await world.org());

describeStores((_name, openFresh) => {
  it('leaves behind what a refusal names and sends the rest, in create and update, one and many [G10]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.control('POST', 'settings', { countryPicklists: true });
    await save(world, {}, [plain('country', 'MailingCountry'), plain('site', 'Department')]);
    const bad = { country: 'Atlantis' };
    // One alone, then two in a batch: created without the country, each with its reason.
    await world.put('p1', { email: 'p1@t.example', name: 'Person One', phone: '1', ...bad });
    expect(await world.calls(() => drain(world))).toBeLessThanOrEqual(4);
    for (const id of ['p2', 'p3'])
      await world.put(id, { email: `${id}@t.example`, name: `Person ${id}`, phone: '1', ...bad });
    expect(await world.calls(() => drain(world))).toBeLessThanOrEqual(3);
    const expected = (phone: string) => Array.from({ length: 3 }, () => ({ Phone: phone, MailingCountry: null }));
    const shown = async () =>
      (await world.records()).map(({ Phone, MailingCountry = null }) => ({ Phone, MailingCountry }));
    expect(await shown()).toEqual(expected('1'));
    for (const id of ['p1', 'p2', 'p3']) {
      const link = await world.link(id);
      expect(link).toMatchObject({
        state: 'active',
        error: {
          message: expect.stringContaining('MailingCountry was not sent'),
          next: expect.stringContaining('Mend the value'),
        },
      });
      expect(link.error?.salesforce?.code).toBe('FIELD_INTEGRITY_EXCEPTION');
      expect((await world.log(id)).map(({ status, operation }) => `${operation} ${status}`).sort()).toEqual([
        'create success',
        'none failed',
      ]);
    }
    // The same when they change: the phone follows, alone and in a batch.
    world.clock.advance(3_600_000);
    await world.put('p1', { phone: '2' });
    await drain(world);
    for (const id of ['p2', 'p3']) await world.put(id, { phone: '2' });
    await drain(world);
    expect(await shown()).toEqual(expected('2'));
    expect(await world.calls(() => drain(world))).toBe(0);
    // Mended at the host it goes in, and nothing is left to tell.
    for (const id of ['p1', 'p2', 'p3']) await world.put(id, { country: 'Italy' });
    await drain(world);
    expect((await shown()).map(({ MailingCountry }) => MailingCountry)).toEqual(['Italy', 'Italy', 'Italy']);
    expect((await world.link('p2')).error).toBeNull();
  });

  it('holds the record whose required field is refused, and says which [G10]', async () => {
    await using world = await createSyncWorld(openFresh);
    await save(world, {}, []);
    await world.put('p1', { email: 'p1@t.example', phone: '1' });
    await drain(world);
    expect(await world.records()).toEqual([]);
    expect(await world.link('p1')).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('LastName'), next: expect.stringContaining('Give the field a value') },
    });
    // Cleared where it may not be empty: the others go.
    await world.put('p2', { email: 'p2@t.example', name: 'Person Two' });
    await drain(world);
    await world.put('p2', { name: null, phone: '7' });
    await drain(world);
    expect((await world.records()).map(({ LastName, Phone }) => [LastName, Phone])).toEqual([['Two', '7']]);
  });

  it('updates past a duplicate rule that warns where the mapping allows it, alone and in a batch, else the rest follows [G17]', async () => {
    for (const allowDuplicates of [true, false]) {
      await using world = await createSyncWorld(openFresh);
      await save(world, { allowDuplicates });
      await world.add({ LastName: 'Shared', Email: 'shared@example.com' });
      for (const id of ['p1', 'p2', 'p3'])
        await world.put(id, { email: `${id}@t.example`, name: `Person ${id}`, phone: '1' });
      await world.settle();
      await world.put('p1', { email: 'shared@example.com', phone: '222' });
      await world.party('p1').catch((error: unknown) => expect(allowDuplicates, String(error)).toBe(false));
      for (const id of ['p2', 'p3']) await world.put(id, { email: 'shared@example.com', phone: '222' });
      await drain(world);
      const mine = (await world.records()).filter(({ LastName }) => LastName !== 'Shared');
      expect(mine.map(({ Phone }) => Phone)).toEqual(['222', '222', '222']);
      const shared = mine.filter(({ Email }) => Email === 'shared@example.com');
      expect(shared).toHaveLength(allowDuplicates ? 3 : 0);
      expect((await world.link('p2')).error?.code).toBe(allowDuplicates ? undefined : 'duplicate');
    }
  });

  it('tries the rows of a part that is refused as a whole in smaller parts, until the bad one stands alone [G31]', async () => {
    await using world = await createSyncWorld(openFresh);
    const org = await world.org();
    let calls = 0;
    const rows = Array.from({ length: 200 }, (_, n) => ({
      item: n,
      method: 'create' as const,
      object: 'Contact',
      id: '',
      fields: { LastName: `Nr ${n}` },
    }));
    // The org that reads a whole part before it looks at its rows: everything else of it is real.
    const strict: Pick<typeof org, 'collections' | 'refusal'> = {
      refusal: org.refusal,
      collections: {
        async send(parts) {
          const isGood = (part: unknown) => !JSON.stringify(part).includes('"Nr 77"');
          const body = [{ errorCode: 'JSON_PARSER_ERROR', message: 'Cannot deserialize instance of date' }];
          const answers = [...(await org.collections.send(parts.filter(isGood)))];
          return parts.map((part) => (isGood(part) && answers.shift()) || org.refusal({ status: 400, body }));
        },
      },
    };
    const { outcomes } = await sendParts(strict, toParts(rows, 200), {
      onCall: () => calls++,
      mayGoOn: async () => true,
    });
    expect(outcomes).toHaveLength(200);
    expect(outcomes.filter(({ failure }) => failure).map(({ item, failure }) => [item, failure?.then])).toEqual([
      [77, 'field'],
    ]);
    expect(await world.records()).toHaveLength(199);
    expect(calls).toBeLessThanOrEqual(10);
  });
});
