import { GatehouseError } from '../domain/errors.ts';
import type { OrgCall, ReadConnection } from '../ports/salesforce.ts';
import type { ConnectionRow, ConnectionStore } from '../ports/store.ts';
import { type Session, usable } from './auth/session.ts';
import { toFailure } from './transport/failures.ts';
import type { Health } from './transport/health.ts';
import { type Answer, isEventPath, type Limit } from './transport/http.ts';
import type { Body } from './transport/over-http.ts';
import { failureOfOrgCode, isOrgCode } from './transport/own-answers.ts';
import { UpstreamError } from './transport/upstream-error.ts';
import type { Versions } from './transport/versions.ts';

/** Requests to one org for one call: each is admitted, authorised, judged, noted, and repeated only where that is safe (R3). */
export interface RequestPipeline {
  /** The row as last read; the org, its address and its user do not change under a call. */
  readonly row: ConnectionRow;
  send(request: OrgRequest): Promise<Answer>;
  /** The token of the last request is dead, as an event stream says in its own words. */
  renew(): Promise<void>;
}

export interface OrgRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From `/services`, `/id` or `/cometd` on, encoded. Answers to the last are judged by who speaks Bayeux, and come once. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, with its `content-type` among the headers. A stream is never sent twice. */
  readonly raw?: Body;
  readonly limit?: Limit;
  /** A success comes as bytes. */
  readonly isStreamed?: boolean;
  /** Salesforce holds it until there is news: it says nothing of how well the connection is, and waits for no turn. */
  readonly isHeld?: boolean;
  readonly scheme?: 'Bearer' | 'OAuth';
  /** For reads that travel as POST. */
  readonly isRead?: boolean;
}

export interface RequestPipelineDeps {
  readonly rows: ConnectionStore;
  readonly session: Session;
  readonly health: Health;
  readonly versions: Versions;
  /** Of one request; nothing of a write begins later than this after its start. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * Names our writes in change events, so that sync can tell its own echo. One name for each connection: of two installations on one
 * org that shared a name, each would take the other's writes for its own and go deaf.
 */
export const clientName = ({ id }: Pick<ConnectionRow, 'id'>): string =>
  `gatehouse-${id.replace(/[^A-Za-z0-9]/g, '').slice(0, 8)}`;

const ROOTS = /^\/(?:services|id|cometd)\//;

/** Refusals that only a version which is there can give. */
const CALLERS_CODES = new Set([
  'invalid_input',
  'query_refused',
  'ambiguous',
  'duplicate',
  'validation_rule',
  'conflict',
]);
const MAX_REPEATS = 2;
const FRESH_MS = 250;

/** Whether what was read of a connection may stand for what it is now. */
export const isFresh = (read: ReadConnection | undefined, now: number): read is ReadConnection =>
  read !== undefined && now - read.readAt < FRESH_MS;

export function createRequestPipeline(deps: RequestPipelineDeps, read: ReadConnection, call: OrgCall): RequestPipeline {
  const { rows, session, health, versions, timeoutMs, now, wait } = deps;
  const opened = read.row;
  let unused: ReadConnection | undefined = read;
  let used = opened;
  const callOptions = `client=${clientName(opened)}`;

  /** The row that `open` read serves the first request; later ones look again, so a disconnect stops queued work (O6). */
  async function currentRow(): Promise<ConnectionRow> {
    const row = isFresh(unused, now()) ? unused.row : usable(await rows.get(opened.bot));
    unused = undefined;
    if (row.id === opened.id) return row;
    throw new GatehouseError('not_connected', 'The connection was replaced while this call waited.', {
      next: 'Call again.',
    });
  }

  async function once(request: OrgRequest, isRead: boolean, sendBy: number): Promise<Answer> {
    if (!ROOTS.test(request.path)) throw new TypeError('A request goes to /services, /id or /cometd.');
    const row = await currentRow();
    const pass = request.isHeld
      ? { row, isProbe: false, admittedAt: now() }
      : await health.admit(row, call.background ?? false);
    used = pass.row;
    let answer: Answer | undefined;
    let failure: GatehouseError | undefined;
    call.sent?.();
    try {
      answer = await session.send(pass.row, {
        method: request.method ?? 'GET',
        path: request.path,
        headers: {
          'sforce-call-options': callOptions,
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(request.raw === undefined ? {} : { body: request.raw }),
        limit: request.limit,
        isStreamed: request.isStreamed,
        scheme: request.scheme,
        signal: call.signal,
        isRead,
        sendBy,
      });
      failure =
        isEventPath(request.path) && answer.status < 500
          ? undefined
          : isOrgCode(request.path)
            ? failureOfOrgCode(request.path, answer, isRead)
            : toFailure(answer, isRead);
      // A version that the org lacks is answered as if the record were not there.
      if (failure !== undefined && [400, 404, 410].includes(answer.status) && !CALLERS_CODES.has(failure.code))
        failure = (await versions.explain(pass.row.instanceUrl, request.path)) ?? failure;
    } catch (error) {
      if (!(error instanceof GatehouseError)) {
        if (!request.isHeld) await health.settle(pass, {});
        throw error;
      }
      failure = error;
    }
    if (!request.isHeld) await health.settle(pass, { answer, failure });
    if (failure) throw failure;
    if (answer) return answer;
    throw new TypeError('A request ended with neither answer nor failure.');
  }

  async function send(request: OrgRequest): Promise<Answer> {
    const isOnce = request.raw instanceof ReadableStream || isEventPath(request.path) || isOrgCode(request.path);
    // A stream that meets a dead session is lost: a question that costs no API call finds that out before it.
    if (request.raw instanceof ReadableStream) await send({ path: `/id/${opened.orgId}/${opened.userId}` });
    const isRead = request.isRead ?? (request.method === undefined || request.method === 'GET');
    // Another process may resume this proposal once that time is over: a write that starts later could happen twice.
    const sendBy = isRead ? Number.POSITIVE_INFINITY : now() + timeoutMs;
    for (let repeat = 0; ; repeat++) {
      try {
        return await once(request, isRead, sendBy);
      } catch (error) {
        if (isOnce || repeat >= MAX_REPEATS || call.signal.aborted || !mayRepeat(error, isRead)) throw error;
        // Nothing more goes out while the breaker is open; the failure itself says more than `circuit_open` would.
        if ((await rows.get(opened.bot))?.breakerState !== 'closed') throw error;
        const pauseMs = Math.random() * 150 * 2 ** repeat;
        if (now() + pauseMs >= sendBy) throw error;
        await wait(pauseMs, call.signal);
      }
    }
  }

  return {
    row: opened,
    send,
    async renew() {
      await session.renew(used, call.signal);
    },
  };
}

/** A write is repeated only when it surely did not happen. */
function mayRepeat(error: unknown, isRead: boolean): boolean {
  if (!(error instanceof UpstreamError) || !error.repeat) return false;
  return isRead || error.outcome === 'not_sent' || (error.outcome === 'refused' && error.code === 'conflict');
}
