import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ActionPermission, SALESFORCE_ACTIONS } from '../../permissions/catalog.ts';
import { type Policy, shippedPolicy } from '../../permissions/policy.ts';
import type { Audience } from '../../permissions/profiles.ts';
import { type App, type AppOptions, createApp } from '../../src/app/app.ts';
import { GatehouseError } from '../../src/domain/errors.ts';
import type { Envelope } from '../../src/domain/proposal.ts';
import type { Session } from '../../src/domain/session.ts';
import type { HttpDeps } from '../../src/http/deps.ts';
import type { Access } from '../../src/ports/access.ts';
import type { Call } from '../../src/ports/gate.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { createSim, type Sim } from '../../src/sim/sim.ts';
import { openDatabase } from '../../src/store/open.ts';
import { checkAnswer } from './answers.ts';
import { type Control, controlOf } from './control.ts';
import { describeOnce, describePostgres } from './databases.ts';
import { copyOfPrepared, testFolder } from './prepared.ts';
import { stockOrg, stockPolicy } from './stock-org.ts';

/** One house on a folder of its own, with the simulated org inside and a clock that the test moves. */
export interface World extends AsyncDisposable {
  /** Its HTTP door holds every answer to what the route declares. */
  readonly app: App & Pick<HttpDeps, 'checkAnswer'>;
  readonly folder: string;
  readonly bot: string;
  readonly clock: Clock;
  /** A call as the bot's model makes it. */
  call(action: string, args: unknown, more?: Partial<Call>): Promise<Envelope>;
  /** The error of a call that must fail. */
  refusal(action: string, args: unknown, more?: Partial<Call>): Promise<GatehouseError>;
  /** Approves as a signed-in person, who looks at what edited values would do. */
  approve(id: string, more?: { choice?: string; values?: Record<string, unknown> }): Promise<Envelope>;
  setPolicy(change: (policy: Policy) => Policy): Promise<void>;
  /** The simulated org's control routes. */
  sim: Control;
  records(object: string): Promise<readonly Record<string, unknown>[]>;
  /** API calls since the last reset of the count. */
  calls(): Promise<number>;
  /** A process that goes on looking: what stands still before its eyes for `ms` is taken over. */
  recoverAfter(ms: number): Promise<void>;
  /** A second house on the same state, as another process would open it. */
  again(crash?: AppOptions['crash'], seams?: Seams): Promise<App>;
}

/** Places where a test stands in for the machine; what they leave open is as the program has it. */
export type Seams = Omit<AppOptions, 'actions' | 'crash'>;

/** Time stands still until a test moves it. */
export interface Clock {
  now: number;
  advance(ms: number): void;
}

export function createClock(now = Date.now()): Clock {
  const clock = {
    now,
    advance(ms: number) {
      clock.now += Math.ceil(ms);
    },
  };
  return clock;
}

export interface WorldOptions {
  readonly grants?: readonly ActionPermission[];
  readonly audience?: Audience;
  readonly policy?: (policy: Policy) => Policy;
  readonly crash?: AppOptions['crash'];
  readonly env?: Readonly<Record<string, string>>;
  /** The clock of an org that was made before. */
  readonly clock?: Clock;
  readonly seams?: Seams;
  /** A folder of actions beside the shipped ones. */
  readonly actions?: URL;
}

const ALL: readonly ActionPermission[] = SALESFORCE_ACTIONS;

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-test-'));
  const { clock = createClock(), seams = {} } = options;
  const config = readConfig({ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent', ...stockOrg, ...options.env });
  // A database elsewhere, and a secret of its own, begin with nothing here but the org.
  const isHere = config.databaseUrl === undefined && config.secret === undefined && seams.database === undefined;
  await copyOfPrepared(
    config.simSeed === undefined ? 'house' : `house-${config.simSeed}`,
    folder,
    (at) => prepare(at, config.simSeed),
    (file) => (file === 'sim.db' ? seams.simulatedOrg === undefined : isHere),
  );
  const open = async (crash?: AppOptions['crash'], more: Seams = {}) => ({
    ...(await createApp(config, {
      now: () => clock.now,
      // No length of a wait shows on a clock that stands still.
      wait: (ms, signal) => delay(Math.min(ms, 150), undefined, signal === undefined ? {} : { signal }).catch(() => {}),
      ...seams,
      ...more,
      ...(options.actions === undefined ? {} : { actions: options.actions }),
      ...(crash === undefined ? {} : { crash }),
    })),
    checkAnswer,
  });
  const app = await open(options.crash);
  const bot = 'demo';
  const audience = options.audience ?? 'internal';
  await app.store.bots.create({
    name: bot,
    audience,
    profile: audience,
    createdAt: clock.now,
    grants: options.grants ?? ALL,
    policy: (options.policy ?? ((policy) => policy))({ ...shippedPolicy(audience, app.actions), ...stockPolicy }),
  });
  await app.connections.connect(bot, { flow: 'simulated' });
  // The control routes are asked through a second simulator on the same file: processes share one org.
  let control: Sim | undefined;
  const others: App[] = [];
  const sim: Control = async (...asked) => {
    if (seams.simulatedOrg !== undefined) return controlOf(seams.simulatedOrg)(...asked);
    control ??= await createSim({ file: path.join(folder, 'sim.db'), seed: config.simSeed, now: () => clock.now });
    return controlOf(control)(...asked);
  };
  const call: World['call'] = (action, args, more) =>
    app.gate.call({ bot, principal: 'agent:test', channel: 'rest', action, args, ...more });

  return {
    app,
    folder,
    bot,
    clock,
    call,
    async refusal(action, args, more) {
      try {
        const envelope = await call(action, args, more);
        throw new Error(`expected a refusal, got ${JSON.stringify(envelope)}`);
      } catch (error) {
        if (error instanceof GatehouseError) return error;
        throw error;
      }
    },
    approve: async (id, more = {}) =>
      app.approvals.decide(id, {
        answer: 'approve',
        by: 'operator:ada',
        via: 'console',
        assurance: 'session',
        ...more,
        ...(more.values === undefined ? {} : { seen: (await app.approvals.previewEdit(id, more.values)).seen }),
      }),
    async setPolicy(change) {
      const row = await app.store.bots.get(bot);
      if (row === undefined) throw new Error('the bot of this world is gone');
      await app.store.bots.savePolicy(bot, change(row.policy), 'test', clock.now, row.policyRevision);
    },
    sim,
    records: async (object) => (await sim('GET', `records/${object}`)).records,
    calls: async () => (await sim('GET', 'calls')).count,
    async recoverAfter(ms) {
      await app.retention.recover();
      clock.advance(ms);
      await app.retention.recover();
    },
    async again(crash, more) {
      const other = await open(crash, { loadedActions: app.actions, ...more });
      others.push(other);
      return other;
    },
    async [Symbol.asyncDispose]() {
      for (const other of others) await other.close();
      await control?.close();
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A house that nobody has used: its databases with their schema, the simulated org with its company. */
async function prepare(folder: string, seed: 'stock' | undefined): Promise<void> {
  const app = await createApp(
    readConfig({ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent', GATEHOUSE_SIM_SEED: seed }),
  );
  await app.ready();
  await app.close();
  await (await createSim({ file: path.join(folder, 'sim.db'), seed })).close();
}

/** One suite of worlds on every database there is; the simulated org keeps its file beside. */
export function describeWorlds(suite: (create: typeof createWorld) => void): void {
  describeOnce('on SQLite', () => suite(createWorld));
  describePostgres((makeSchema) =>
    suite(async (options = {}) => {
      const { target, remove } = await makeSchema();
      await (await openDatabase(target)).close();
      const world = await createWorld({ ...options, env: { ...options.env, DATABASE_URL: target.url } });
      return {
        ...world,
        async [Symbol.asyncDispose]() {
          await world[Symbol.asyncDispose]();
          await remove();
        },
      };
    }),
  );
}

/** Somebody signed the bot in to the same org as a user who may see less; the connection keeps its id. */
export async function readAsAnother({ app, bot }: Pick<World, 'app' | 'bot'>): Promise<void> {
  await app.store.connections.patch(bot, { userId: '005000000000ZZZEAQ' });
}

/** A chat session as the host app gets it: signed for a host key of the bot. */
export async function signFor(access: Access, bot: string, claims: Session, ttlMs = 60_000): Promise<string> {
  const { principal } = await access.host(await access.issueKey('host', bot));
  return access.signSession(bot, principal, claims, ttlMs);
}
