import { expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { GatehouseError } from '../../src/domain/errors.ts';
import { syncStatus } from '../../src/sync/jobs/status.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { describeStores } from '../support/databases.ts';
import { bodyOf, deedsOf, door } from './door.ts';
import { createSyncWorld, type Process, type SyncWorld } from './world.ts';

type Change = (policy: Policy) => Policy;
const action = (own: Partial<Policy['actions'][string]> | undefined): Change => {
  return ({ actions: { SyncParty, ...others }, ...policy }) => ({
    ...policy,
    actions: own && SyncParty ? { ...others, SyncParty: { ...SyncParty, ...own } } : others,
  });
};

/** What policy says of people, the code that who asks is told, and whether a person may still approve one. */
const STOPS: readonly [string, Change, string, boolean][] = [
  ['the mode ask', (policy) => ({ ...policy, mode: 'ask' }), 'off', true],
  ['a kill switch', (policy) => ({ ...policy, off: ['SyncParty'] }), 'off', false],
  ['deny', action({ decision: 'deny' }), 'permission_denied', false],
  ['never', action({ decision: 'never' }), 'permission_denied', false],
  ['no entry', action(undefined), 'permission_denied', false],
  ['confirm', action({ decision: 'confirm' }), 'off', true],
  ['a rule that asks', action({ rules: [{ if: { environment: 'simulated' }, then: 'confirm' }] }), 'off', true],
];

const account = (change: object): Change => {
  return (policy) => ({
    ...policy,
    objects: { ...policy.objects, Account: { ...policy.objects.Account!, ...change } },
  });
};

describeStores((_name, openFresh) => {
  it.each<readonly [string, Change, string]>([
    ...STOPS.map(([name, change, code]) => [name, change, code] as const),
    ['the mode off', (policy) => ({ ...policy, mode: 'off' }), 'off'],
    ['the mode read-only', (policy) => ({ ...policy, mode: 'read-only' }), 'off'],
    ['an Account that may not be written', account({ write: false }), 'permission_denied'],
    ['an Account that may not be read', account({ read: false }), 'permission_denied'],
    ['a denied name', account({ denyFields: ['Name'] }), 'permission_denied'],
    ['a name that is not among the open fields', account({ allowFields: ['Phone'] }), 'permission_denied'],
  ])('makes no company by hand under what would stop its people: %s [P5] [K7]', async (_, change, code) => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await world.setPolicy(change);
    const before = await world.records('Account');
    const wish = { object: 'Account', name: 'Side Door Ltd', create: true };
    const refused = ask('POST', '/api/bots/demo/sync/parents', wish);
    await expect(refused).rejects.toMatchObject({ code, next: expect.stringMatching(/Salesforce|switches it on/) });
    expect(await world.records('Account')).toEqual(before);
    expect(await deedsOf(world)).toMatchObject([{ event: 'refused', object: 'Account', detail: { code } }]);
  });

  it('makes a company by hand once, of an object that the mapping names, and says so in log and audit [P5] [K7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const parents = '/api/bots/demo/sync/parents';
    await ask('POST', parents, { object: 'Account', name: 'Front Door Ltd', create: true });
    const made = (await world.records('Account')).filter(({ Name }) => Name === 'Front Door Ltd');
    expect(made).toHaveLength(1);
    const recordId = String(made[0]?.Id);
    expect(await world.log('front door ltd')).toMatchObject([
      { operation: 'create', direction: 'to_crm', sfId: recordId },
    ]);
    expect(await deedsOf(world)).toMatchObject([
      { event: 'permitted', object: 'Account', recordId: null },
      { event: 'created', object: 'Account', recordId },
    ]);
    await world.control('POST', 'faults', {
      type: 'drop',
      when: 'after',
      times: 1,
      match: { path: 'sobjects/Account' },
    });
    await ask('POST', parents, { object: 'Account', name: 'Side Door Ltd', create: true });
    await ask('POST', parents, { object: 'Account', name: 'side door ltd', create: true });
    expect((await deedsOf(world)).slice(2).map(({ event }) => event)).toEqual(['permitted', 'created', 'linked']);
    await expect(ask('POST', parents, { object: 'Lead', name: 'Elsewhere', create: true })).rejects.toMatchObject({
      code: expect.stringMatching(/invalid_input|permission_denied/),
    });
  });

  it.each(STOPS)("writes no person on nobody's word: %s [P5] [K7]", async (_, change, code, mayApprove) => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/parties/p0', { email: 'p0@example.com', name: 'Before' });
    await world.settle();
    await world.setPolicy(change);
    await ask('PUT', '/api/parties/p1', { email: 'ada@example.com', name: 'Ada' });
    await ask('PUT', '/api/parties/p0', { phone: '7' });
    // A case names a person nobody knows: in a mode that asks it waits as well, else it goes without them.
    const parties = [{ externalId: 'p2', role: 'complainant', name: 'Bob', email: 'bob@example.com' }];
    await ask('PUT', '/api/cases/c1', { title: 'Crane', expectedDate: '2026-06-30', status: 'open', parties });
    const before = await world.records();
    for (let turn = 0; turn < 3; turn++) {
      await world.worker.turn('demo');
      world.clock.advance(200_000);
    }
    await expect(ask('POST', '/api/crm/salesforce/sync', { customerId: 'p1' })).rejects.toMatchObject({ code });
    await expect(ask('POST', '/api/bots/demo/sync/batches', { kind: 'party' })).rejects.toMatchObject({ code });
    const later = await bodyOf(
      ask('POST', '/api/bots/demo/sync/batches', { kind: 'party', startAt: '2026-05-04T11:00:00Z' }),
    );
    world.clock.advance(3_600_000);
    await world.worker.turn('demo');
    expect(await bodyOf(ask('GET', `/api/bots/demo/sync/batches/${later.id}`))).toMatchObject({
      state: 'paused',
      note: expect.stringMatching(/SyncParty|"ask"/),
    });
    expect(await world.records()).toEqual(before);
    expect(await world.records('Opportunity')).toHaveLength(_ === 'the mode ask' ? 0 : 1);
    const { orgId } = await world.org();
    const { problems } = await syncStatus(world.delivery, { bot: 'demo', orgId });
    expect(problems).toContainEqual(
      expect.objectContaining({ code, next: expect.stringContaining('nothing is lost') }),
    );
    if (mayApprove) expect(await world.party('p1')).toMatchObject({ operation: 'create' });
    else await expect(world.party('p1')).rejects.toMatchObject({ code });
    // All of it follows once it may.
    await ask('POST', `/api/bots/demo/sync/batches/${later.id}/cancel`);
    await world.setPolicy((policy) =>
      action({ decision: 'auto', rules: [] })({
        ...policy,
        mode: 'automatic',
        off: [],
        actions: {
          ...policy.actions,
          SyncParty: policy.actions.SyncParty ?? {
            decision: 'auto',
            assurance: 'client',
            rules: [],
            autoFields: [],
            expose: [],
          },
        },
      }),
    );
    await world.settle();
    expect((await world.records()).map((row) => row.Phone ?? row.LastName).sort()).toEqual(['7', 'Ada', 'Bob']);
  });

  it('stops a run under way between its chunks when policy closes the kind [P5] [K7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ids = Array.from({ length: 450 }, (_, n) => `p${n}`);
    await world.sync.hosts.put(
      'demo',
      'party',
      ids.map((id) => ({ id, fields: { name: `Person ${id}`, email: `${id}@example.com` } })),
    );
    const closing = world.process({
      crash: async (point) => {
        if (point === 'merged') await world.setPolicy((policy) => ({ ...policy, off: ['SyncParty'] }));
      },
    });
    await closing.sync.runner.runAllDue('demo', await closing.org());
    expect((await world.records()).length).toBeLessThanOrEqual(200);
  });

  const noPhone: Change = (policy) => ({
    ...policy,
    objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['Phone'] } },
  });
  const SAVED: readonly [string, (world: SyncWorld) => Promise<unknown>][] = [
    ['a rule on values', (world) => world.setPolicy(action({ rules: [{ if: { fieldIn: ['Phone'] }, then: 'deny' }] }))],
    ['a denied field', (world) => world.setPolicy(noPhone)],
    ['the mode read-only', (world) => world.setMode('read-only')],
    [
      'a mapping without it',
      (world) => {
        const shipped = defaultMapping('party');
        const rules = shipped.rules.filter(({ local }) => !local.includes('phone'));
        const mapping = { ...shipped, rules };
        const row = { bot: 'demo', kind: 'party' as const, version: 1, mapping, at: 0, by: 'ada' };
        return world.store.mappings.add(row);
      },
    ],
  ];
  const PATHS: readonly [string, (one: Process) => Promise<unknown>][] = [
    ['what is due', async (one) => one.sync.runner.runAllDue('demo', await one.org())],
    [
      'a batch',
      async (one) => {
        const org = await one.org();
        await one.sync.batches.start('demo', org.orgId, 'party');
        await one.sync.batches.step('demo', org);
      },
    ],
    ['one call', (one) => one.party('p0')],
  ];
  it.each(SAVED.flatMap(([what, save]) => PATHS.map(([way, go]) => [what, way, save, go] as const)))(
    'sends nothing that was planned before %s was saved, on the way of %s [P5] [K7]',
    async (_, way, save, go) => {
      await using world = await createSyncWorld(openFresh);
      const people = [0, 1, 2].map((n) => ({
        id: `p${n}`,
        fields: { name: `P ${n}`, email: `p${n}@a.example`, phone: '7' },
      }));
      await world.sync.hosts.put('demo', 'party', people);
      let isSaved = false;
      const saving = world.process({
        crash: async (point) => {
          if (point !== 'merged' || isSaved) return;
          isSaved = true;
          await save(world);
        },
      });
      await go(saving).catch((error: unknown) => {
        if (!(error instanceof GatehouseError)) throw error;
        expect(error.code).toMatch(way === 'one call' ? /off|conflict|permission_denied/ : /off/);
        expect(error.message).not.toContain('worker');
      });
      expect(isSaved).toBe(true);
      expect((await world.records()).filter(({ Phone }) => Phone !== null && Phone !== undefined)).toEqual([]);
      // Nothing is lost: by the new rules they follow.
      await world.setPolicy((policy) => action({ rules: [] })({ ...policy, mode: 'automatic' }));
      for (const { id, state } of await world.sync.batches.list('demo'))
        if (state === 'paused') await world.sync.batches.resume('demo', id);
      await world.sync.batches.work('demo', await world.org());
      await world.settle();
      expect((await world.records()).map(({ LastName }) => LastName).sort()).toEqual(['0', '1', '2']);
    },
  );
});
