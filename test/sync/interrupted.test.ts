import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/domain/errors.ts';
import type { Mapping } from '../../src/domain/mapping.ts';
import type { Org } from '../../src/ports/salesforce.ts';
import type { CrashPoint } from '../../src/ports/sync.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { describeStores } from '../support/databases.ts';
import { Crash, crashAt, createSyncWorld, type SyncWorld } from './world.ts';

const ada = { email: 'ada@example.com', name: 'Ada Lovelace' };
const HOUR_MS = 3_600_000;

const map = (world: SyncWorld, change: Partial<Mapping>) =>
  world.store.mappings.add({
    bot: 'demo',
    kind: 'party',
    version: 1,
    mapping: { ...defaultMapping('party'), ...change },
    by: 'ada',
    at: 1,
  });

/** A case that has been at rest for an hour. */
async function restingCase(world: SyncWorld) {
  await world.put('c1', { title: 'A case' }, { kind: 'case' });
  await world.settle();
  world.clock.advance(HOUR_MS);
  await world.settle();
}

const name = (world: SyncWorld, party: string) =>
  world.put('c1', {}, { kind: 'case', parties: [{ party, role: 'complainant' }] });

const roles = (world: SyncWorld) => world.records('OpportunityContactRole');

/** The first write that speaks of Acme meets an org that is away. */
function awayOnce(org: Org): Org {
  let isAway = true;
  return {
    ...org,
    graph: async (graphs) => {
      mustBeThere(graphs);
      return org.graph(graphs);
    },
    collections: {
      async send(parts, options) {
        mustBeThere(parts);
        return org.collections.send(parts, options);
      },
    },
  };

  function mustBeThere(written: unknown): void {
    if (!isAway || !JSON.stringify(written).includes('Acme')) return;
    isAway = false;
    throw new GatehouseError('salesforce_unavailable', 'away', { next: 'wait', retryable: true });
  }
}

describeStores((database, openFresh) => {
  describe('a create under way', () => {
    it.each([{ withoutExternalId: false }, { withoutExternalId: true }])(
      'is not given to the next person with its email, %o [sync-P2] [sync-P8]',
      async (options) => {
        await using world = await createSyncWorld(openFresh, options);
        await world.put('p1', { ...ada, notes: 'private to p1' });
        await world.put('p2', { ...ada, notes: 'of p2' });
        const second: unknown[] = [];
        const racer = world.process({
          crash: async (point) => {
            if (point === 'created-sent' && second.length === 0)
              second.push(await world.party('p2').catch((error: GatehouseError) => error.code));
          },
        });
        expect(await racer.party('p1')).toMatchObject({ operation: 'create' });
        expect(second).toEqual(['ambiguous']);
        world.clock.advance(200_000);
        await world.settle();
        expect(await world.link('p1')).toMatchObject({ state: 'active' });
        expect(await world.link('p2')).toMatchObject({ state: 'ambiguous', sfId: null });
        expect((await world.host('p2')).fields.notes).toBe('of p2');
        expect(await world.records()).toMatchObject([{ Description: 'private to p1' }]);
      },
    );

    it('is found by the email that it was sent with, whatever the host says by now [sync-P8]', async () => {
      await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
      await world.put('p1', ada);
      await expect(world.process({ crash: crashAt('created-sent') }).party('p1')).rejects.toThrow();
      await world.put('p1', { email: 'new@example.com' });
      world.clock.advance(200_000);
      await world.settle();
      expect(await world.records()).toMatchObject([{ Email: 'new@example.com' }]);
    });

    it('is never mistaken for a namesake who stood there before [S1] [sync-P8]', async () => {
      await using world = await createSyncWorld(openFresh, { withoutExternalId: true });
      const stranger = { FirstName: 'John', LastName: 'Smith', Phone: '999', Email: 'stranger@example.com' };
      await world.add(stranger);
      world.clock.advance(HOUR_MS);
      await world.put('p1', { name: 'John Smith', phone: '1' });
      await expect(world.process({ crash: crashAt('merged') }).party('p1')).rejects.toThrow();
      world.clock.advance(200_000);
      await world.settle();
      expect((await world.host('p1')).fields).toEqual({ name: 'John Smith', phone: '1' });
      expect(await world.records()).toMatchObject([stranger, { LastName: 'Smith', Phone: '1' }]);
      // Its own create is, though no key says so.
      await world.put('p2', { name: 'Mary Smith', phone: '2' });
      await expect(world.process({ crash: crashAt('created-sent') }).party('p2')).rejects.toThrow();
      world.clock.advance(200_000);
      await world.settle();
      expect(await world.records()).toHaveLength(3);
      expect(await world.link('p2')).toMatchObject({ state: 'active' });
    });

    it('is deleted again where the host deleted the person meanwhile and the mapping says so [S1]', async () => {
      await using world = await createSyncWorld(openFresh);
      await map(world, { onHostDelete: 'delete' });
      await world.put('p1', ada);
      await expect(world.process({ crash: crashAt('created-sent') }).party('p1')).rejects.toThrow();
      await world.sync.hosts.remove('demo', 'party', 'p1');
      world.clock.advance(200_000);
      await world.settle();
      expect(await world.records()).toEqual([]);
    });

    it('does not take the answers of its whole part with it when another holds its record [sync-P8]', async () => {
      await using world = await createSyncWorld(openFresh);
      await map(world, { lookup: null });
      await world.control('POST', 'settings', { duplicates: 'block' });
      for (let n = 0; n < 20; n++) await world.put(`x${n}`, { email: `x${n}@example.com`, name: `X ${n}` });
      for (const id of ['p1', 'p2']) await world.put(id, ada);
      await world.sync.runner.runAllDue('demo', await world.org());
      const { orgId } = await world.org();
      const links = await world.store.links.list({ bot: 'demo', orgId, kind: 'party' }, { limit: 100 });
      expect(links.filter((link) => link.state === 'active')).toHaveLength(21);
      expect(links.filter((link) => link.state === 'ambiguous')).toHaveLength(1);
    });
  });

  describe('the role of a person', () => {
    it('follows when another worker was making the contact [S1] [sync-P10]', async () => {
      await using world = await createSyncWorld(openFresh);
      await restingCase(world);
      await world.put('p1', ada);
      await name(world, 'p1');
      const seen: unknown[] = [];
      const racer = world.process({
        crash: async (point) => {
          if (point === 'merged' && seen.length === 0) seen.push((await world.case('c1')).warnings);
        },
      });
      await racer.sync.runner.runClaims('demo', await racer.org(), 'party', { due: 'dirty' });
      expect(seen).toEqual([['p1 has no Contact yet, so no role here.']]);
      await world.settle();
      expect(await roles(world)).toHaveLength(1);
    });

    it.each(['sobjects/Contact', 'composite'])('follows after a lock of %s [S1] [sync-P10]', async (path) => {
      await using world = await createSyncWorld(openFresh);
      await restingCase(world);
      await world.put('p1', ada);
      if (path === 'composite') await world.settle();
      await name(world, 'p1');
      await world.control('POST', 'faults', { type: 'lock', match: { path } });
      await world.case('c1').catch(() => {});
      await world.control('POST', 'faults', { clear: true });
      await world.settle();
      expect(await roles(world)).toHaveLength(1);
      expect(await world.link('c1', 'case')).toMatchObject({ error: null });
    });
  });

  it.each([1, 2])('does not make %i without the account that was to be made first [S1] [S4]', async (people) => {
    await using world = await createSyncWorld(openFresh);
    const rules = defaultMapping('party').rules.map((rule) =>
      rule.remote[0] === 'Account.Name' ? { ...rule, parent: 'find_or_create' as const } : rule,
    );
    await map(world, { rules });
    const put = async (n: number) =>
      world.put(`p${n}`, { name: `Person Nr${n}`, email: `p${n}@t.example`, company: 'Acme' });
    for (let n = 0; n < people; n++) await put(n);
    const org = await world.org();
    await expect(world.sync.runner.runAllDue('demo', awayOnce(org))).rejects.toMatchObject({
      code: 'salesforce_unavailable',
    });
    // Its claim is free again at once.
    world.clock.advance(30_000);
    await world.sync.runner.runAllDue('demo', org);
    const [acme] = await world.records('Account');
    expect((await world.records()).map(({ AccountId }) => AccountId)).toEqual(Array(people).fill(acme?.Id));
  });

  it('comes to rest when what the host deleted is gone in Salesforce already [sync-P6]', async () => {
    await using world = await createSyncWorld(openFresh);
    await map(world, { onHostDelete: 'delete' });
    await world.put('p1', ada);
    await world.settle();
    world.clock.advance(HOUR_MS);
    await (await world.org()).remove('Contact', (await world.link('p1')).sfId ?? '');
    await world.sync.hosts.remove('demo', 'party', 'p1');
    await world.settle();
    expect(await world.link('p1')).toMatchObject({ state: 'unlinked', error: null });
    await world.put('p1', ada);
    await world.settle();
    expect(await world.records()).toMatchObject([{ Email: ada.email }]);
  });

  describe('a switch', () => {
    it('turned while a call waits for its turn is heeded [P5]', async () => {
      await using world = await createSyncWorld(openFresh);
      await world.put('p1', ada);
      const { id, orgId } = await world.link('p1');
      const { now } = world.clock;
      const lease = { owner: 'another', now, until: now + 60_000, limit: 1 };
      const claims = await world.store.links.claim({ bot: 'demo', orgId }, { due: 'ids', ids: [id] }, lease);
      const call = world.party('p1').catch((error: GatehouseError) => error.code);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await world.setMode('off');
      await world.store.links.release(claims);
      expect(await call).toBe('off');
      expect(await world.records()).toEqual([]);
    });

    it('turned in the middle of a pass stops what was not sent yet, and the next pass sends it once [P5] [sync-P8]', async () => {
      await using world = await createSyncWorld(openFresh);
      for (let n = 0; n < 450; n++) await world.put(`p${n}`, { email: `p${n}@example.com`, name: `P ${n}` });
      let chunks = 0;
      const switched = world.process({
        crash: (point) => (point === 'merged' && ++chunks === 2 ? world.setMode('read-only') : undefined),
      });
      await expect(switched.sync.runner.runAllDue('demo', await switched.org())).rejects.toMatchObject({ code: 'off' });
      expect(await world.records()).toEqual([]);
      await world.setMode('automatic');
      await world.settle();
      expect(await world.records()).toHaveLength(450);
    });
  });

  it('ends a batch whose object the mapping no longer names, so that the next can start [S3] [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', ada);
    const org = await world.org();
    const { id } = await world.sync.batches.start('demo', org.orgId, 'party');
    const company = { use: 'default' as const, value: '[none]' };
    const mapping: Mapping = {
      ...defaultMapping('party'),
      object: 'Lead',
      rules: [
        ...defaultMapping('party').rules.slice(0, 3),
        { local: ['company'], remote: ['Company'], direction: 'both', transforms: [company] },
      ],
    };
    const deps = { store: world.store, now: () => world.clock.now };
    await saveMapping(deps, { bot: 'demo', org, kind: 'party', mapping, version: 0, by: 'ada' });
    expect(await world.sync.batches.status('demo', id)).toMatchObject({
      state: 'cancelled',
      note: expect.stringContaining('another object'),
    });
    const next = await world.sync.batches.start('demo', org.orgId, 'party');
    await world.sync.batches.work('demo', org);
    expect(await world.sync.batches.status('demo', next.id)).toMatchObject({ state: 'done', total: 1 });
    expect(await world.records('Lead')).toHaveLength(1);
  });

  it.each([0, 1])(
    'tells every link that a rule changed although whoever saved the mapping died after %i pages of them [S4] [S8]',
    async (pages) => {
      await using world = await createSyncWorld(openFresh);
      const ids = Array.from({ length: 300 }, (_, n) => `p${String(n).padStart(3, '0')}`);
      const people = ids.map((id) => ({ id, fields: { email: `${id}@example.com`, name: `Person ${id}`, phone: id } }));
      await world.sync.hosts.put('demo', 'party', people);
      await world.settle();
      const { rules, ...rest } = defaultMapping('party');
      const rule = { local: ['phone'], remote: ['MobilePhone'], direction: 'to_crm', transforms: [] } as const;
      let left = pages;
      const crash = (point: CrashPoint) => {
        if (point === 'links-followed' && left-- === 0) throw new Crash(point);
      };
      const { store } = world.process({ crash });
      const deps = { store, now: () => world.clock.now, crash };
      const mapping: Mapping = { ...rest, rules: [...rules, rule] };
      await expect(
        saveMapping(deps, { bot: 'demo', org: await world.org(), kind: 'party', mapping, version: 0, by: 'ada' }),
      ).rejects.toThrow(Crash);
      // Meanwhile a link agreed on something else, which the telling keeps.
      await world.put('p299', { jobTitle: 'meanwhile' });
      world.clock.advance(300_000);

      await world.process().worker.turn('demo');
      const told = (await world.records()).map(({ MobilePhone }) => MobilePhone);
      expect(told.sort()).toEqual(ids);
      const scope = { bot: 'demo', orgId: (await world.org()).orgId };
      expect(await world.store.mappings.follows(scope)).toEqual([]);
      // The end of it is an end: the next turns write nothing.
      world.clock.advance(60_000);
      expect(await world.calls(() => world.worker.turn('demo'))).toBeLessThan(3);
    },
  );

  it('asks a lock once and waits, instead of reading and asking again [sync-P30]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', ada);
    await world.control('POST', 'faults', { type: 'lock', match: { path: 'sobjects/Contact' } });
    const call = () => expect(world.party('p1')).rejects.toMatchObject({ message: expect.stringContaining('locked') });
    expect(await world.calls(call)).toBeLessThanOrEqual(4);
    expect(await world.link('p1')).toMatchObject({ attempts: 1 });
  });

  it.skipIf(database === 'SQLite')('swaps the emails of many pairs from two workers at once [sync-P23]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.control('POST', 'settings', { duplicates: 'off' });
    const put = async (first: string, second: string) => {
      for (let n = 0; n < 40; n++) {
        await world.put(`p${n}`, { name: `P ${n}`, email: `${first}${n}@example.com` });
        await world.put(`q${n}`, { name: `Q ${n}`, email: `${second}${n}@example.com` });
      }
    };
    await put('p', 'q');
    await world.settle();
    world.clock.advance(60_000);
    await put('q', 'p');
    const { orgId } = await world.org();
    const links = await world.store.links.list({ bot: 'demo', orgId, kind: 'party' }, { limit: 100 });
    const halves = ['p', 'q'].map((side) =>
      links.filter((link) => link.localId.startsWith(side)).map((link) => link.id),
    );
    const other = world.process();
    await Promise.all([
      world.sync.runner.runClaims('demo', await world.org(), 'party', { due: 'ids', ids: halves[0] ?? [] }),
      other.sync.runner.runClaims('demo', await other.org(), 'party', { due: 'ids', ids: halves[1] ?? [] }),
    ]);
    await world.settle();
    expect((await world.records()).map(({ LastName, Email }) => [LastName, Email])).toEqual(
      expect.arrayContaining([
        ['0', 'q0@example.com'],
        ['39', 'p39@example.com'],
      ]),
    );
  });
});
