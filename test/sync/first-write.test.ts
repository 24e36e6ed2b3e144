import { describe, expect, it } from 'vitest';
import type { GraphNode, Org } from '../../src/ports/salesforce.ts';
import type { CrashPoint } from '../../src/ports/sync.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { describeStores } from '../support/databases.ts';
import { Crash, crashAt, createSyncWorld, type ProcessOptions, type SyncWorld, type WorldOptions } from './world.ts';

/** What leans on one another is made in one go: a case with its contact roles, a person with a new company. */

/** `n` cases with two people each, who are there already; and one person whose company nobody has. */
async function begin(world: SyncWorld, n: number) {
  await withCompanies(world);
  await world.put('ann', { email: 'ann@t.example', name: 'Ann Doe' });
  await world.put('bob', { email: 'bob@t.example', name: 'Bob Doe' });
  await world.settle();
  for (let at = 0; at < n; at++) await putCase(world, `c${at}`);
}

const putCase = (world: SyncWorld, id: string, more: Record<string, string> = {}) =>
  world.put(
    id,
    { title: `Case ${id}`, ...more },
    {
      kind: 'case',
      parties: [
        { party: 'ann', role: 'complainant' },
        { party: 'bob', role: 'respondent' },
      ],
    },
  );

const putNew = (world: SyncWorld, more: Record<string, string> = {}) =>
  world.put('new', { email: 'new@t.example', name: 'New Doe', company: 'Acme', ...more });

async function withCompanies(world: SyncWorld) {
  const country = { local: ['country'], remote: ['MailingCountry'], direction: 'both', transforms: [] } as const;
  const rules = [
    ...defaultMapping('party').rules.map((rule) =>
      rule.remote[0] === 'Account.Name' ? { ...rule, parent: 'find_or_create' as const } : rule,
    ),
    country,
  ];
  const mapping = { ...defaultMapping('party'), rules };
  await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
}

const drain = async (world: SyncWorld, org?: Org) => world.sync.runner.runAllDue('demo', org ?? (await world.org()));

/** Addresses of the calls that the work made, describes aside. */
async function paths(world: SyncWorld, work: () => Promise<unknown>): Promise<string[]> {
  const all = async (): Promise<{ method: string; path: string }[]> => (await world.control('GET', 'calls')).calls;
  const before = (await all()).length;
  await work().catch(() => {});
  const made = (await all()).slice(before).filter(({ path }) => !path.includes('/describe'));
  return made.map(({ path }) => path.replace(/^.*\/v[\d.]+\//, '').replace(/\?.*$/, ''));
}

async function whole(world: SyncWorld, n: number) {
  const cases = await world.records('Opportunity');
  expect(cases).toHaveLength(n);
  const roles = await world.records('OpportunityContactRole');
  for (const { Id } of cases) {
    const mine = roles.filter(({ OpportunityId }) => OpportunityId === Id);
    expect(mine.map(({ Role }) => Role).sort()).toEqual(['Complainant', 'Respondent']);
    expect(mine.filter(({ IsPrimary }) => IsPrimary)).toHaveLength(1);
  }
  expect(roles).toHaveLength(2 * n);
  for (let at = 0; at < n; at++)
    expect(await world.link(`c${at}`, 'case')).toMatchObject({ state: 'active', error: null, leaseUntil: 0 });
}

async function hasCompany(world: SyncWorld) {
  const accounts = (await world.records('Account')).filter(({ Name }) => Name === 'Acme');
  expect(accounts).toHaveLength(1);
  const people = (await world.records()).filter(({ Email }) => Email === 'new@t.example');
  expect(people.map(({ AccountId }) => AccountId)).toEqual([accounts[0]?.Id]);
  expect(await world.link('new')).toMatchObject({ state: 'active', error: null, leaseUntil: 0 });
}

async function die(work: Promise<unknown>): Promise<void> {
  await expect(work).rejects.toBeInstanceOf(Crash);
}

const fault = (world: SyncWorld, more: Record<string, unknown>) =>
  world.control('POST', 'faults', { times: 1, match: { path: 'composite/graph' }, ...more });

const NO_GRAPHS = [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }];
const POINTS: readonly CrashPoint[] = ['claimed', 'read', 'merged', 'graph-sent'];
const ORGS: readonly WorldOptions[] = [{ withoutExternalId: false }, { withoutExternalId: true }];
const CLOCKS: readonly ProcessOptions[] = [{}, { skewMs: 300_000 }, { skewMs: -300_000 }];

describeStores((_name, openFresh) => {
  it('a case and its people take one read and one write, told once, and then nothing is left to do [B3] [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 1);
    expect(await paths(world, () => world.case('c0'))).toEqual(['composite', 'composite/graph']);
    await whole(world, 1);
    const told = (await world.log('c0')).map(({ operation, status, calls }) => [operation, status, calls]);
    expect(told.toReversed()).toEqual([
      ['create', 'success', 2],
      ['update', 'success', 0],
    ]);
    world.clock.advance(3_600_000);
    await world.settle();
    await whole(world, 1);
    expect(await world.log('c0')).toHaveLength(2);
  });

  it('a person and a company that nobody has take one read and one write; the next one of it finds it [B3] [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 0);
    await putNew(world);
    expect(await paths(world, () => world.party('new'))).toEqual(['composite', 'composite/graph']);
    await hasCompany(world);
    await world.put('next', { email: 'next@t.example', name: 'Next Doe', company: 'ACME' });
    await world.party('next');
    await hasCompany(world);
    expect(new Set((await world.records()).flatMap(({ AccountId }) => AccountId ?? [])).size).toBe(1);
  });

  it.each([
    [75, ['composite', 'composite/graph']],
    // More than a call holds: 1,000 records of one kind a call are fewer calls.
    [76, ['composite', 'composite', 'composite']],
  ])('%i cases cost no more calls than one kind after the other [B3] [B7]', async (n, expected) => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, n);
    expect(await paths(world, () => drain(world))).toEqual(expected);
    await whole(world, n);
  });

  it('beside changes of other cases that cost calls of their own, new ones go with them [B3] [B7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 2);
    await drain(world);
    world.clock.advance(3_600_000);
    await world.put('c0', { title: 'Another' }, { kind: 'case', parties: [{ party: 'ann', role: 'complainant' }] });
    await putCase(world, 'c2');
    expect(await paths(world, () => drain(world))).toEqual(['composite', 'composite', 'composite']);
    expect(await world.records('OpportunityContactRole')).toHaveLength(5);
  });

  describe.each(ORGS)('a process dies, %o', (options) => {
    it.each(POINTS)('at "%s": one case with its roles, one person with one company [B3] [sync-P8]', async (point) => {
      for (const clock of CLOCKS) {
        await using world = await createSyncWorld(openFresh, options);
        await begin(world, 2);
        const dying = () => world.process({ ...clock, crash: crashAt(point) });
        await die(dying().case('c0'));
        const many = dying();
        await die(many.org().then((org) => many.sync.runner.runAllDue('demo', org)));
        await putNew(world);
        await die(dying().party('new'));
        world.clock.advance(700_000);
        await world.settle();
        await whole(world, 2);
        await hasCompany(world);
        for (const id of ['c0', 'c1', 'new'])
          expect((await world.log(id)).filter(({ operation }) => operation === 'create')).toHaveLength(1);
      }
    });

    it.each(['before', 'after'])('loses the answer (%s): nothing twice, nothing lost [B3] [sync-P8]', async (when) => {
      await using world = await createSyncWorld(openFresh, options);
      await begin(world, 1);
      await fault(world, { type: 'drop', when });
      await expect(world.case('c0')).rejects.toMatchObject({ code: 'salesforce_unavailable' });
      world.clock.advance(700_000);
      await world.settle();
      await whole(world, 1);
      await putNew(world);
      await fault(world, { type: 'drop_body', when });
      await expect(world.party('new')).rejects.toThrow();
      world.clock.advance(700_000);
      await world.settle();
      await hasCompany(world);
    });
  });

  it('a graph that arrives when the case was made already is refused whole: no role twice [B3] [sync-P8]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 1);
    const org = await world.org();
    let late: readonly (readonly GraphNode[])[] = [];
    const slow: Org = {
      ...org,
      graph: async (graphs) => {
        late = graphs;
        throw new Crash('it is on its way');
      },
    };
    await drain(world, slow);
    world.clock.advance(700_000);
    await world.settle();
    await whole(world, 1);
    expect(late).toHaveLength(1);
    expect(await org.graph(late)).toMatchObject([{ node: 'record' }]);
    await whole(world, 1);
  });

  it('an org that takes no graphs is asked once in ten minutes, and all goes as before [B3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 2);
    await fault(world, { type: 'status', status: 404, body: NO_GRAPHS, times: 99 });
    expect(await paths(world, () => world.case('c0'))).toEqual([
      ...['composite', 'composite/graph', 'sobjects/Opportunity/Gatehouse_Id__c/demo%3Acase%3Ac0', 'composite'],
    ]);
    expect(await paths(world, () => world.case('c1'))).not.toContain('composite/graph');
    await putNew(world);
    world.clock.advance(700_000);
    expect(await paths(world, () => world.party('new'))).toContain('composite/graph');
    await whole(world, 2);
    await hasCompany(world);
  });

  it('leaves a refused field behind and makes the rest in one go; a refused record leaves no company alone [B3] [G10]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.control('POST', 'settings', { countryPicklists: true });
    await begin(world, 0);
    await putNew(world, { country: 'Atlantis' });
    expect(await paths(world, () => world.party('new'))).toEqual(['composite', 'composite/graph', 'composite/graph']);
    expect((await world.link('new')).error?.message).toContain('MailingCountry was not sent');
    const [acme] = await world.records('Account');
    expect((await world.records()).find(({ LastName }) => LastName === 'Doe' && 'AccountId')).toBeDefined();
    expect((await world.records()).find(({ Email }) => Email === 'new@t.example')?.AccountId).toBe(acme?.Id);
    await world.put('nameless', { email: 'nameless@t.example', company: 'Lonely' });
    await world.party('nameless').catch(() => {});
    expect(await world.link('nameless')).toMatchObject({ state: 'failed', sfId: null });
    expect((await world.records('Account')).map(({ Name }) => Name)).toEqual(['Acme']);
  });

  it('a role that is refused stops neither the case nor the other role, and is told [B3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 1);
    await world.control('POST', 'records/Contact', { Id: (await world.link('bob')).sfId, IsDeleted: true });
    await world.case('c0').catch(() => {});
    expect(await world.records('Opportunity')).toHaveLength(1);
    expect((await world.records('OpportunityContactRole')).map(({ Role }) => Role)).toEqual(['Complainant']);
    expect((await world.link('c0', 'case')).error).not.toBeNull();
  });

  it('what policy closes is not written in the same go either [B3] [P2]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 1);
    await world.setPolicy((policy) => {
      const objects = { ...policy.objects };
      delete objects.OpportunityContactRole;
      return { ...policy, objects: { ...objects, Account: { ...objects.Account!, write: false } } };
    });
    expect(await paths(world, () => world.case('c0'))).not.toContain('composite/graph');
    await putNew(world);
    expect(await paths(world, () => world.party('new'))).not.toContain('composite/graph');
    expect(await world.records('OpportunityContactRole')).toEqual([]);
    expect(await world.records('Account')).toEqual([]);
  });

  it('a text that Salesforce would read as a reference goes by itself, unchanged [B3]', async () => {
    await using world = await createSyncWorld(openFresh);
    await begin(world, 0);
    await putCase(world, 'c0', { title: 'x @{record.id}' });
    expect(await paths(world, () => world.case('c0'))).not.toContain('composite/graph');
    expect((await world.records('Opportunity')).map(({ Name }) => Name)).toEqual(['x @{record.id}']);
    await whole(world, 1);
    await putNew(world, { company: 'Acme @{record.id}' });
    await world.party('new');
    for (const id of ['p1', 'p2'])
      await world.put(id, { email: `${id}@t.example`, name: 'Some Body', notes: 'y @{record.id}' });
    await drain(world);
    expect((await world.records('Account')).map(({ Name }) => Name)).toEqual(['Acme @{record.id}']);
    const notes = (await world.records()).flatMap(({ Description }) => Description ?? []);
    expect(notes).toEqual(['y @{record.id}', 'y @{record.id}']);
  });
});
