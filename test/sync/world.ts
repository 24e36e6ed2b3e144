import { type Policy, shippedPolicy } from '../../permissions/policy.ts';
import type { App } from '../../src/app/app.ts';
import type { SyncParts } from '../../src/app/app-sync.ts';
import type { FieldValue, Sync } from '../../src/domain/action.ts';
import type { Link } from '../../src/domain/link.ts';
import type { Kind } from '../../src/domain/mapping.ts';
import type { Connections, Org } from '../../src/ports/salesforce.ts';
import type { CrashPoint, SyncSettings } from '../../src/ports/sync.ts';
import type { HostRecord, LogRow, SyncStore } from '../../src/ports/sync-store.ts';
import type { TokenSet } from '../../src/ports/tokens.ts';
import { deferred, lazily } from '../../src/runtime/lazy.ts';
import { createSim, type Sim, type SimSeed } from '../../src/sim/sim.ts';
import { stock } from '../../src/sim/stock.ts';
import type { Database } from '../../src/store/engines/database.ts';
import { createSyncStore } from '../../src/store/sync/sync-store.ts';
import type { SyncRoom } from '../../src/sync/create-sync.ts';
import { useInbox } from '../../src/sync/inbound/inbox.ts';
import { poll } from '../../src/sync/inbound/poll.ts';
import type { Worker } from '../../src/sync/jobs/worker.ts';
import type { SingleSync } from '../../src/sync/on-demand/bot-sync.ts';
import type { FreshDatabase, OpenFresh } from '../support/databases.ts';
import { isStock } from '../support/stock-org.ts';
import { type Clock, createClock, createWorld, type Seams, type World } from '../support/world.ts';

/** A process died here. */
export class Crash extends Error {}

/** One process of the house, opened by its first use. */
export interface Process {
  readonly sync: Omit<SyncRoom, 'engine'>;
  readonly store: SyncStore;
  org(bot?: string): Promise<Org>;
  /** Events, poll and everything that is due, until nothing is left. */
  settle(bot?: string): Promise<void>;
  poll(bot?: string): Promise<{ calls: number; hints: number }>;
  inbox(bot?: string): Promise<number>;
  party(id: string, bot?: string): ReturnType<Sync['syncParty']>;
  case(id: string, bot?: string): ReturnType<Sync['syncCase']>;
  /** Its background loop; the test makes its turns. */
  readonly worker: Pick<Worker, 'turn'>;
}

/** A world whose org begins empty, on the database of a suite, with processes that die at named points. */
export interface SyncWorld extends AsyncDisposable, Process {
  readonly app: World['app'];
  readonly fresh: FreshDatabase;
  readonly clock: Clock;
  readonly simulated: Sim;
  readonly connections: Connections;
  readonly delivery: SyncParts;
  readonly worker: Worker;
  /** Another process on the same store and org. */
  process(more?: ProcessOptions): Process;
  put(
    id: string,
    fields: Record<string, FieldValue>,
    more?: { kind?: Kind; parties?: HostRecord['parties']; bot?: string },
  ): Promise<HostRecord>;
  host(id: string, kind?: Kind): Promise<HostRecord>;
  link(id: string, kind?: Kind): Promise<Link>;
  log(id?: string): Promise<readonly LogRow[]>;
  // biome-ignore lint/suspicious/noExplicitAny: free-form JSON of the simulator's control routes
  control(method: string, route: string, body?: unknown): Promise<any>;
  records(object?: string): Promise<readonly Record<string, FieldValue>[]>;
  /** A colleague edits in Salesforce, now or at a time. */
  edit(id: string, fields: Record<string, FieldValue>, object?: string, at?: number): Promise<void>;
  add(fields: Record<string, FieldValue>, object?: string, at?: number): Promise<string>;
  /** API calls that the work made. */
  calls(work: () => Promise<unknown>): Promise<number>;
  connect(bot: string): Promise<void>;
  setMode(mode: Policy['mode'], bot?: string): Promise<void>;
  setPolicy(change: (policy: Policy) => Policy): Promise<void>;
}

export interface ProcessOptions {
  readonly crash?: (point: CrashPoint) => void | Promise<void>;
  /** It has looked at the others' leases for longer than one lasts: those of the dead are over for it. */
  readonly hasWatched?: boolean;
  readonly skewMs?: number;
  readonly settings?: Partial<SyncSettings>;
}

export interface WorldOptions extends ProcessOptions {
  readonly withoutExternalId?: boolean;
  readonly seed?: SimSeed;
  readonly start?: number;
  /** The org tracks field history of contacts, which the simulated org does not know. */
  readonly history?: boolean;
  /** What a proxy before the org makes of its answers. */
  readonly proxy?: (request: Request, answer: Response) => Response | Promise<Response>;
  /** One process runs at a time: whoever waits for another one waits for a dead one, and the time passes at once. */
  readonly isAlone?: boolean;
  /** How long a bot rests after a failure. */
  readonly pauseMs?: (ms: number) => number;
}

const BOT = 'demo';

export async function createSyncWorld(openFresh: OpenFresh, options: WorldOptions = {}): Promise<SyncWorld> {
  const fresh = await openFresh();
  const clock = createClock(options.start ?? Date.parse('2026-05-04T10:00:00.500Z'));
  const seed: SimSeed = { ...(isStock ? { setup: stock.setup } : {}), ...(options.seed ?? { records: {} }) };
  const simulated = await createSim({ now: () => clock.now, seed });
  /** Answers `FROM ContactHistory` as Salesforce does where an administrator switched tracking on. */
  const history: { ContactId: string; Field: string; CreatedDate: string }[] = [];
  async function withHistory(request: Request): Promise<Response> {
    const text = request.method === 'POST' ? await request.clone().text() : '';
    const asked = decodeURIComponent(text);
    if (!asked.includes('FROM ContactHistory')) return simulated.fetch(request);
    const records = history.filter((row) => asked.includes(`'${row.ContactId}'`));
    return Response.json({
      compositeResponse: [
        {
          referenceId: 'q0',
          httpStatusCode: 200,
          httpHeaders: {},
          body: { totalSize: records.length, done: true, records },
        },
      ],
    });
  }

  async function proxied(request: Request): Promise<Response> {
    const answer = await (options.history ? withHistory(request) : simulated.fetch(request));
    return options.proxy ? options.proxy(request, answer) : answer;
  }

  let isOver = false;
  /** What one process has of its own. */
  function machine({ crash, skewMs = 0, settings, hasWatched = false }: ProcessOptions) {
    let isDead = false;
    const database = crash ? mortal(fresh.database, () => isDead && !isOver) : fresh.database;
    const seams: Seams = {
      database,
      now: () => clock.now + skewMs,
      syncPace: { ...(settings ? { settings } : {}), ...(options.pauseMs ? { pauseMs: options.pauseMs } : {}) },
      ...(hasWatched ? { watch: { hasStood: () => true } } : {}),
    };
    const dying = async (point: string) => {
      try {
        // Those of the gate have other names.
        await crash?.(point as CrashPoint);
      } catch (error) {
        isDead ||= error instanceof Crash;
        throw error;
      }
    };
    return { database, seams, crash: crash && dying };
  }

  function processOn(database: Database, app: () => Promise<App>): Process {
    const store = createSyncStore(database);
    const room = async () => (await app()).sync();
    const org: Process['org'] = async (bot = BOT) =>
      (await app()).connections.open(bot, { signal: new AbortController().signal, background: true });
    const process: Process = {
      sync: {
        hosts: deferred(async () => (await room()).hosts),
        runner: deferred(async () => (await room()).runner),
        batches: deferred(async () => (await room()).batches),
        manualLinks: deferred(async () => (await room()).manualLinks),
        subscriptions: deferred(async () => (await room()).subscriptions),
        adopt: async (answer) => (await room()).adopt(answer),
        forBot: (...given) => deferred<Sync>(async () => (await room()).forBot(...given)),
        forHost: (...given) => deferred<SingleSync>(async () => (await room()).forHost(...given)),
      },
      store,
      org,
      async poll(bot = BOT) {
        const { parts, engine } = await room();
        return poll(parts, engine.settings, bot, await org(bot));
      },
      inbox: async (bot = BOT) => useInbox((await room()).parts, bot, await org(bot)),
      party: async (id, bot = BOT) => (await room()).forBot(bot, await org(bot), true).syncParty(id),
      case: async (id, bot = BOT) => (await room()).forBot(bot, await org(bot), true).syncCase(id),
      worker: { turn: async (bot) => (await room()).worker.turn(bot) },
      async settle(bot = BOT) {
        const { orgId } = await org(bot);
        for (let turn = 0; turn < 20; turn++) {
          await process.inbox(bot);
          const { hints } = await process.poll(bot);
          const done = await process.sync.runner.runAllDue(bot, await org(bot));
          if (hints === 0 && done === 0 && (await store.links.backlog({ bot, orgId })).count === 0) return;
          // Back-offs and leases run out.
          clock.advance(done === 0 ? 130_000 : 1_000);
        }
        throw new Error('the sync does not come to rest');
      },
    };
    return process;
  }

  const first = machine(options);
  const house = await createWorld({
    clock,
    grants: [],
    policy: () => shippedPolicy('internal'),
    env: { GATEHOUSE_REQUEST_TIMEOUT_MS: '5000' },
    seams: {
      ...first.seams,
      tokens: inMemory(),
      simulatedOrg: { ...simulated, fetch: proxied },
      // Waiting for Salesforce's clock moves ours; waiting for another caller must let it run.
      async wait(ms) {
        if (ms > 100) clock.advance(ms);
        else if (options.isAlone) clock.advance(5_000);
        else await new Promise((resolve) => setTimeout(resolve, 1));
      },
    },
    ...(first.crash ? { crash: first.crash } : {}),
  });
  const { app, sim: control } = house;
  const { worker, parts } = await app.sync();
  const main = processOn(first.database, async () => app);
  const world: SyncWorld = {
    ...main,
    app,
    connections: app.connections,
    delivery: parts,
    worker,
    fresh,
    clock,
    simulated,
    process(more = {}) {
      const { database, seams, crash } = machine({
        ...(options.settings ? { settings: options.settings } : {}),
        ...more,
      });
      return processOn(database, lazily(() => house.again(crash, seams)).get);
    },
    control,
    async put(id, fields, { kind = 'party', parties, bot = BOT } = {}) {
      const [record] = await main.sync.hosts.put(bot, kind, [{ id, fields, ...(parties ? { parties } : {}) }]);
      if (!record) throw new Error('nothing was put');
      return record;
    },
    async host(id, kind = 'party') {
      const [record] = await main.store.hosts.get(BOT, kind, [id]);
      if (!record) throw new Error(`there is no ${kind} ${id}`);
      return record;
    },
    async link(id, kind = 'party') {
      const { orgId } = await main.org();
      const links = await main.store.links.list({ bot: BOT, orgId, kind }, { localId: id, limit: 1 });
      if (!links[0]) throw new Error(`${id} has no link`);
      return links[0];
    },
    log: (id) => main.store.log.find(BOT, { localId: id, limit: 1_000 }),
    async setPolicy(change) {
      const row = await fresh.store.bots.get(BOT);
      if (!row) throw new Error(`there is no bot ${BOT}`);
      await fresh.store.bots.savePolicy(BOT, change(row.policy), 'ada', clock.now, row.policyRevision);
    },
    async setMode(mode, bot = BOT) {
      const row = await fresh.store.bots.get(bot);
      if (!row) throw new Error(`there is no bot ${bot}`);
      await fresh.store.bots.savePolicy(bot, { ...row.policy, mode }, 'ada', clock.now, row.policyRevision);
    },
    records: async (object = 'Contact') =>
      (await control('GET', `records/${object}`)).records.filter((row: { IsDeleted: boolean }) => !row.IsDeleted),
    async edit(id, fields, object = 'Contact', at) {
      const CreatedDate = new Date(at ?? clock.now).toISOString();
      for (const Field of Object.keys(fields)) history.push({ ContactId: id, Field, CreatedDate });
      await control('POST', `records/${object}`, { Id: id, ...fields, ...(at === undefined ? {} : { at }) });
    },
    add: async (fields, object = 'Contact', at) =>
      (await control('POST', `records/${object}`, { ...fields, ...(at === undefined ? {} : { at }) })).id,
    async calls(work) {
      // Describes are asked again every hour, whatever else happens.
      const count = async () => {
        const { count: all, calls } = await control('GET', 'calls');
        return all - calls.filter((call: { path: string }) => call.path.includes('/describe')).length;
      };
      const before = await count();
      await work();
      return (await count()) - before;
    },
    async connect(bot) {
      await fresh.store.bots.create({
        name: bot,
        audience: 'internal',
        profile: 'internal',
        createdAt: clock.now,
        grants: [],
        policy: shippedPolicy('internal'),
      });
      await app.connections.connect(bot, { flow: 'simulated' });
    },
    async [Symbol.asyncDispose]() {
      // The dead are closed as well.
      isOver = true;
      await house[Symbol.asyncDispose]();
      await simulated.close();
      await fresh[Symbol.asyncDispose]();
    },
  };
  if (options.withoutExternalId) {
    await control('POST', 'reset', {
      seed: options.seed ?? { records: {} },
      withoutFields: ['Contact.Gatehouse_Id__c', 'Opportunity.Gatehouse_Id__c', 'Account.Gatehouse_Id__c'],
    });
  }
  // Describes are cached from here on: calls counted later are the sync's own.
  const org = await main.org();
  for (const object of ['Contact', 'Opportunity', 'Account']) await org.describe(object);
  return world;
}

/** After its crash a process reaches nothing any more: not even to free its claims. */
function mortal(database: Database, isDead: () => boolean): Database {
  const live = () => {
    if (isDead()) throw new Crash('a dead process reached for the store');
  };
  return {
    ...database,
    kysely: database.kysely.withPlugin({
      transformQuery({ node }) {
        live();
        return node;
      },
      transformResult: async ({ result }) => result,
    }),
    async all(sql, bound) {
      live();
      return database.all(sql, bound);
    },
    async transaction(work) {
      live();
      return database.transaction(work);
    },
  };
}

/** Tokens of one run of a test, as several processes share them. */
function inMemory(): NonNullable<Seams['tokens']> {
  const tokens = new Map<string, TokenSet>();
  return {
    get: async (key) => tokens.get(key),
    set: async (key, value) => void tokens.set(key, value),
    delete: async (key) => void tokens.delete(key),
    async check() {},
    async close() {},
  };
}

export function crashAt(point: CrashPoint, times = 1): (at: CrashPoint) => void {
  let left = times;
  return (at) => {
    if (at === point && left-- > 0) throw new Crash(point);
  };
}

/** Everything that must agree, of one party and its contact. */
export function pair(host: HostRecord, record: Record<string, FieldValue> | undefined) {
  const at = (name: string) => record?.[name] ?? null;
  return {
    host: {
      email: host.fields.email ?? null,
      name: host.fields.name ?? null,
      phone: host.fields.phone ?? null,
      jobTitle: host.fields.jobTitle ?? null,
      notes: host.fields.notes ?? null,
    },
    salesforce: {
      email: at('Email'),
      name: [at('FirstName'), at('LastName')].filter(Boolean).join(' ') || null,
      phone: at('Phone'),
      jobTitle: at('Title'),
      notes: at('Description'),
    },
  };
}
