import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAccess } from '../access/create-access.ts';
import { type Audit, createAudit } from '../audit/audit.ts';
import { createChainHeadFiles } from '../audit/chain-head-files.ts';
import { keepVerdict } from '../audit/verdict.ts';
import type { Chat } from '../chat/chat.ts';
import type { PlaygroundBy } from '../chat/playground.ts';
import type { Action, Soql, Sync } from '../domain/action.ts';
import { deriveKey, hmacSha256 } from '../domain/canonical-json.ts';
import type { Declaration } from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';
import { createLeaseWatch, type LeaseWatch } from '../domain/lease-watch.ts';
import { isLoopbackName, isPublic } from '../domain/loopback.ts';
import type { Prompt } from '../domain/prompt.ts';
import type { WholeGate } from '../gate/create-gate.ts';
import type { RoadContext } from '../gate/handle.ts';
import { listActions } from '../gate/listing.ts';
import type { NeverUsed } from '../policy/never-used.ts';
import type { Access } from '../ports/access.ts';
import type { Config } from '../ports/config.ts';
import type { Approvals, Gate, Retention } from '../ports/gate.ts';
import type { Identity, ReadDocument } from '../ports/identity.ts';
import type { Log } from '../ports/log.ts';
import type { Model } from '../ports/model.ts';
import type { Notices } from '../ports/notices.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { BotRow, Store } from '../ports/store.ts';
import type { TokenVault } from '../ports/tokens.ts';
import { type Clocks, createClocks } from '../runtime/clocks.ts';
import { deferred, lazily } from '../runtime/lazy.ts';
import { loadActions, loadPrompts } from '../runtime/load.ts';
import { createLog } from '../runtime/log.ts';
import { isAlive } from '../runtime/process-alive.ts';
import { createReadiness, type Readiness } from '../runtime/readiness.ts';
import { createServerAddress, type ServerAddress } from '../runtime/server-address.ts';
import type { Sim } from '../sim/sim.ts';
import type { Database } from '../store/engines/database.ts';
import { createCipher } from '../store/secrets/cipher.ts';
import { makeFolder } from '../store/secrets/make-folder.ts';
import { checkSecret, loadSecret } from '../store/secrets/secret.ts';
import { lazyTokens, type TokenTarget } from '../store/secrets/tokens.ts';
import { type ApiUse, createApiUse } from './api-use.ts';
import type { AppSync, SyncPace } from './app-sync.ts';
import type { OrgDeploy } from './org-deploy-form.ts';
import type { OrgSetup } from './org-setup.ts';
import { openState, stateOn } from './state.ts';

/** Everything a door may need, put together once. The only file that imports across the house. */
export interface App {
  readonly config: Config;
  readonly log: Log;
  readonly now: () => number;
  readonly actions: readonly Action[];
  readonly prompts: () => Promise<readonly Prompt[]>;
  readonly store: Store;
  readonly ready: Readiness;
  readonly clocks: Clocks;
  readonly access: Access;
  /** People behind MCP clients; loaded at the first use. */
  readonly identity: Identity;
  readonly audit: Audit;
  readonly connections: Connections;
  readonly apiUse: ApiUse;
  readonly gate: Gate;
  readonly approvals: Approvals;
  readonly retention: Retention;
  /** What somebody should know now; loaded at the first use. */
  readonly notices: Notices;
  /** Judges the query of a declared action as it would be judged for this bot, with a sample in each place. */
  readonly judgeDeclared: (bot: BotRow, declaration: Declaration) => Promise<unknown>;
  /** What a bot holds and nothing used for 30 days, from what is kept here. */
  readonly neverUsed: (bot: BotRow) => Promise<NeverUsed>;
  /** What a bot needs of its org, and what its Salesforce user has there. */
  readonly orgSetup: () => Promise<OrgSetup>;
  /** The same, deployed by an administrator's own sign-in. */
  readonly orgDeploy: () => Promise<OrgDeploy>;
  /** Records of the host app and their links, by an id or by words. */
  readonly findRecords: AppSync['find'];
  /** Our own chat; loaded at the first use. */
  readonly openChat: () => Promise<Chat>;
  /** The same, as an operator tries it. */
  readonly openPlayground: (by: PlaygroundBy) => Promise<{ readonly chat: Chat; readonly gate: Pick<Gate, 'call'> }>;
  /** People and cases of the host app; loaded at the first use. */
  readonly sync: () => Promise<AppSync>;
  /** Where people reach this installation. */
  readonly serverAddress: ServerAddress;
  /** Signs what this installation hands out (request state, cursors). */
  readonly secret: string;
  /** True while the embedded simulated org answers instead of Salesforce; every surface says so. */
  readonly isSimulated: boolean;
  /** Its own pages, there while it is. */
  readonly simulatedOrg: (() => Promise<Pick<Sim, 'page'>>) | undefined;
  close(): Promise<void>;
}

export interface AppOptions {
  readonly now?: () => number;
  /** Steady time, by which leases of others end; default: `now` where it is given, else the machine's own. */
  readonly ticks?: () => number;
  readonly log?: Log;
  /** The language model of the chat; default: as the environment says. */
  readonly model?: Model;
  /** A folder of actions beside the shipped ones. */
  readonly actions?: URL;
  /** All of them, where another app of this process has found and checked them already. */
  readonly loadedActions?: readonly Action[];
  /** What is open already, in place of what the settings name; whoever opened it closes it. */
  readonly database?: Database;
  readonly tokens?: TokenVault;
  readonly simulatedOrg?: Sim;
  /** How this process waits; default: in real time. */
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Judges the leases of others; default: by `ticks`. */
  readonly watch?: LeaseWatch;
  readonly syncPace?: SyncPace;
  /** Reads what programs publish about themselves; default: from the internet. */
  readonly readDocument?: ReadDocument;
  /** Nobody keeps this folder: its rows need not be on the disk before an answer. */
  readonly isThrowAway?: boolean;
  /** Crash points by name, for tests. */
  readonly crash?: (point: string) => void | Promise<void>;
}

export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const now = options.now ?? Date.now;
  const ticks = options.ticks ?? options.now ?? (() => performance.now());
  const watch = options.watch ?? createLeaseWatch(ticks);
  const log = options.log ?? createLog(config.logLevel);
  await makeFolder(config.dataDir).catch((cause: unknown) => {
    throw new GatehouseError('config_invalid', `The data folder ${config.dataDir} cannot be made.`, {
      next: 'Set GATEHOUSE_DATA to a folder that this account may write.',
      cause,
    });
  });
  const inData = (name: string) => path.join(config.dataDir, name);
  const serverAddress = createServerAddress(config);
  const secret = await loadSecret(config.dataDir, config.secret);
  const secrets = createCipher(secret, 'requests of visitors');
  const { store, database } =
    options.database === undefined
      ? await openState(
          config.databaseUrl === undefined ? { file: inData('gatehouse.db') } : { url: config.databaseUrl },
          secrets,
        )
      : await stateOn(options.database, secrets);
  try {
    if (options.isThrowAway) await (await database()).all('pragma synchronous = off', []);
    await checkSecret(store, secret);
    const isSimulated = config.simulate || config.salesforce.clientId === undefined;
    // Opened at the first call: a listing needs no tokens, and keyv and its database cost time to load.
    const tokens = options.tokens ?? lazyTokens(tokenTarget(config), secret);
    const sim = lazily(async (): Promise<Sim> => {
      if (options.simulatedOrg !== undefined) return options.simulatedOrg;
      const { createSim } = await import('../sim/sim.ts');
      const file = inData('sim.db');
      const { simSeed: seed } = config;
      return createSim({ file, seed, version: config.salesforce.apiVersion, now }).catch((cause: unknown) => {
        throw new GatehouseError('config_invalid', `The file of the simulated org, ${file}, cannot be used.`, {
          next: 'Stop every Gatehouse process and move the file elsewhere: the simulated org begins anew.',
          cause,
        });
      });
    });
    const runner = `${hostname()}/${process.pid}/${randomBytes(6).toString('hex')}`;
    // Hexadecimal: people type these ids at a command line, where one that begins with a dash is an option.
    const newId = () => randomBytes(16).toString('hex');

    // It keeps the process alive: whoever waits for another one's outcome must not end without an answer.
    const sleep =
      options.wait ??
      ((ms: number, signal?: AbortSignal) =>
        delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}));
    const made = lazily(async (): Promise<Connections> => {
      const { createConnections } = await import('../salesforce/create-connections.ts');
      return createConnections({
        config: config.salesforce,
        requestTimeoutMs: config.requestTimeoutMs,
        rows: store.connections,
        values: store.values,
        tokens,
        now,
        ticks,
        newId,
        random: randomBytes,
        log,
        instance: runner,
        watch,
        allowPassword: config.salesforce.allowPassword,
        ...(options.wait === undefined ? {} : { wait: options.wait }),
        ...(isSimulated ? { simulated: sim.get, simulatedPages: () => `${serverAddress.url()}/simulated-org` } : {}),
      });
    });
    const connections = deferred<Connections, 'disconnect'>(made.get, {
      async disconnect(bot) {
        // First, while the app that its sign-ins were made by is still known.
        await (await orgDeploy.get()).leave(bot);
        const ended = await (await made.get()).disconnect(bot);
        // What waits for a yes was asked for the org that is left now.
        await retention.leave(bot);
        return ended;
      },
    });
    const sync = lazily(async (): Promise<AppSync> => {
      const { createAppSync } = await import('./app-sync.ts');
      return createAppSync({
        database: await database(),
        store,
        actions,
        connections,
        secret,
        allowPrivateHooks: config.allowPrivateHooks,
        runner,
        watch,
        publicUrl: serverAddress.url(),
        now,
        ticks,
        newId,
        sleep,
        log,
        audit: () => audit,
        heldSync: (...asked) => approvals.heldSync(...asked),
        pace: options.syncPace,
        crash: options.crash,
      });
    });
    if (isSimulated && !config.simulate) await refuseToyBesideReal(config, store);

    const headsFolder = inData('audit-heads');
    const heads = createChainHeadFiles(headsFolder, isAlive);
    const audit = createAudit({ store, secret, heads, now, log, onVerdict: keepVerdict(store.values, now) });
    const access = createAccess({ store, secret, now });
    const identity = deferred<Identity>(
      lazily(async () => {
        const { createIdentity } = await import('../identity/create-identity.ts');
        const { createReader } = await import('../outbound/reader.ts');
        // Whoever has no account names these addresses: the internet is all they may lead to.
        const readDocument =
          options.readDocument ?? createReader({ reach: 'public', timeoutMs: 5_000, maxBytes: 64 * 1024 });
        return createIdentity({ store, audit, secret, newId, now, log, readDocument });
      }).get,
    );
    const actions =
      options.loadedActions ??
      (await loadActions(
        new URL('../../actions/', import.meta.url),
        ...(options.actions === undefined ? [] : [options.actions]),
      ));
    const prompts = lazily(() => loadPrompts(new URL('../../prompts/', import.meta.url)));
    const openOrg: RoadContext['openOrg'] = async (bot, signal, sent, known) => {
      const org = await connections.open(bot.name, { signal, sent, known });
      // A damaged file is told as that, not as a Salesforce that does not answer.
      if (isSimulated) await sim.get();
      return org;
    };
    const proposalKey = deriveKey(secret, 'proposals').toString('hex');
    const openSoql: RoadContext['openSoql'] = (bot, org, caller, answered) =>
      deferred<Soql>(async () => {
        const { createSoql } = await import('../salesforce/query/run-soql.ts');
        const { policy } = bot;
        return createSoql({ bot: bot.name, caller, org, policy, counters: store.counters, secret, now, answered });
      });
    const road = lazily(async (): Promise<WholeGate> => {
      const [{ createGate }, { toSoql }, { toSosl }, { isUnknownOutcome, mayBeDone, UpstreamError }] =
        await Promise.all([
          import('../gate/create-gate.ts'),
          import('../salesforce/records/find.ts'),
          import('../salesforce/records/search.ts'),
          import('../salesforce/transport/upstream-error.ts'),
        ]);
      const context: RoadContext = {
        openOrg,
        openSoql,
        queryOf: toSoql,
        searchOf: toSosl,
        openSync: (bot, org, mayWrite, shown) =>
          deferred<Sync>(async () => (await sync.get()).forBot(bot.name, org, mayWrite, shown)),
        isUnknownOutcome,
        mayBeDone,
        requestTimeoutMs: config.requestTimeoutMs,
        watch,
        now,
        sleep,
        log,
      };
      return createGate({
        ...{ actions, store, audit, context },
        notify: async (notice) => (await sync.get()).notify(notice),
        sign: (text) => hmacSha256(proposalKey, text),
        mayOverride: (error) => error instanceof UpstreamError && error.allowSave === true,
        isRunnerAlive,
        runner,
        link: (id) => `${serverAddress.url()}/approvals/${id}`,
        newId,
        sleep,
        crash: options.crash,
      });
    });
    const gate = deferred<Gate, 'actions'>(async () => (await road.get()).gate, {
      actions: (bot) => listActions(store, actions, bot),
    });
    const orgSetup = lazily(async () => {
      const { createOrgSetup } = await import('./org-setup.ts');
      const { apiVersion } = config.salesforce;
      const syncUse = async (bot: string) => (await sync.get()).use(bot, now());
      return createOrgSetup({ connections, actions, apiVersion, syncUse });
    });
    const orgDeploy = lazily(async () => {
      const { createOrgDeploy } = await import('./org-deploy.ts');
      const setup = await orgSetup.get();
      const cipher = (purpose: string) => createCipher(secret, purpose);
      return createOrgDeploy({ store, audit, connections, setup, cipher, now, newId, crash: options.crash });
    });
    const approvals = deferred<Approvals>(async () => (await road.get()).approvals);
    const retention = deferred<Retention>(async () => (await road.get()).retention);
    const notices = deferred<Notices>(
      lazily(async () => {
        const { createAppNotices } = await import('./app-notices.ts');
        const { allowPrivateHooks } = config;
        const publicUrl = () => serverAddress.url();
        const of = { store, audit, connections, sync: sync.get, secret, allowPrivateHooks, isSimulated };
        return createAppNotices({ ...of, publicUrl, newId, now, watch });
      }).get,
    );

    const talkThrough = async (gate: Gate): Promise<Chat> => {
      const [{ createChat }, { describeModel, openModel }] = await Promise.all([
        import('../chat/chat.ts'),
        import('../chat/models/open-model.ts'),
      ]);
      const { model } = options;
      return createChat({
        gate,
        approvals,
        store,
        prompts: prompts.get,
        about: {
          ...(model === undefined ? describeModel(config.openai) : { model: model.name, isDemo: model.isDemo }),
          isSimulated,
        },
        model: lazily(async () => model ?? openModel(config.openai)).get,
        now,
        newId,
        runner,
        isRunnerAlive,
        watch,
        log,
      });
    };
    const chat = lazily(() => talkThrough(gate));

    return {
      config,
      log,
      now,
      actions,
      prompts: prompts.get,
      store,
      clocks: createClocks({ values: store.values, runner, now, ticks, log }),
      ready: createReadiness({ store, tokens, folders: [config.dataDir, headsFolder, serverAddress.folder] }),
      access,
      identity,
      audit,
      connections,
      apiUse: createApiUse(store, now),
      gate,
      approvals,
      retention,
      notices,
      async judgeDeclared(bot, declaration) {
        const { sampleQuery } = await import('../declared/sample-query.ts');
        const org = await openOrg(bot, AbortSignal.timeout(config.requestTimeoutMs));
        return sampleQuery(openSoql(bot, org, 'a check', undefined), declaration);
      },
      async neverUsed(bot) {
        const { neverUsed } = await import('../policy/never-used.ts');
        return neverUsed(
          { store, audit, actions, now, syncUse: async (...asked) => (await sync.get()).use(...asked) },
          bot,
        );
      },
      orgSetup: orgSetup.get,
      orgDeploy: orgDeploy.get,
      findRecords: async (...asked) => (await sync.get()).find(...asked),
      openChat: chat.get,
      async openPlayground(by) {
        const { playgroundGate } = await import('../chat/playground.ts');
        const tried = playgroundGate(gate, by, now);
        return { chat: await talkThrough(tried), gate: tried };
      },
      sync: sync.get,
      serverAddress,
      secret,
      isSimulated,
      simulatedOrg: isSimulated ? sim.get : undefined,
      async close() {
        const ended = [
          await settled(async () => made.isMade() && connections.close()),
          await settled(async () => options.tokens === undefined && tokens.close()),
          await settled(async () => sim.isMade() && options.simulatedOrg === undefined && (await sim.get()).close()),
          await settled(() => store.close()),
        ];
        const failed = ended.find((one) => one.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What cannot be closed keeps nothing else open. */
async function settled(work: () => Promise<unknown>): Promise<PromiseSettledResult<unknown>> {
  const [result] = await Promise.allSettled([work()]);
  return result;
}

/** A lost SALESFORCE_CLIENT_ID must not send a company's leads to a toy. */
async function refuseToyBesideReal(config: Config, store: Store): Promise<void> {
  const hasReal = (await store.connections.list()).some(
    ({ flow, state }) => flow !== 'simulated' && state !== 'disconnected',
  );
  const why = hasReal
    ? 'a connection to a real org is stored here'
    : !isLoopbackName(config.host)
      ? `HOST is ${config.host}, which others can reach`
      : isPublic(config)
        ? `GATEHOUSE_URL is ${config.url}, which others can reach`
        : undefined;
  if (why === undefined) return;
  throw new GatehouseError(
    'config_invalid',
    `Without SALESFORCE_CLIENT_ID the simulated org would answer, but ${why}.`,
    {
      next: 'Set SALESFORCE_CLIENT_ID again, or set GATEHOUSE_SIM=1 if you do want the simulated org.',
    },
  );
}

/** Beside the state where that is shared; Redis where it is the only server there is. */
function tokenTarget({ databaseUrl, redisUrl, dataDir }: Config): TokenTarget {
  const url = databaseUrl ?? redisUrl;
  return url === undefined ? { file: path.join(dataDir, 'tokens.db') } : { url };
}

/** A runner of another machine may always be alive; only its lease ends it. */
function isRunnerAlive(runner: string): boolean {
  const [host = '', pid = ''] = runner.split('/');
  return host !== hostname() || isAlive(Number(pid));
}
