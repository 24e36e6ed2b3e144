import { expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { type Mapping, mappingSchema } from '../../src/domain/mapping.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { saveMapping } from '../../src/sync/mapping/save-mapping.ts';
import { describeStores } from '../support/databases.ts';
import { status } from './status-of.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

const AS_CASES = {
  kind: 'case',
  object: 'Case',
  rules: [
    { local: 'title', remote: 'Subject' },
    { local: 'agent', remote: 'Owner.Email', parent: 'find' },
  ],
};

async function save(world: SyncWorld, mapping: Mapping) {
  const deps = { store: world.store, now: () => world.clock.now };
  const org = await world.org();
  return saveMapping(deps, { bot: 'demo', org, kind: mapping.kind, mapping, version: 0, by: 'test' });
}

async function open(world: SyncWorld, objects: Policy['objects']) {
  const row = await world.fresh.store.bots.get('demo');
  if (!row) throw new Error('there is no bot');
  const policy = { ...row.policy, objects: { ...row.policy.objects, ...objects } };
  await world.fresh.store.bots.savePolicy('demo', policy, 'ada', world.clock.now, row.policyRevision);
}

const READ = { read: true, write: false, denyFields: [], sensitiveFields: [], maskFields: [] };
const WRITE = { ...READ, write: true };

describeStores((_name, openFresh) => {
  it('looks at every kind that a parent may be, as far as it is there and open, and says which [G19]', async () => {
    await using world = await createSyncWorld(openFresh);
    await open(world, { Case: WRITE, User: READ });
    const { warnings } = await save(world, mappingSchema.parse(AS_CASES));
    expect(warnings).toContainEqual({
      name: 'rules.1.parent',
      problem: expect.stringMatching(/may be a (Group or User|User or Group).*parentObject/),
    });
    const [user] = await world.records('User');
    await world.put('c1', { title: 'Broken', agent: String(user?.Email) }, { kind: 'case' });
    await world.put('c2', { title: 'Lost', agent: 'nobody@t.example' }, { kind: 'case' });
    await world.put('c3', { title: 'Nobody' }, { kind: 'case' });
    await world.worker.turn('demo');
    const cases = await world.records('Case');
    expect(cases.map(({ Subject }) => Subject).sort()).toEqual(['Broken', 'Lost', 'Nobody']);
    expect(cases.find(({ Subject }) => Subject === 'Broken')?.OwnerId).toBe(user?.Id);
    expect((await world.link('c1', 'case')).waitsFor).toBeNull();
    // One that is not open is said where it matters, and stops nobody.
    const [lost] = (await world.link('c2', 'case')).waitsFor ?? [];
    expect(lost).toMatchObject({ name: 'nobody@t.example', message: expect.stringContaining('Group') });
    expect((await world.link('c3', 'case')).error).toBeNull();
    const sync = world.sync.forBot('demo', await world.org(), true);
    await world.put('c4', { title: 'Asked', agent: 'nobody@t.example' }, { kind: 'case' });
    expect((await sync.previewCase('c4')).warnings?.join(' ')).toContain('nobody@t.example');
    expect((await sync.syncCase('c4')).warnings?.join(' ')).toContain('nobody@t.example');
  });

  it('looks only at the kind that the rule names [G19]', async () => {
    await using world = await createSyncWorld(openFresh);
    await open(world, { Case: WRITE, User: READ, Group: READ });
    const [subject, owner] = AS_CASES.rules;
    const { warnings } = await save(
      world,
      mappingSchema.parse({ ...AS_CASES, rules: [subject, { ...owner, parentObject: 'User' }] }),
    );
    expect(JSON.stringify(warnings)).not.toContain('parentObject');
    const [user] = await world.records('User');
    await world.put('c1', { title: 'Broken', agent: String(user?.Email) }, { kind: 'case' });
    await world.worker.turn('demo');
    expect((await world.records('Case'))[0]?.OwnerId).toBe(user?.Id);
    const wrong = { ...AS_CASES, rules: [subject, { ...owner, parentObject: 'Account' }] };
    await expect(save(world, mappingSchema.parse(wrong))).rejects.toMatchObject({ code: expect.anything() });
  });

  it('asks about a company once, and counts nobody of it as failed [V3] [U13]', async () => {
    await using world = await createSyncWorld(openFresh);
    await save(world, defaultMapping('party'));
    for (const id of ['p1', 'p2', 'p3'])
      await world.put(id, { email: `${id}@t.example`, name: `P ${id}`, company: 'Bar NV' });
    await world.put('p4', { email: 'p4@t.example', name: 'P four', company: 'Twins' });
    for (const Name of ['Twins', 'Twins']) await world.add({ Name }, 'Account');
    const { id } = await world.sync.batches.start('demo', (await world.org()).orgId, 'party');
    await world.sync.batches.work('demo', await world.org());
    expect(await world.sync.batches.status('demo', id)).toMatchObject({ state: 'done', done: 4, failed: 0 });
    expect(await world.records()).toHaveLength(4);
    for (const person of ['p1', 'p2', 'p3', 'p4']) {
      const log = await world.log(person);
      expect(log.map(({ status: said }) => said)).toEqual(['success', 'success']);
      expect(log[0]?.operation).toBe('create');
      expect(await world.link(person)).toMatchObject({ state: 'active', error: null });
    }
    expect((await status(world)).problems).toEqual([
      expect.objectContaining({
        code: 'not_found',
        count: 3,
        message: expect.stringContaining('Bar NV'),
        next: expect.stringMatching(/recordId.*create.*leaveOut/),
      }),
      expect.objectContaining({ code: 'ambiguous', count: 1, examples: [expect.objectContaining({ localId: 'p4' })] }),
    ]);
    const { manualLinks } = world.sync;
    const org = await world.org();
    const [twin] = await world.records('Account');
    await manualLinks.linkParent('demo', org, 'Account', 'Twins', { recordId: String(twin?.Id) });
    // A second name of that one: told whose it is, one after the other and at once.
    const second = ['Twins', 'Twins Inc', 'Twins Ltd'].map((name) =>
      manualLinks.linkParent('demo', org, 'Account', name, { recordId: String(twin?.Id) }),
    );
    const ends = await Promise.allSettled(second);
    expect(ends.map((end) => (end.status === 'rejected' ? end.reason.message : end.value.sfId))).toEqual([
      twin?.Id,
      ...Array(2).fill('This Account is linked to twins.'),
    ]);
    await open(world, { Account: WRITE });
    await manualLinks.linkParent('demo', org, 'Account', 'Bar NV', 'create');
    await world.settle();
    const made = (await world.records('Account')).find(({ Name }) => Name === 'Bar NV');
    expect((await world.records()).filter(({ AccountId }) => AccountId === made?.Id)).toHaveLength(3);
    await world.put('p5', { email: 'p5@t.example', name: 'P five', company: 'Nowhere' });
    await world.settle();
    expect((await status(world)).problems).toHaveLength(1);
    await manualLinks.linkParent('demo', org, 'Account', 'Nowhere', 'leave out');
    await world.settle();
    expect((await status(world)).problems).toEqual([]);
  });

  it.each([{}, { withoutExternalId: true }])(
    'makes a company by hand once: asked again, in other letters, and with its answer lost, %o [S4]',
    async (options) => {
      await using world = await createSyncWorld(openFresh, options);
      await open(world, { Account: WRITE });
      const org = await world.org();
      const make = (name: string) => world.sync.manualLinks.linkParent('demo', org, 'Account', name, 'create');
      const named = async (name: string) =>
        (await world.records('Account')).filter(({ Name }) => String(Name).toLowerCase() === name);
      const first = await make('Bar NV');
      for (const name of ['Bar NV', 'BAR nv', ' bar NV ', 'Bar  NV', 'Bar\u00a0NV', 'bar\tnv'])
        expect((await make(name)).sfId).toBe(first.sfId);
      expect(await named('bar nv')).toHaveLength(1);
      expect((await world.log('bar nv')).map(({ operation }) => operation)).toEqual([
        ...Array(6).fill('none'),
        'create',
      ]);
      expect((await make('Wide  and   Far')).sfId).toBe((await make('Wide and Far')).sfId);
      expect(await named('wide and far')).toHaveLength(1);
      expect((await make('Caf\u00e9 NV')).sfId).toBe((await make('Cafe\u0301 NV')).sfId);

      const lost = { type: 'drop', when: 'after', match: { path: 'sobjects/Account' } };
      await world.control('POST', 'faults', { ...lost, times: 1 });
      expect(await make('Lost NV')).toMatchObject({ state: 'active', sfId: expect.any(String) });
      expect(await named('lost nv')).toHaveLength(1);

      // Nor can it be read back: told as not known, and found when it is asked for again.
      const cutOff: typeof org.create = async (...args) => {
        await world.control('POST', 'faults', [lost, { type: 'drop', match: { path: '/composite' } }]);
        return org.create(...args);
      };
      const cut = Object.assign(Object.create(org), { create: cutOff });
      const asked = world.sync.manualLinks.linkParent('demo', cut, 'Account', 'Cut NV', 'create');
      await expect(asked).rejects.toThrow('not known yet whether Salesforce made the Account');
      await world.control('POST', 'faults', { clear: true });
      world.clock.advance(60_000);
      expect(await make('Cut NV')).toMatchObject({ state: 'active', sfId: expect.any(String) });
      expect(await named('cut nv')).toHaveLength(1);

      // A colleague made one of this name: theirs is named, and no second one is made.
      const theirs = await world.add({ Name: 'Theirs NV' }, 'Account');
      await expect(make('Theirs NV')).rejects.toMatchObject({
        code: 'duplicate',
        next: expect.stringContaining(theirs),
      });
      expect(await named('theirs nv')).toHaveLength(1);
    },
  );

  it('makes one company for people whose host writes its name with one space or two, and finds the one that is there [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const party = defaultMapping('party');
    const rules = party.rules.map((rule) =>
      rule.remote[0] === 'Account.Name' ? { ...rule, parent: 'find_or_create' as const } : rule,
    );
    await open(world, { Account: WRITE });
    await save(world, { ...party, rules });
    const there = await world.add({ Name: 'There NV' }, 'Account');
    for (const [id, company] of Object.entries({ p1: 'Two  Spaces', p2: 'Two Spaces', p3: 'There  NV' })) {
      await world.put(id, { email: `${id}@t.example`, name: `P ${id}`, company });
      await world.settle();
    }
    const accounts = await world.records('Account');
    expect(accounts.map(({ Name }) => Name).sort()).toEqual(['There NV', 'Two Spaces']);
    const people = await world.records();
    expect(people.filter(({ AccountId }) => AccountId === there)).toHaveLength(1);
    expect(people.filter(({ AccountId }) => AccountId !== there)).toHaveLength(2);
  });

  it('makes a company also where its external-id field may not be written [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.control('POST', 'settings', { readOnlyFields: ['Account.Gatehouse_Id__c'] });
    await (await world.org()).describe('Account', { isFresh: true });
    const party = defaultMapping('party');
    const rules = party.rules.map((rule) =>
      rule.remote[0] === 'Account.Name' ? { ...rule, parent: 'find_or_create' as const } : rule,
    );
    await open(world, { Account: WRITE });
    await save(world, { ...party, rules });
    await world.put('p1', { email: 'ada@t.example', name: 'Ada Lovelace', company: 'Acme' });
    await world.worker.turn('demo');
    const [acme] = await world.records('Account');
    expect(await world.records()).toMatchObject([{ AccountId: acme?.Id }]);
    expect(await world.link('p1')).toMatchObject({ state: 'active', error: null, waitsFor: null });
  });

  it('names the candidates of an ambiguous person, and the command [U13]', async () => {
    await using world = await createSyncWorld(openFresh);
    for (const FirstName of ['Ada', 'Ada']) {
      await world.control('POST', 'settings', { duplicates: 'off' });
      await world.add({ FirstName, LastName: 'Lovelace', Email: 'ada@t.example' });
    }
    await world.put('p1', { email: 'ada@t.example', name: 'Ada Lovelace' });
    await world.worker.turn('demo');
    const [problem] = (await status(world)).problems;
    expect(problem?.examples[0]?.candidates).toHaveLength(2);
    expect(problem?.next).toMatch(/gatehouse link demo party p1 003\w{15}/);
    const { orgId } = await world.org();
    expect(await world.sync.manualLinks.countProblems('demo', orgId, 'party')).toBe(1);
  });
});
