import { GatehouseError } from '../../domain/errors.ts';
import type { LeaseWatch } from '../../domain/lease-watch.ts';
import { receivedId } from '../../domain/salesforce-id.ts';
import type { ConnectionRow, ConnectionStore } from '../../ports/store.ts';
import type { LoginSecret, TokenSet, TokenStore } from '../../ports/tokens.ts';
import { saidIn } from '../transport/failures.ts';
import { SIMULATED } from '../transport/hosts.ts';
import { type Answer, isEventPath, type Transport, type Wire } from '../transport/http.ts';
import { cancelled, UpstreamError } from '../transport/upstream-error.ts';
import { untilAborted } from '../transport/waiting.ts';
import type { Apps } from './apps.ts';
import type { Grant } from './oauth.ts';
import { moved, notFromSalesforce, reconnectNeeded, tooLate, usedUp } from './session-refusals.ts';
import { passing } from './sign-in-failures.ts';
import { createUnsavedGrants, isUnwanted } from './unsaved-grants.ts';

/**
 * The session of a connection: sends with its token, and renews it on a 401 only, once for all callers and processes (O5).
 *
 * Tokens lie in the vault under `CONNECTION.VERSION`, where the version is the fence of the lease that stored them. A new set
 * is written under its own key first and becomes visible by one compare-and-set of the row, so a holder that stalled past its
 * lease writes to a key that nobody reads. Where that write fails, the grant waits in memory and is stored before anything is
 * asked for anew; nothing is asked for while the vault says that it takes nothing. A kill between Salesforce's answer and the
 * write loses a rotated refresh token (Salesforce then wants a new sign-in); without rotation the next caller renews again.
 */
export interface Session {
  send(row: ConnectionRow, request: Sending): Promise<Answer>;
  /** For who was told in a stream's own words that the token is dead: a newer one, or the one that came meanwhile. */
  renew(row: ConnectionRow, signal: AbortSignal): Promise<ConnectionRow>;
  /** Keeps a first set of tokens durably; the caller makes them visible by storing the row. */
  keep(row: Pick<ConnectionRow, 'id' | 'tokenVersion'>, tokens: TokenSet): Promise<void>;
  tokens(row: ConnectionRow): Promise<TokenSet | undefined>;
  forget(row: ConnectionRow): Promise<void>;
}

export interface Sending extends Omit<Wire, 'base'> {
  /** From then on nothing is sent, whatever a renewal would still make possible. */
  readonly sendBy: number;
  /** How the token is introduced; default `Bearer`. */
  readonly scheme?: 'Bearer' | 'OAuth' | undefined;
}

const POLL_MS = 30;
const MOVE_AGAIN_MS = 10 * 60_000;
/** Of one renewal, with about a second between the first and the last. */
const MOST_TRIES = 3;
const PAUSE_MS = 300;

export function createSession(deps: {
  readonly transport: Transport;
  readonly apps: Apps;
  readonly rows: ConnectionStore;
  readonly vault: TokenStore;
  readonly timeoutMs: number;
  readonly instance: string;
  readonly watch: LeaseWatch;
  readonly now: () => number;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}): Session {
  const { transport, apps, rows, vault, timeoutMs, now, wait } = deps;
  // Longer than the one request that runs under it, so that a live holder does not lose it.
  const leaseMs = timeoutMs + 10_000;
  const held = new Map<string, { readonly key: string; readonly tokens: TokenSet }>();
  const flights = new Map<string, Promise<ConnectionRow>>();
  const unsaved = createUnsavedGrants({
    renew: (row) => renew(row, { sendBy: Number.POSITIVE_INFINITY }),
    revoke: async ({ loginUrl }, { old, grant }) =>
      grant.refreshToken && apps.issuerOf(old).revoke(loginUrl, grant.refreshToken),
  });
  /** When a host that sent us away last made us ask for its successor: one that has none is not asked about at each call. */
  const movesAsked = new Map<string, number>();

  async function tokens(row: ConnectionRow): Promise<TokenSet | undefined> {
    const key = keyOf(row);
    const known = held.get(row.bot);
    if (known?.key === key) return known.tokens;
    const stored = await vault.get(key);
    if (stored) held.set(row.bot, { key, tokens: stored });
    return stored;
  }

  /** The row as it stands, with tokens to go with it; a version that moved meanwhile is followed. */
  async function current(row: ConnectionRow): Promise<{ row: ConnectionRow; tokens: TokenSet }> {
    const got = await tokens(row);
    if (got) return { row, tokens: got };
    const latest = usable(await rows.get(row.bot));
    const later = latest.tokenVersion === row.tokenVersion ? undefined : await tokens(latest);
    if (later) return { row: latest, tokens: later };
    throw reconnectNeeded('The stored Salesforce tokens are missing.');
  }

  async function send(given: ConnectionRow, request: Sending): Promise<Answer> {
    const first = await current(given);
    const answer = await authorised(first.row, first.tokens, request).catch(orMoved);
    if (answer instanceof UpstreamError) return afterMove(first.row, answer, request);
    if (isGone(answer)) return afterMove(first.row, moved(request), request);
    if (isEventPath(request.path) || !isExpired(answer, request.path)) return answer;
    // A page in the place of Salesforce's own 401 does not say that the write was not done: it is not sent a second time.
    if (!request.isRead && saidIn(answer).length === 0) throw notFromSalesforce('unknown');
    if (isOnce(request)) throw usedUp();
    const second = await current(await renew(first.row, request));
    const again = await authorised(second.row, second.tokens, request);
    if (!isExpired(again, request.path)) return again;
    if (saidIn(again).length === 0) throw notFromSalesforce(request.isRead ? 'not_sent' : 'unknown');
    throw reconnectNeeded('Salesforce refuses a session that it has just renewed.');
  }

  /** The login host knows where the org is now: one renewal tells, and the request goes there. */
  async function afterMove(row: ConnectionRow, met: UpstreamError, request: Sending): Promise<Answer> {
    const askedAt = movesAsked.get(row.instanceUrl);
    if (row.instanceUrl === SIMULATED || isOnce(request) || (askedAt !== undefined && now() - askedAt < MOVE_AGAIN_MS))
      throw met;
    movesAsked.set(row.instanceUrl, now());
    const renewed = await renew(row, request).catch((error: unknown) => {
      // Why it cannot be asked says less than what was met, unless a person must act.
      throw error instanceof GatehouseError && error.code === 'reconnect_needed' ? error : met;
    });
    if (renewed.instanceUrl === row.instanceUrl) throw met;
    const there = await current(renewed);
    return authorised(there.row, there.tokens, request);
  }

  async function authorised(row: ConnectionRow, { accessToken }: TokenSet, request: Sending): Promise<Answer> {
    const { sendBy, scheme = 'Bearer', ...wire } = request;
    if (now() >= sendBy) throw tooLate();
    return transport.exchange({
      ...wire,
      base: row.instanceUrl,
      headers: { ...wire.headers, authorization: `${scheme} ${accessToken}` },
    });
  }

  /** One flight per process and stale version; each caller may leave it by its own signal, or when its time is over. */
  async function renew(
    stale: ConnectionRow,
    { signal, sendBy }: Pick<Sending, 'signal' | 'sendBy'>,
  ): Promise<ConnectionRow> {
    const key = keyOf(stale);
    const flight = flights.get(key) ?? renewAcrossProcesses(stale).finally(() => flights.delete(key));
    flights.set(key, flight);
    const late = Number.isFinite(sendBy) ? AbortSignal.timeout(Math.max(0, Math.ceil(sendBy - now()))) : undefined;
    const ends = [signal, late].filter((one) => one !== undefined);
    return untilAborted(flight, AbortSignal.any(ends)).catch((error: unknown) => {
      if (signal?.aborted) throw cancelled('not_sent');
      throw late?.aborted ? tooLate() : error;
    });
  }

  async function renewAcrossProcesses(stale: ConnectionRow): Promise<ConnectionRow> {
    for (let waitedMs = 0; waitedMs <= leaseMs + timeoutMs; waitedMs += POLL_MS) {
      const row = renewable(await rows.get(stale.bot));
      if (row.tokenVersion !== stale.tokenVersion) return row;
      const { leaseOwner, leaseUntil, fence: seen } = row;
      const isOver =
        leaseOwner === null ||
        deps.watch.hasStood(`renewal of ${row.bot}`, `${leaseOwner} ${leaseUntil} ${seen}`, leaseMs);
      const fence = isOver ? await rows.lease(row.bot, deps.instance, leaseUntil, now() + leaseMs, seen) : undefined;
      if (fence !== undefined) return renewUnderLease(stale, fence);
      await wait(POLL_MS);
    }
    throw new UpstreamError(
      'salesforce_unavailable',
      'Another process is renewing the Salesforce session and does not finish.',
      {
        next: 'Try again in a minute.',
        outcome: 'not_sent',
        retryable: true,
      },
    );
  }

  async function renewUnderLease(stale: ConnectionRow, fence: number): Promise<ConnectionRow> {
    const release = { leaseOwner: null, leaseUntil: 0 };
    const row = renewable(await rows.get(stale.bot));
    if (row.tokenVersion !== stale.tokenVersion) {
      await rows.patchIf(row.bot, { fence }, release);
      return row;
    }
    const key = keyOf(row);
    try {
      const granted = unsaved.of(key) ?? (await grantAnew(row, fence));
      if ('row' in granted) return granted.row;
      const { old, grant } = granted;
      unsaved.add(key, granted);
      await mustBeSameOrg(row, old, grant);
      const fresh: ConnectionRow = {
        ...row,
        ...release,
        state: 'connected',
        fence,
        tokenVersion: fence,
        // The app's own user may be another by now: it counts for what was read before.
        userId: receivedId(grant.userId) ?? row.userId,
        instanceUrl: instanceOf(row, grant),
      };
      const next = {
        ...old,
        accessToken: grant.accessToken,
        ...(grant.refreshToken ? { refreshToken: grant.refreshToken } : {}),
      };
      const published = await publish(row, fresh, next);
      unsaved.remove(key);
      return published;
    } catch (error) {
      if (isUnwanted(error)) unsaved.remove(key);
      else unsaved.storeLater(row, key);
      await rows.patchIf(row.bot, { fence }, release);
      // Another process may have rotated the token under our hands: then ours was simply the older one.
      const latest = renewable(await rows.get(row.bot));
      if (latest.tokenVersion !== row.tokenVersion) return latest;
      if (error instanceof GatehouseError && error.code === 'reconnect_needed') {
        await rows.patchIf(row.bot, { tokenVersion: row.tokenVersion, state: 'connected' }, { state: 'needs_reauth' });
      }
      throw error;
    }
  }

  /** Durable first, visible second, used third. */
  async function publish(old: ConnectionRow, fresh: ConnectionRow, next: TokenSet): Promise<ConnectionRow> {
    await vault.set(keyOf(fresh), next);
    const { tokenVersion, state, userId, instanceUrl, fence } = fresh;
    // The version is what must not have moved: nobody stored tokens since ours were read. A connection that was given up
    // for a moment because our rotated token was still unsaved is thereby healed; a disconnected one stays so.
    for (const was of ['connected', 'needs_reauth'] as const) {
      const patch = { tokenVersion, state, userId, instanceUrl };
      if (await rows.patchIf(old.bot, { tokenVersion: old.tokenVersion, state: was }, patch)) {
        await rows.patchIf(old.bot, { fence }, { leaseOwner: null, leaseUntil: 0 });
        held.set(old.bot, { key: keyOf(fresh), tokens: next });
        await vault.delete(keyOf(old));
        return fresh;
      }
    }
    await vault.delete(keyOf(fresh));
    const latest = await rows.get(old.bot);
    if (latest?.state === 'disconnected' && next.refreshToken)
      await apps.issuerOf(next).revoke(old.loginUrl, next.refreshToken);
    return usable(latest);
  }

  /**
   * A hiccup is not a death: what may pass is tried again a little later, under the same lease. Somebody else's renewal, where
   * one came between, is as good.
   */
  async function grantPatiently(
    row: ConnectionRow,
    old: TokenSet,
    fence: number,
  ): Promise<{ readonly grant: Grant } | { readonly row: ConnectionRow }> {
    for (let tries = 1; ; tries++) {
      try {
        return { grant: await grantAgain(row, old) };
      } catch (error) {
        const hiccup = passing(error);
        // One that took its whole time leaves none for another: callers wait for this.
        const isSlow = error instanceof UpstreamError && error.infrastructure && !error.repeat;
        if (hiccup === undefined || tries === MOST_TRIES || isSlow) throw hiccup ?? error;
        await wait(PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random()));
        const latest = usable(await rows.get(row.bot));
        if (latest.tokenVersion !== row.tokenVersion) {
          await rows.patchIf(row.bot, { fence }, { leaseOwner: null, leaseUntil: 0 });
          return { row: latest };
        }
        // The lease was taken over: whoever has it renews.
        if (!(await rows.patchIf(row.bot, { fence }, { leaseUntil: now() + leaseMs }))) throw hiccup;
      }
    }
  }

  /** With a refresh token that may be spent by the question, nothing is asked for that could not be stored. */
  async function grantAnew(row: ConnectionRow, fence: number) {
    const old = await tokens(row);
    if (!old) throw reconnectNeeded('The stored Salesforce tokens are missing.');
    await vault.check();
    const granted = await grantPatiently(row, old, fence);
    return 'row' in granted ? granted : { old, grant: granted.grant };
  }

  /** What another process gave up, because the token it had was spent, is not lost while the newer one waits here. */
  function renewable(row: ConnectionRow | undefined): ConnectionRow {
    return row?.state === 'needs_reauth' && unsaved.of(keyOf(row)) ? row : usable(row);
  }

  async function grantAgain(row: ConnectionRow, old: TokenSet): Promise<Grant> {
    const login: LoginSecret = old.login ?? { username: row.username };
    const oauth = row.flow === 'simulated' ? apps.by(undefined) : apps.issuerOf(old);
    switch (row.flow) {
      case 'simulated':
        return oauth.simulated();
      case 'client-credentials':
        return oauth.clientCredentials(row.loginUrl);
      case 'jwt':
        if (login.privateKey)
          return oauth.jwt(row.loginUrl, { username: login.username, privateKey: login.privateKey });
        break;
      case 'password':
        if (login.password) return oauth.password(row.loginUrl, { username: login.username, password: login.password });
        break;
      case 'web':
        if (old.refreshToken) return oauth.refresh(row.loginUrl, old.refreshToken);
        break;
      default:
        return row.flow satisfies never;
    }
    throw reconnectNeeded('The Salesforce session has ended and cannot be renewed: the sign-in gave no refresh token.');
  }

  /** A sandbox keeps its address, user and app when it is refreshed, and is another org: nothing of the old one may go there. */
  async function mustBeSameOrg(row: ConnectionRow, old: TokenSet, grant: Grant): Promise<void> {
    const { orgId, loginUrl } = row;
    const oauth = apps.issuerOf(old);
    const now = grant.orgId || (await oauth.orgOf(instanceOf(row, grant), grant.accessToken));
    if (now.slice(0, 15) === orgId.slice(0, 15)) return;
    await oauth.revoke(loginUrl, grant.accessToken);
    throw new GatehouseError('reconnect_needed', `The sign-in leads to another org (${now}) than before (${orgId}).`, {
      next: 'Ask the operator: after a sandbox refresh, disconnect the bot (that archives its links to the old org) and connect it again.',
    });
  }

  /** Kept or updated, never lost: an answer without an address that may be used keeps the old one. */
  function instanceOf(row: ConnectionRow, { instanceUrl }: Grant): string {
    if (row.instanceUrl === SIMULATED || instanceUrl === '') return row.instanceUrl;
    try {
      return transport.origin(instanceUrl);
    } catch (error) {
      if (error instanceof UpstreamError) return row.instanceUrl;
      throw error;
    }
  }

  return {
    send,
    renew: (row, signal) => renew(row, { signal, sendBy: Number.POSITIVE_INFINITY }),
    tokens,
    keep: (row, set) => vault.set(keyOf(row), set),
    async forget(row) {
      held.delete(row.bot);
      await vault.delete(keyOf(row));
    },
  };
}

/** A stream is used up, and an event stream's client lives with its token: neither is sent a second time from here. */
const isOnce = ({ body, path }: Sending): boolean => body instanceof ReadableStream || isEventPath(path);

function orMoved(error: unknown): UpstreamError {
  if (error instanceof UpstreamError && error.isMoved) return error;
  throw error;
}

/** What an instance that an org has left says of itself. */
function isGone(answer: Answer): boolean {
  if (answer.status === 421) return true;
  if (answer.status < 400) return false;
  return saidIn(answer).some(({ code }) => code === 'URL_NOT_RESET') || /URL No Longer Exists/i.test(answer.text);
}

/** The row of a connection that may be used, or the refusal in words. */
export function usable(row: ConnectionRow | undefined): ConnectionRow {
  if (row?.state === 'connected') return row;
  if (row?.state === 'needs_reauth') throw reconnectNeeded('Salesforce no longer accepts the stored sign-in.');
  throw new GatehouseError('not_connected', 'This bot is not connected to Salesforce.', {
    next: `Ask the operator to connect it: the bot's page in the console, Connect, or gatehouse connect ${row?.bot ?? 'BOT'} --flow web.`,
  });
}

function keyOf(row: Pick<ConnectionRow, 'id' | 'tokenVersion'>): string {
  return `${row.id}.${row.tokenVersion}`;
}

/** 403 is no expired session: renewing on it would turn a limit into a storm. Identity pages alone say it in their own way. */
function isExpired(answer: Answer, path: string): boolean {
  if (answer.status === 403) return path.startsWith('/id/') && answer.text.includes('Bad_OAuth_Token');
  if (answer.status !== 401) return false;
  return !saidIn(answer).some(({ message }) =>
    /not valid for use with the REST API|not attached to Agent/.test(message),
  );
}
