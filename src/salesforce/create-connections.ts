import { GatehouseError } from '../domain/errors.ts';
import { isRecord } from '../domain/is-record.ts';
import { createLeaseWatch, type LeaseWatch } from '../domain/lease-watch.ts';
import { receivedId } from '../domain/salesforce-id.ts';
import type { Config } from '../ports/config.ts';
import type { Log } from '../ports/log.ts';
import type { ConnectionStatus, Connections, HeadlessFlow, OrgCall, WebStart } from '../ports/salesforce.ts';
import type { ConnectionRow, ConnectionStore, ValueStore } from '../ports/store.ts';
import type { LoginSecret, OAuthApp, TokenSet, TokenStore } from '../ports/tokens.ts';
import { createAdminSignIns } from './auth/admin-sign-in.ts';
import { createApps, ownApp } from './auth/apps.ts';
import { type Grant, notSalesforce } from './auth/oauth.ts';
import { createSession, usable } from './auth/session.ts';
import { createWebFlow } from './auth/web-flow.ts';
import { createBulk } from './bulk/bulk.ts';
import { toStatus } from './connection-status.ts';
import { createDescribes } from './records/describes.ts';
import { createOrg } from './records/org.ts';
import { createRequestPipeline, isFresh, type RequestPipeline } from './request.ts';
import { CLOSED } from './transport/breaker.ts';
import type { BudgetShares } from './transport/budget.ts';
import { createHealth } from './transport/health.ts';
import { judgeHost, looksLikeSandbox, SIMULATED } from './transport/hosts.ts';
import { createTransport, type SimulatedOrg } from './transport/http.ts';
import { UpstreamError } from './transport/upstream-error.ts';
import { createVersions } from './transport/versions.ts';
import { sleep } from './transport/waiting.ts';

/** What this room needs from outside. */
export interface ConnectionDeps {
  readonly config: Config['salesforce'];
  readonly requestTimeoutMs: number;
  readonly rows: ConnectionStore;
  readonly values: ValueStore;
  readonly tokens: TokenStore;
  readonly now: () => number;
  /** Steady time of this process; default: `now`. */
  readonly ticks?: (() => number) | undefined;
  readonly newId: () => string;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Log;
  /** Names this process in leases. */
  readonly instance: string;
  /** Judges the leases of others; default: by `now`. */
  readonly watch?: LeaseWatch | undefined;
  /** The embedded simulated org; absent where it may not be used. */
  readonly simulated?: (() => Promise<SimulatedOrg>) | undefined;
  /** Where people look at the records of the embedded org. */
  readonly simulatedPages?: (() => string) | undefined;
  /** The username-password flow is off unless an operator switches it on. */
  readonly allowPassword?: boolean | undefined;
  /** Shares of the daily allowance at which background and interactive calls stop. */
  readonly budget?: BudgetShares | undefined;
  /** Waiting between retries and polls; tests pass their own. */
  readonly wait?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

const PRODUCTION = 'https://login.salesforce.com';
const SANDBOX = 'https://test.salesforce.com';

/** Bots and their orgs. Everything a request needs is put together here, once per process. */
export function createConnections(deps: ConnectionDeps): Connections {
  const { config, rows, now, log, wait = sleep } = deps;
  const timeoutMs = deps.requestTimeoutMs;
  const transport = createTransport({ timeoutMs, extraHosts: config.extraHosts, simulated: deps.simulated });
  const apps = createApps({ transport, config, now });
  const web = createWebFlow({ apps, vault: deps.tokens, values: deps.values, random: deps.random, now });
  const watch = deps.watch ?? createLeaseWatch(deps.now);
  const session = createSession({
    transport,
    apps,
    rows,
    vault: deps.tokens,
    timeoutMs,
    instance: deps.instance,
    watch,
    now,
    wait,
  });
  const health = createHealth({ rows, now, ticks: deps.ticks ?? now, watch, timeoutMs, shares: deps.budget });
  const versions = createVersions({ transport, now });
  const describes = createDescribes({ values: deps.values, now });

  /** The issuing host of a new connection, judged before anything is sent there. */
  function loginUrlOf(how: { readonly loginUrl?: string | undefined; readonly sandbox?: boolean | undefined }): string {
    const wanted = how.loginUrl ?? (how.sandbox ? sandboxOf(config.loginUrl) : config.loginUrl);
    const verdict = judgeHost(wanted, config.extraHosts);
    if ('origin' in verdict) return verdict.origin;
    throw new GatehouseError('invalid_input', `The login address is refused: ${verdict.problem}.`, {
      next: verdict.next,
      fields: [{ name: 'loginUrl', problem: verdict.problem }],
    });
  }

  function instanceOf(grant: Grant, loginUrl: string): string {
    if (loginUrl === SIMULATED) return SIMULATED;
    const verdict = judgeHost(grant.instanceUrl, config.extraHosts);
    if ('origin' in verdict) return verdict.origin;
    throw new GatehouseError(
      'salesforce_error',
      `The sign-in named an org address that is refused: ${verdict.problem}.`,
      { next: verdict.next },
    );
  }

  /** A grant becomes the bot's connection: same org as before, user and environment asked, tokens durable before the row shows them. */
  async function establish(
    bot: string,
    flow: ConnectionRow['flow'],
    loginUrl: string,
    grant: Grant,
    { app, login }: { readonly app?: OAuthApp | undefined; readonly login?: LoginSecret } = {},
  ): Promise<ConnectionStatus> {
    if (!grant.orgId || !grant.userId || !grant.instanceUrl) throw notSalesforce();
    const before = await rows.get(bot);
    const orgId = receivedId(grant.orgId) ?? grant.orgId;
    // What the simulated org holds is nobody's: from there a bot moves on without being disconnected first.
    const isMove = before?.instanceUrl === SIMULATED && loginUrl !== SIMULATED;
    const isOn = before !== undefined && before.state !== 'disconnected' && !isMove;
    if (isOn && before.orgId !== orgId) {
      await apps.by(app).revoke(loginUrl, grant.refreshToken ?? grant.accessToken);
      throw new GatehouseError(
        'conflict',
        `This bot is connected to another org (${before.orgId}); you signed in to ${orgId}.`,
        {
          next: 'Disconnect the bot first: that archives its links to the old org. Or sign in to the same org again.',
        },
      );
    }
    // Far ahead of any fence that a renewal under way may still take, so that their tokens never share a key.
    const tokenVersion = (before?.fence ?? 0) + 1_000;
    const fresh: ConnectionRow = {
      bot,
      id: isOn ? before.id : deps.newId(),
      flow,
      state: 'connected',
      orgId,
      userId: receivedId(grant.userId) ?? grant.userId,
      username: login?.username ?? '',
      instanceUrl: instanceOf(grant, loginUrl),
      loginUrl,
      // Until the org says: what the address proves, else the kind that is written to with most care.
      environment: loginUrl === SIMULATED ? 'simulated' : looksLikeSandbox(loginUrl) ? 'sandbox' : 'production',
      scopes: grant.scopes,
      connectedAt: now(),
      tokenVersion,
      leaseOwner: null,
      leaseUntil: 0,
      fence: tokenVersion,
      ...CLOSED,
      clockOffsetMs: 0,
      apiUsed: null,
      apiMax: null,
      apiAt: null,
      limitedUntil: 0,
      lastSuccessAt: now(),
      lastFailureAt: null,
      lastFailureCode: null,
      lastFailureMessage: null,
      lastFailureNext: null,
      lastSyncAt: before?.orgId === orgId ? before.lastSyncAt : null,
      lastEventAt: before?.orgId === orgId ? before.lastEventAt : null,
      successes: 0,
      failures: 0,
    };
    const known = { ...fresh, ...(await lookAround(fresh, grant)) };
    const tokens = {
      accessToken: grant.accessToken,
      ...(grant.refreshToken ? { refreshToken: grant.refreshToken } : {}),
      login,
      ...(flow === 'simulated' ? {} : { app: apps.kept(app) }),
    };
    await session.keep(known, tokens);
    const old = before && (await session.tokens(before));
    await rows.put(known);
    if (before && before.tokenVersion !== tokenVersion) await session.forget(before);
    if (before && before.id !== known.id) await describes.forget(before.id);
    if (old?.refreshToken && old.refreshToken !== grant.refreshToken)
      await revoke(before?.loginUrl ?? loginUrl, old, old.refreshToken);
    log.info('connected to Salesforce', { bot, flow, orgId, environment: known.environment });
    return toStatus(known, now());
  }

  /** By the app that issued it; false where that one is there no more. */
  async function revoke(loginUrl: string, tokens: TokenSet, value: string): Promise<boolean> {
    try {
      return await apps.issuerOf(tokens).revoke(loginUrl, value);
    } catch (error) {
      if (error instanceof GatehouseError && error.code === 'reconnect_needed') return false;
      throw error;
    }
  }

  /** Where a bot that is connected again logs in unless another host is named; undefined where that is for the settings to say. */
  const loginBefore = (row: ConnectionRow | undefined): string | undefined =>
    row !== undefined && row.state !== 'disconnected' && 'origin' in judgeHost(row.loginUrl, config.extraHosts)
      ? row.loginUrl
      : undefined;

  /** Connected again, a bot stays with its own app and its login host unless another is named. */
  async function withApp<How extends Pick<WebStart, 'app' | 'loginUrl' | 'sandbox'>>(
    bot: string,
    how: How,
  ): Promise<How> {
    if (how.app !== undefined) return how;
    const row = await rows.get(bot);
    const loginUrl = how.loginUrl ?? (how.sandbox ? undefined : loginBefore(row));
    const app = row === undefined || row.state === 'disconnected' ? undefined : ownApp(await session.tokens(row));
    return { ...how, ...(app && { app }), ...(loginUrl !== undefined && { loginUrl }) };
  }

  /** Who signed in, and to what kind of org. A user without access to either question still gets connected, and is told. */
  async function lookAround(row: ConnectionRow, { accessToken }: Grant): Promise<Partial<ConnectionRow>> {
    const ask = async (path: string, tries = LOOKS): Promise<Record<string, unknown>> => {
      const headers = { authorization: `Bearer ${accessToken}` };
      try {
        const { status, json } = await transport.exchange({
          method: 'GET',
          base: row.instanceUrl,
          path,
          headers,
          isRead: true,
        });
        if (status < 500) return status === 200 && isRecord(json) ? json : {};
      } catch (error) {
        // The code of this sign-in is spent: better connected with a gap than to begin again.
        if (!(error instanceof UpstreamError)) throw error;
      }
      if (tries <= 1) return {};
      await wait(LOOK_PAUSE_MS);
      return ask(path, tries - 1);
    };
    const query = encodeURIComponent('SELECT IsSandbox FROM Organization LIMIT 1');
    const [identity, page] = await Promise.all([
      ask(`/id/${row.orgId}/${row.userId}`),
      row.instanceUrl === SIMULATED ? undefined : ask(`/services/data/${config.apiVersion}/query?q=${query}`),
    ]);
    const [organization] = Array.isArray(page?.records) ? page.records : [];
    const isSandbox = isRecord(organization) ? organization.IsSandbox : undefined;
    return {
      ...(typeof identity.username === 'string' ? { username: identity.username } : {}),
      ...(typeof isSandbox === 'boolean'
        ? { environment: isSandbox ? 'sandbox' : 'production' }
        : row.instanceUrl === SIMULATED
          ? {}
          : unknownKind(row, now())),
    };
  }

  async function signIn(bot: string, given: HeadlessFlow): Promise<ConnectionStatus> {
    const how = given.flow === 'simulated' ? given : await withApp(bot, given);
    const { app } = how;
    const oauth = apps.by(app);
    switch (how.flow) {
      case 'simulated':
        transport.origin(SIMULATED);
        return establish(bot, 'simulated', SIMULATED, await oauth.simulated());
      case 'client-credentials': {
        const loginUrl = loginUrlOf(how);
        return establish(bot, how.flow, loginUrl, await oauth.clientCredentials(loginUrl), { app });
      }
      case 'jwt': {
        const { username, privateKey } = how;
        const loginUrl = loginUrlOf(how);
        return establish(bot, how.flow, loginUrl, await oauth.jwt(loginUrl, { username, privateKey }), {
          app,
          login: { username, privateKey },
        });
      }
      case 'password': {
        if (!deps.allowPassword) {
          throw new GatehouseError('off', 'Signing in with user name and password is switched off.', {
            next: 'Use the web flow or client credentials. An operator who must can allow it with GATEHOUSE_ALLOW_PASSWORD=1; Salesforce discourages it and blocks it in new orgs.',
          });
        }
        const { username, password } = how;
        const loginUrl = loginUrlOf(how);
        return establish(bot, how.flow, loginUrl, await oauth.password(loginUrl, { username, password }), {
          app,
          login: { username, password },
        });
      }
      default:
        return how satisfies never;
    }
  }

  /** Why the settings of this start keep what is stored from being used: its org is not here, or its host may not be asked. */
  function barOf({ instanceUrl }: ConnectionRow): GatehouseError | undefined {
    try {
      transport.origin(instanceUrl);
      return undefined;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      return new GatehouseError('reconnect_needed', error.message, { next: error.next });
    }
  }

  async function openLine(bot: string, call: OrgCall): Promise<RequestPipeline> {
    const readAt = now();
    const read = isFresh(call.known, readAt) ? call.known : { row: await rows.get(bot), readAt };
    const opened = { row: usable(read.row), readAt: read.readAt };
    const bar = barOf(opened.row);
    if (bar !== undefined) throw bar;
    return createRequestPipeline({ rows, session, health, versions, timeoutMs, now, wait }, opened, call);
  }

  return {
    async begin(bot, given) {
      const start = await withApp(bot, given);
      return web.begin(bot, start, loginUrlOf(start), start.app);
    },
    async finish(back) {
      const { bot, loginUrl, app, grant } = await web.finish(back);
      return { ...(await establish(bot, 'web', loginUrl, grant, { app })), bot };
    },
    connect: signIn,
    async disconnect(bot) {
      // The state first: from here on no request starts and no refresh can bring the connection back.
      await rows.patch(bot, { state: 'disconnected' });
      await web.forget(bot);
      const row = await rows.get(bot);
      if (!row) return { revoked: false };
      const tokens = await session.tokens(row);
      const revoked = tokens ? await revoke(row.loginUrl, tokens, tokens.refreshToken ?? tokens.accessToken) : false;
      await session.forget(row);
      await describes.forget(row.id);
      log.info('disconnected from Salesforce', { bot, revoked });
      return { revoked };
    },
    async status(bot) {
      await health.flush(bot);
      const row = await rows.get(bot);
      if (row === undefined) return { state: 'never_connected' };
      const bar = row.state === 'connected' ? barOf(row) : undefined;
      return toStatus(bar === undefined ? row : { ...row, ...barred(bar, now()) }, now());
    },
    async login(bot) {
      return loginBefore(await rows.get(bot)) ?? config.loginUrl;
    },
    async app(bot) {
      const row = await rows.get(bot);
      if (row === undefined || row.state === 'disconnected' || row.flow === 'simulated') return undefined;
      const by = (await session.tokens(row))?.app;
      if (by?.of === 'bot') return { of: 'bot', clientId: by.clientId };
      // What issued it, not what is set by now; earlier versions kept none.
      const clientId = by?.clientId ?? config.clientId;
      if (clientId === undefined) return undefined;
      return { of: 'installation', clientId, ...(clientId === config.clientId ? {} : { isFormer: true }) };
    },
    async clockOffset(row) {
      return health.offsetOf(row);
    },
    async hadReal() {
      return (await rows.list()).some(({ instanceUrl }) => instanceUrl !== SIMULATED);
    },
    async open(bot, call) {
      const pipeline = await openLine(bot, call);
      return createOrg({
        pipeline,
        apiVersion: config.apiVersion,
        describes,
        health,
        bulk: createBulk({ pipeline, apiVersion: config.apiVersion, signal: call.signal, now, wait }),
        simulatedPages: deps.simulatedPages,
      });
    },
    async events(bot) {
      const { createEventSource } = await import('./events/event-stream.ts');
      const open = (signal: AbortSignal) => openLine(bot, { signal, background: true });
      return createEventSource({ open, apiVersion: config.apiVersion, wait });
    },
    async admins() {
      const { createAdminOrg } = await import('./metadata/deploy.ts');
      const { apiVersion } = config;
      return {
        ...createAdminSignIns({ transport, apps, rows, session, random: deps.random }),
        open: (admin, signal) => createAdminOrg({ transport, apiVersion }, admin, signal),
      };
    },
    close: () => health.flush(),
  };
}

/** The checkbox means Salesforce's sandbox host; a configured test server or My Domain stays what it is. */
function sandboxOf(loginUrl: string): string {
  return loginUrl === PRODUCTION ? SANDBOX : loginUrl;
}

const LOOKS = 3;
const LOOK_PAUSE_MS = 500;

/** As people see a connection that stands in the store and cannot be used: what is so now, and its cure. */
function barred({ code, message, next }: GatehouseError, at: number): Partial<ConnectionRow> {
  return {
    state: 'needs_reauth',
    lastFailureAt: at,
    lastFailureCode: code,
    lastFailureMessage: message,
    lastFailureNext: next,
  };
}

/** Told on the connection card and in the status: a guess that nobody hears of is taken for the truth. */
function unknownKind({ environment }: ConnectionRow, at: number): Partial<ConnectionRow> {
  return {
    lastFailureAt: at,
    lastFailureCode: 'environment_unknown',
    lastFailureMessage: `Connected, but the org did not say whether it is a sandbox; it counts as ${environment}.`,
  };
}
