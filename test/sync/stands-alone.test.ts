import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { Mapping, Rule } from '../../src/domain/mapping.ts';
import { compileMapping } from '../../src/sync/mapping/compile.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { previewMapping } from '../../src/sync/mapping/preview.ts';
import { sampleWarnings, saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { describeStores } from '../support/databases.ts';
import { status } from './status-of.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

const BIRTH: Rule = {
  local: ['birth'],
  remote: ['Birthdate'],
  direction: 'to_crm',
  transforms: [{ use: 'date', form: 'date' }],
};
const mapped = (...more: Rule[]): Mapping => ({
  ...defaultMapping('party'),
  rules: [...defaultMapping('party').rules, ...more],
});

async function save(world: SyncWorld, mapping: Mapping, version = 0) {
  const deps = { store: world.store, now: () => world.clock.now };
  return saveMapping(deps, { bot: 'demo', org: await world.org(), kind: 'party', mapping, version, by: 'test' });
}

/** The database itself refuses one record. */
const POISON = {
  SQLite: [
    `create trigger poison before insert on "hostRecords" when new.id = 'b' begin select raise(abort, 'poison'); end`,
  ],
  PostgreSQL: [
    `create function poisoned() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$`,
    `create trigger poison before insert on "hostRecords" for each row when (new.id = 'b') execute function poisoned()`,
  ],
} as const;

describeStores((name, openFresh) => {
  it('goes on with everybody else, and with the other fields, when one value cannot be worked on [G01]', async () => {
    await using world = await createSyncWorld(openFresh);
    await save(world, mapped(BIRTH));
    const hostile = { bad1: 1791888000000000000, bad2: -9e15, bad3: 1e300 };
    for (const [id, birth] of Object.entries(hostile))
      await world.put(id, { email: `${id}@t.example`, name: `Bad ${id}`, birth });
    await world.put('good', { email: 'good@t.example', name: 'Good N' });
    await world.worker.turn('demo');
    expect((await world.records()).map(({ Email }) => Email).sort()).toEqual([
      'bad1@t.example',
      'bad2@t.example',
      'bad3@t.example',
      'good@t.example',
    ]);
    expect((await world.link('good')).error).toBeNull();
    for (const id of Object.keys(hostile)) {
      expect((await world.link(id)).error).toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('Birthdate'),
      });
      // What one person asks for works as well.
      const sync = world.sync.forBot('demo', await world.org(), true);
      expect((await sync.previewParty(id)).warnings?.join(' ')).toContain('Birthdate');
      expect((await sync.syncParty(id)).warnings?.join(' ')).toContain('Birthdate');
    }
    world.clock.advance(15 * 60_000);
    const { problems } = await status(world);
    expect(problems.map(({ code, count }) => [code, count])).toEqual([['invalid_input', 3]]);
    // The operator can look at the mapping, and take the rule out.
    const describe = await (await world.org()).describe('Contact');
    const lines = previewMapping(compileMapping(mapped(BIRTH), describe), await world.host('bad1'), undefined);
    expect(lines.find(({ rule }) => rule === 'Birthdate')?.sends ?? {}).toEqual({});
    expect(lines.find(({ rule }) => rule === 'Email')?.sends).toEqual({ Email: 'bad1@t.example' });
    expect(JSON.stringify(await sampleWarnings(world.store, 'demo', mapped(BIRTH), describe))).toContain('bad');
    expect((await save(world, mapped(), 1)).version).toBe(2);
  });

  it('lets one record that the database does not take wait with its reason, and brings the others in [G01]', async () => {
    await using world = await createSyncWorld(openFresh);
    for (const id of ['a', 'b', 'c']) await world.put(id, { email: `${id}@t.example`, name: `Person ${id}` });
    await world.settle();
    world.clock.advance(60_000);
    const idOf = async (id: string) => (await world.link(id)).sfId ?? '';
    for (const id of ['a', 'b', 'c']) await world.edit(await idOf(id), { Description: `of ${id}` });
    for (const statement of POISON[name]) await sql.raw(statement).execute(world.fresh.database.kysely);
    world.clock.advance(300_000);
    await world.worker.turn('demo');
    for (const id of ['a', 'c']) expect((await world.host(id)).fields.notes).toBe(`of ${id}`);
    const stuck = await world.link('b');
    expect(stuck.error).toMatchObject({ code: 'internal', message: expect.stringContaining('poison') });
    expect(stuck.nextAt).toBeGreaterThan(world.clock.now);
    world.clock.advance(15 * 60_000);
    await world.worker.turn('demo');
    expect((await status(world)).problems).toEqual([
      expect.objectContaining({ count: 1, examples: [{ kind: 'party', localId: 'b' }] }),
    ]);
    await sql
      .raw(name === 'SQLite' ? 'drop trigger poison' : 'drop trigger poison on "hostRecords"')
      .execute(world.fresh.database.kysely);
    world.clock.advance(3_700_000);
    await world.worker.turn('demo');
    expect((await world.host('b')).fields.notes).toBe('of b');
    expect((await world.link('b')).error).toBeNull();
  });

  it.each([true, false])(
    'goes on by its own mark where Email cannot be looked up, known beforehand: %s [G18]',
    async (isKnown) => {
      await using world = await createSyncWorld(openFresh);
      await world.control('POST', 'settings', { shieldFields: ['Contact.Email'] });
      // Else the org says it only when it is asked.
      if (isKnown) await (await world.org()).describe('Contact', { isFresh: true });
      await world.put('with', { email: 'with@t.example', name: 'With Mail' });
      await world.put('without', { name: 'Without Mail' });
      for (let turn = 0; turn < 3; turn++) {
        await world.worker.turn('demo').catch(() => {});
        world.clock.advance(60_000);
      }
      expect((await world.records()).map(({ LastName }) => LastName).sort()).toEqual(['Mail', 'Mail']);
      const { problems } = await status(world);
      expect(problems).toEqual([
        expect.objectContaining({
          message: expect.stringContaining('Contact.Email cannot be looked up'),
          next: expect.stringContaining('Gatehouse_Id__c'),
        }),
      ]);
      // Linked people follow as ever.
      await world.put('with', { phone: '1' });
      await world.worker.turn('demo');
      expect((await world.records()).map(({ Phone }) => Phone ?? null).sort()).toEqual(['1', null]);
    },
  );

  it('tries again what was answered in the place of Salesforce, whether or not it was done [S6]', async () => {
    await using world = await createSyncWorld(openFresh);
    const answers = [
      { type: 'status', status: 200, body: {} },
      { type: 'status', status: 400, body: [] },
      { type: 'status', status: 404, body: {} },
      { type: 'redirect' },
    ];
    for (const [n, answer] of answers.entries())
      for (const when of ['before', 'after']) {
        const id = `p${n}${when}`;
        await world.put(id, { email: `${id}@t.example`, name: `Person ${id}` });
        const match = { path: '/sobjects/Contact(/Gatehouse_Id__c|$)' };
        await world.control('POST', 'faults', { ...answer, when, times: 1, match });
        await world.worker.turn('demo').catch(() => {});
        expect(await world.link(id), id).toMatchObject({ state: expect.not.stringMatching('active') });
        for (let turn = 0; turn < 3; turn++) {
          world.clock.advance(20 * 60_000);
          await world.worker.turn('demo').catch(() => {});
        }
        expect(await world.link(id), id).toMatchObject({ state: 'active', error: null });
      }
    expect((await world.records()).map(({ Email }) => Email).sort()).toHaveLength(answers.length * 2);
  });

  it('holds only people with an email where nothing else could tell who they are [G18]', async () => {
    await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
    await world.control('POST', 'settings', { shieldFields: ['Contact.Email'] });
    await world.put('with', { email: 'with@t.example', name: 'With Mail' });
    await world.put('without', { name: 'Without Mail' });
    for (let turn = 0; turn < 3; turn++) {
      await world.worker.turn('demo').catch(() => {});
      world.clock.advance(60_000);
    }
    expect((await world.records()).map(({ FirstName }) => FirstName)).toEqual(['Without']);
    expect((await world.link('with')).error?.message).toContain('Contact.Email cannot be looked up');
    const { problems } = await status(world);
    expect(problems.map(({ message }) => message).join(' ')).toContain('Contact.Email cannot be looked up');
    expect(JSON.stringify(problems)).not.toContain('no process works on them');
  });
});
