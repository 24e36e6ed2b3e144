import { expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import type { App } from '../../src/app/app.ts';
import type { HeldPushed, HeldRecord } from '../../src/domain/action.ts';
import { StillUnderWay } from '../../src/domain/errors.ts';
import type { MappingRow } from '../../src/ports/sync-store.ts';
import { openDatabase } from '../../src/store/open.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { describeOnce, describePostgres, describeStores } from '../support/databases.ts';
import { openDoor } from '../support/door.ts';
import { race } from '../support/programs.ts';
import { createWorld, type World } from '../support/world.ts';
import { Crash, crashAt, createSyncWorld, type Process } from './world.ts';

/** Where policy holds a kind, a person approves what waits as one list, and exactly that is written. */

const PEOPLE = { id: 'p1', fields: { email: 'ada@held.example', name: 'Ada Held' } };

describeOnce('on SQLite', () => suite(async () => ({ env: {}, async [Symbol.asyncDispose]() {} })));
describePostgres((makeSchema) =>
  suite(async () => {
    const { target, remove } = await makeSchema();
    await (await openDatabase(target)).close();
    const url = new URL(target.url);
    url.searchParams.set('options', `-c search_path=${target.schema}`);
    return { env: { DATABASE_URL: url.href }, [Symbol.asyncDispose]: remove };
  }),
);

type Place = () => Promise<AsyncDisposable & { readonly env: Readonly<Record<string, string>> }>;

function suite(place: Place): void {
  it('lists what waits once, writes nothing before the yes, and then exactly that, once [K7] [C6] [P5]', async () => {
    await using at = await place();
    await using world = await held(at.env);
    await put(world, PEOPLE, person(2));
    await turn(world);
    await turn(world);
    expect(await contacts(world)).toEqual([]);
    const [list, ...others] = await waiting(world);
    expect(others).toEqual([]);
    expect(list).toMatchObject({ action: 'SyncHeld', assurance: 'session', orgId: expect.any(String) });
    expect(list?.expiresAt).toBe((list?.createdAt ?? 0) + 24 * 3_600_000);
    expect(await recordsOn(world, list)).toMatchObject([
      { id: 'p1', operation: 'create', recordId: null, digest: expect.stringMatching(/^[0-9a-f]{64}$/), dirty: 1 },
      { id: 'p2', changes: expect.arrayContaining([expect.objectContaining({ field: 'Email' })]) },
    ]);
    const answers = await Promise.allSettled([world.approve(list?.id ?? ''), world.approve(list?.id ?? '')]);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await world.app.approvals.inspect(list?.id ?? '')).toMatchObject({
      proposal: { state: 'done', result: { sent: 2, leftOut: [], failed: [] } },
    });
    expect(await contacts(world)).toEqual(['ada@held.example', 'p2@held.example']);
    // The echo of our own write asks nobody.
    world.clock.advance(400_000);
    await turn(world);
    expect(await waiting(world)).toEqual([]);
    const rows = await world.app.store.audit.find({ proposal: list?.id ?? '', limit: 10 });
    expect(rows.map(({ event }) => event).sort()).toEqual(['approved', 'done', 'proposed']);
  });

  it('ends as a conflict, with nothing written, where policy lets nothing of it be written any more [K7] [P5]', async () => {
    await using at = await place();
    await using world = await held(at.env);
    await put(world, PEOPLE, person(2));
    await turn(world);
    const [list] = await waiting(world);
    await world.setPolicy((policy) => ({ ...policy, mode: 'read-only' }));
    await world.approve(list?.id ?? '').catch(() => {});
    const { proposal } = await world.app.approvals.inspect(list?.id ?? '');
    expect(proposal).toMatchObject({ state: 'conflict', error: { error: { code: 'conflict' } } });
    expect(await contacts(world)).toEqual([]);
  });

  it('leaves out what is planned otherwise at the run, and asks for it anew [K7]', async () => {
    await using at = await place();
    await using world = await held(at.env);
    await put(world, PEOPLE, { ...person(2), fields: { ...person(2).fields, phone: '2' } }, person(3), person(4));
    await turn(world);
    const [list] = await waiting(world);
    await put(world, { id: 'p1', fields: { phone: '+49 1' } });
    // A colleague was faster: to write into a record of theirs is not what was asked, and where nothing is left to write nobody is.
    await world.sim('POST', 'records/Contact', { LastName: 'Two', Email: 'p2@held.example' });
    await world.sim('POST', 'records/Contact', { FirstName: 'Person', LastName: '4', Email: 'p4@held.example' });
    const done = await world.approve(list?.id ?? '');
    // Whom a colleague made is linked, and nothing is sent of them.
    expect(done).toMatchObject({ status: 'done', result: { sent: 1, linked: 1, failed: [] } });
    expect([...((done.result?.leftOut as string[]) ?? [])].sort()).toEqual(['p1', 'p2']);
    expect(await contacts(world)).toEqual(['p2@held.example', 'p3@held.example', 'p4@held.example']);
    await turn(world);
    const [next] = await waiting(world);
    expect((await recordsOn(world, next)).map(({ id, operation }) => [id, operation]).sort()).toEqual([
      ['p1', 'create'],
      ['p2', 'update'],
    ]);
    await world.approve(next?.id ?? '');
    expect(await contacts(world)).toHaveLength(4);
    expect((await world.records('Contact')).find(({ Email }) => Email === 'p2@held.example')?.Phone).toBe('2');
  });

  it('a newer list replaces the one that waits, and not for ever while somebody reads [K7]', async () => {
    await using at = await place();
    await using world = await held(at.env);
    for (let n = 1; n <= 8; n++) {
      await put(world, person(n));
      await turn(world);
      expect(await waiting(world)).toHaveLength(1);
    }
    const all = await world.app.approvals.list({ limit: 100 });
    expect(all.map(({ state }) => state).sort()).toEqual(['pending', ...Array(4).fill('superseded')]);
    // An hour later what came since is listed, too.
    world.clock.advance(3_700_000);
    await turn(world);
    const [list] = await waiting(world);
    expect((await recordsOn(world, list)).length).toBe(8);
    await expect(world.approve(all.find(({ state }) => state === 'superseded')?.id ?? '')).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await contacts(world)).toEqual([]);
  });

  it('a declined list asks nobody again until a record or the policy changes; one that expired does [K7]', async () => {
    await using at = await place();
    await using world = await held(at.env);
    await put(world, PEOPLE, person(2));
    await turn(world);
    const decline = { answer: 'reject', by: 'operator:ada', via: 'console', assurance: 'session' } as const;
    await world.app.approvals.decide((await waiting(world))[0]?.id ?? '', decline);
    await turn(world);
    // Touched, and the same write still.
    const sync = await world.app.sync();
    const { orgId = '' } = await world.app.connections.status(world.bot);
    expect(await sync.manualLinks.retry(world.bot, orgId, 'party', ['p1', 'p2'])).toBe(2);
    await turn(world);
    expect(await waiting(world)).toEqual([]);
    await put(world, { id: 'p2', fields: { phone: '2' } });
    await turn(world);
    expect((await recordsOn(world, (await waiting(world))[0])).map(({ id }) => id)).toEqual(['p2']);
    await world.app.approvals.decide((await waiting(world))[0]?.id ?? '', decline);
    await world.setPolicy((policy) => ({ ...policy, proposals: { ...policy.proposals, expiresMinutes: 30 } }));
    await turn(world);
    const [anew] = await waiting(world);
    expect(await recordsOn(world, anew)).toHaveLength(2);
    world.clock.advance(31 * 60_000);
    expect((await world.approve(anew?.id ?? '')).status).toBe('expired');
    expect(await contacts(world)).toEqual([]);
    await turn(world);
    expect(await waiting(world)).toHaveLength(1);
  });

  const STRICTER: readonly [string, (policy: Policy) => Policy][] = [
    ['off', (policy) => ({ ...policy, off: ['SyncParty'] })],
    ['read-only', (policy) => ({ ...policy, mode: 'read-only' })],
    ['deny', (policy) => withAction(policy, { decision: 'deny' })],
    ['closed object', (policy) => ({ ...policy, objects: { ...policy.objects, Contact: closed(policy) } })],
  ];
  it('runs in no other org and under no stricter policy than it was asked in: a conflict [K7] [P5]', async () => {
    for (const [name, change] of [...STRICTER, ['other org', undefined] as const]) {
      await using at = await place();
      await using world = await held(at.env);
      await put(world, PEOPLE);
      await turn(world);
      const [list] = await waiting(world);
      if (change) await world.setPolicy(change);
      else await world.app.store.connections.patch(world.bot, { orgId: '00D000000000042EAA' });
      expect((await world.approve(list?.id ?? '')).status, name).toBe('conflict');
      expect(await contacts(world), name).toEqual([]);
    }
  });

  it('what a rule denies stands on no list [K7] [P5]', async () => {
    await using at = await place();
    await using world = await held(at.env, (policy) =>
      withAction(policy, { rules: [{ if: { fieldIn: ['Phone'] }, then: 'deny' }] }),
    );
    await put(world, PEOPLE, { id: 'p2', fields: { name: 'Bea', email: 'b@held.example', phone: '1' } });
    await turn(world);
    expect((await recordsOn(world, (await waiting(world))[0])).map(({ id }) => id)).toEqual(['p1']);
  });

  it.each(['executing', 'before-settled'])(
    'is written once although a process dies at "%s" [K7] [C6]',
    async (point) => {
      await using at = await place();
      await using world = await held(at.env);
      await put(world, PEOPLE, person(2));
      await turn(world);
      const [list] = await waiting(world);
      const dying = await world.again((now) => {
        if (now === point) throw new Error('died');
      });
      await expect(approveAt(dying, list?.id ?? '')).rejects.toThrow('died');
      await world.recoverAfter(200_000);
      expect(await world.app.approvals.inspect(list?.id ?? '')).toMatchObject({
        proposal: { state: 'done', result: { sent: 2 } },
      });
      expect(await contacts(world)).toEqual(['ada@held.example', 'p2@held.example']);
    },
  );

  it('speaks of cases and their people apart, and of the roles with the case [K7]', async () => {
    await using at = await place();
    await using world = await held(at.env, (policy) => ({ ...policy, mode: 'ask' }));
    await put(world, PEOPLE);
    const sync = await world.app.sync();
    const parties = [{ party: 'p1', role: 'complainant' }];
    await sync.hosts.put(world.bot, 'case', [
      { id: 'c1', fields: { title: 'Crane', expectedDate: '2026-06-30', status: 'open' }, parties },
    ]);
    await turn(world);
    const roles = await world.records('OpportunityContactRole');
    const lists = await waiting(world);
    const of = (kind: string) => lists.find(({ args }) => args.kind === kind)?.id ?? '';
    expect((await recordsOn(world, { id: of('case') }))[0]?.changes).toContainEqual(
      expect.objectContaining({ after: expect.stringContaining('Ada Held') }),
    );
    // The case first: it speaks for no person.
    expect(await world.approve(of('case'))).toMatchObject({ status: 'done', result: { sent: 1 } });
    expect(await contacts(world)).toEqual([]);
    expect(await world.approve(of('party'))).toMatchObject({ result: { sent: 1 } });
    await turn(world);
    const [role, ...rest] = await waiting(world);
    expect(rest).toEqual([]);
    expect(await recordsOn(world, role)).toMatchObject([{ id: 'c1', operation: 'update' }]);
    expect(await world.records('OpportunityContactRole')).toHaveLength(roles.length);
    await world.approve(role?.id ?? '');
    expect(await world.records('OpportunityContactRole')).toHaveLength(roles.length + 1);
    await turn(world);
    expect(await waiting(world)).toEqual([]);
  });

  it.each(['claimed', 'merged', 'chunk-sent', 'chunk-acknowledged'])(
    'a yes is kept although its process is killed at "%s": the next one waits for what the dead one holds, and writes the rest once [K7] [C6]',
    async (crash) => {
      await using at = await place();
      await using world = await held(at.env);
      await put(world, ...[1, 2, 3].map(person));
      await turn(world);
      const [list] = await waiting(world);
      const id = list?.id ?? '';
      const env = { GATEHOUSE_DATA: world.folder, GATEHOUSE_LOG: 'silent', ...at.env };
      const [answer] = await race('gate', [{ do: 'approve', id, by: 'operator:ada', env, bot: world.bot, crash }]);
      expect(answer).toBeUndefined();
      world.clock.now = Date.now() + 2_000;
      await world.recoverAfter(10_000);
      const present = await world.app.approvals.inspect(id);
      expect(present.proposal, 'it never ends with less than was approved').not.toMatchObject({ result: { sent: 0 } });
      await world.recoverAfter(130_000);
      expect((await world.app.approvals.inspect(id)).proposal).toMatchObject({
        state: 'done',
        result: { sent: 3, leftOut: [], failed: [] },
      });
      expect(await contacts(world)).toEqual([1, 2, 3].map((n) => `p${n}@held.example`));
      await turn(world);
      expect(await waiting(world), 'nobody is asked again').toEqual([]);
    },
    60_000,
  );

  it('holds 1,000 records at most; the rest stands on the next list [K7]', async () => {
    await using at = await place();
    await using world = await held(at.env);
    await put(world, ...Array.from({ length: 1_005 }, (_, n) => person(n)));
    await turn(world);
    const [list] = await waiting(world);
    expect(await recordsOn(world, list)).toHaveLength(1_000);
    const before = await world.calls();
    await turn(world);
    expect(await world.calls()).toBe(before);
    expect(await world.approve(list?.id ?? '')).toMatchObject({ result: { sent: 1_000, leftOut: [] } });
    await turn(world);
    const [next] = await waiting(world);
    expect(await recordsOn(world, next)).toHaveLength(5);
  }, 60_000);
}

describeStores((_name, openFresh) => {
  it.each(['merged', 'chunk-sent', 'acknowledged', 'created-sent'] as const)(
    'writes each record of a list once although its run dies at "%s", and nothing else [K7] [C6]',
    async (point) => {
      await using world = await createSyncWorld(openFresh);
      await world.setPolicy(confirming);
      const ids = point === 'created-sent' || point === 'acknowledged' ? [1] : [1, 2, 3];
      for (const n of ids) await world.put(`p${n}`, person(n).fields);
      const lists = async (at: Process) => at.sync.forBot('demo', await at.org(), true);
      const plan = async () => (await lists(world)).planHeld('party', () => false);
      const list = await plan();
      const dead = world.process({ crash: crashAt(point) });
      await expect((await lists(dead)).pushHeld('party', list)).rejects.toThrow(Crash);
      const other = world.process();
      let pushed: HeldPushed | undefined;
      for (let n = 0; n < 3; n++) {
        // While the dead one's hold is not overdue the list cannot run, and says so.
        pushed = await (await lists(other)).pushHeld('party', list).catch((error: unknown) => {
          if (error instanceof StillUnderWay) return undefined;
          throw error;
        });
        world.clock.advance(130_000);
      }
      expect(pushed).toEqual({ sent: ids.length, leftOut: [], failed: [] });
      // What was sent and not known is found, and asks nobody.
      expect(await (await lists(other)).planHeld('party', () => false)).toEqual([]);
      expect((await world.records()).map(({ Email }) => Email).sort()).toEqual(ids.map((n) => `p${n}@held.example`));
      expect((await world.log()).filter(({ operation }) => operation === 'create')).toHaveLength(ids.length);
    },
  );

  it('a yes is not lost because somebody looks at the same records at that moment [K7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.setPolicy(confirming);
    await world.put('p1', person(1).fields);
    const sync = world.sync.forBot('demo', await world.org(), true);
    const list = await sync.planHeld('party', () => false);
    let pushed: Promise<HeldPushed> | undefined;
    const at = world.process({
      crash: async (point) => {
        if (point === 'claimed') pushed ??= sync.pushHeld('party', list);
      },
    });
    await at.sync.forBot('demo', await at.org(), true).planHeld('party', () => false);
    expect(await pushed).toEqual({ sent: 1, leftOut: [], failed: [] });
    expect(await world.records()).toHaveLength(1);
  });

  it('what changes between the last look and the write is left out, and its company is not made [K7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.setPolicy(confirming);
    await world.store.mappings.add(makingCompanies());
    const company = { company: 'Held Works' };
    await world.put('p1', { ...person(1).fields, ...company });
    await world.put('p2', person(2).fields);
    let reads = 0;
    const at = world.process({
      crash: async (point) => {
        if (point === 'read' && ++reads === 3) await world.put('p2', { phone: '2' });
      },
    });
    const sync = at.sync.forBot('demo', await at.org(), true);
    const list = await sync.planHeld('party', () => false);
    expect(list[0]?.changes).toContainEqual(expect.objectContaining({ label: 'New Account', after: 'Held Works' }));
    expect(await world.records('Account')).toEqual([]);
    await world.put('p1', { company: 'Another Ltd' });
    const changed = await sync.pushHeld('party', list);
    expect(changed).toEqual({ sent: 0, leftOut: ['p1', 'p2'], failed: [] });
    expect(reads).toBe(3);
    expect([await world.records('Account'), await world.records()]).toEqual([[], []]);
  });
});

describeOnce('in one house', () => {
  it('is seen and decided by operators alone, and everybody who syncs is told of it [K7] [C3]', async () => {
    const withSync = async ({ app }: World) => ({ routes: (await app.sync()).routes });
    await using door = await openDoor({ policy: confirming }, withSync);
    const { world } = door;
    const host = { key: door.keys.host };
    await door.ask('PUT', '/api/parties/p1', { ...host, json: { ...PEOPLE.fields } });
    const now = await door.ask('POST', '/api/crm/salesforce/sync', { ...host, json: { customerId: 'p1' } });
    const [list] = await waiting(world);
    const id = list?.id ?? 'none';
    const link = `/approvals/${id}`;
    expect(now).toMatchObject({ status: 403, json: { error: { code: 'off', next: expect.stringContaining(link) } } });
    expect(now.json.error.message).toContain('One record waits');
    const admin = await door.operatorKey('admin');
    const batch = await door.ask('POST', '/api/bots/demo/sync/batches', { key: admin, json: { kind: 'party' } });
    expect(batch.json.error).toMatchObject({ code: 'off', next: expect.stringContaining(link) });
    const status = await door.ask('GET', '/api/bots/demo/sync/status', { key: admin });
    expect(status.json.problems).toContainEqual(expect.objectContaining({ next: expect.stringContaining(link) }));

    const whole = await door.ask('GET', `/api/proposals/${id}/records`, { key: admin });
    expect(whole.json).toMatchObject({ count: 1, records: [{ id: 'p1', changes: expect.any(Array) }] });
    const as = await door.signIn('approver');
    const page = await door.ask('GET', link, { headers: { cookie: as.cookie } });
    expect(page.text).toContain(`/api/proposals/${id}/records`);
    expect(page.text).toContain('Ada Held');
    expect(page.text).not.toContain("The bot's own words");
    for (const key of [door.keys.agent, door.keys.host]) {
      for (const path of [`/api/proposals/${id}`, `/api/proposals/${id}/records`])
        expect((await door.ask('GET', path, { key })).status, path).toBeGreaterThanOrEqual(403);
      expect((await door.ask('POST', `/api/proposals/${id}/approve`, { key })).status).toBe(403);
    }
    for (const [action, args] of [
      ['GetProposal', { id }],
      ['SyncHeld', { kind: 'party', records: [] }],
    ] as const)
      expect(await world.refusal(action, args)).toMatchObject({ code: 'not_found' });
    expect((await world.app.gate.actions(world.bot)).map(({ name }) => name)).not.toContain('SyncHeld');
    const atClient = { answer: 'approve', by: 'x', via: 'chat', assurance: 'client', bot: world.bot } as const;
    await expect(world.app.approvals.decide(id, atClient)).rejects.toMatchObject({ code: 'not_found' });
    expect(await contacts(world)).toEqual([]);
    expect(await door.ask('POST', `/api/proposals/${id}/approve`, { key: admin })).toMatchObject({ status: 200 });
    expect(await contacts(world)).toEqual(['ada@held.example']);
    const plain = await door.ask('GET', '/api/proposals/ffffffffffffffffffffffffffffffff/records', { key: admin });
    expect(plain.status).toBe(404);
  });
});

/** The shipped mapping, and a company that nobody has is made. */
function makingCompanies(): MappingRow {
  const shipped = defaultMapping('party');
  const rules = shipped.rules.map((rule) =>
    rule.remote[0] === 'Account.Name' ? { ...rule, parent: 'find_or_create' as const } : rule,
  );
  return { bot: 'demo', kind: 'party', version: 1, mapping: { ...shipped, rules }, by: 'operator:ada', at: 0 };
}

type Own = Partial<NonNullable<Policy['actions'][string]>>;

function withAction(policy: Policy, own: Own): Policy {
  const { SyncParty } = policy.actions;
  if (SyncParty === undefined) throw new Error('the shipped policy lost SyncParty');
  return { ...policy, actions: { ...policy.actions, SyncParty: { ...SyncParty, ...own } } };
}

const confirming = (policy: Policy): Policy => withAction(policy, { decision: 'confirm' });
const closed = (policy: Policy) => ({ ...policy.objects.Contact, write: false }) as never; // whatever else it says
const person = (n: number) => ({ id: `p${n}`, fields: { email: `p${n}@held.example`, name: `Person ${n}` } });

const held = (env: Readonly<Record<string, string>>, policy: (policy: Policy) => Policy = (same) => same) =>
  createWorld({ env, policy: (shipped) => policy(confirming(shipped)) });

async function put(world: World, ...people: { id: string; fields: Record<string, string> }[]): Promise<void> {
  await (await world.app.sync()).hosts.put(world.bot, 'party', people);
}

async function turn(world: World): Promise<void> {
  await (await world.app.sync()).worker.turn(world.bot);
}

const waiting = (world: World) => world.app.approvals.list({ pending: true });
const recordsOn = async (world: World, list: { readonly id: string } | undefined): Promise<readonly HeldRecord[]> =>
  (await world.app.approvals.heldRecords(list?.id ?? '')) ?? [];
const approveAt = (app: App, id: string) =>
  app.approvals.decide(id, { answer: 'approve', by: 'operator:ada', via: 'console', assurance: 'session' });

async function contacts(world: World): Promise<unknown[]> {
  const rows = await world.records('Contact');
  return rows
    .filter(({ Email, IsDeleted }) => String(Email).endsWith('@held.example') && !IsDeleted)
    .map(({ Email }) => Email)
    .sort();
}
