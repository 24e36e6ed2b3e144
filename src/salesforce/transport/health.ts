import { GatehouseError } from '../../domain/errors.ts';
import { holdsFor, type LeaseWatch } from '../../domain/lease-watch.ts';
import type { ConnectionRow, ConnectionStore } from '../../ports/store.ts';
import { abandoned, admit, type Breaker, failed, PAUSE_MS, succeeded } from './breaker.ts';
import type { BudgetShares } from './budget.ts';
import { DEFAULT_SHARES, judgeSpending, limitPauseMs, REMEASURE_MS, readLimitInfo, type Usage } from './budget.ts';
import { operatorHint } from './failure-table.ts';
import type { Answer } from './http.ts';
import { UpstreamError } from './upstream-error.ts';

/**
 * What each connection can bear right now: breaker, allowance, and the record of how it went, shared by all processes
 * through the connection's row. A healthy request costs no SQL of its own: its news is written at most once a second.
 */
export interface Health {
  /** Throws `circuit_open` or `limit_reached` before anything is sent. */
  admit(row: ConnectionRow, background: boolean): Promise<Pass>;
  /** Every admitted request is settled once. */
  settle(
    pass: Pass,
    result: { readonly answer?: Answer | undefined; readonly failure?: GatehouseError | undefined },
  ): Promise<void>;
  /** How far Salesforce's clock is ahead of ours, ms: as this process measured it, else as another one did, by its own clock. */
  offsetOf(row: ConnectionRow): number;
  /** Our clock corrected by that. */
  clock(row: ConnectionRow): number;
  /** Whether this process has measured it, and its clock was not set since. */
  hasClock(row: ConnectionRow): boolean;
  flush(bot?: string): Promise<void>;
}

export interface Pass {
  readonly row: ConnectionRow;
  readonly isProbe: boolean;
  readonly admittedAt: number;
}

const WRITE_EVERY_MS = 1000;
/** Failures that are the caller's, not the connection's. */
const CALLERS_OWN = new Set([
  'invalid_input',
  'query_refused',
  'not_found',
  'ambiguous',
  'duplicate',
  'validation_rule',
  'conflict',
  'cancelled',
]);

interface Unwritten {
  successes: number;
  writtenAt: number;
  usage: Usage | undefined;
  offsetMs: number | undefined;
}

/** How far Salesforce's clock is ahead of ours, and when that was true, by our clock and by our steady time. */
interface Measured {
  readonly offsetMs: number;
  readonly at: number;
  readonly tick: number;
}

/** The Date header has whole seconds, and a slow answer brings an old one: smaller differences say nothing. */
const SAME_TIME_MS = 1_500;

export function createHealth(deps: {
  readonly rows: ConnectionStore;
  readonly now: () => number;
  /** Steady time of this process. */
  readonly ticks: () => number;
  readonly watch: LeaseWatch;
  readonly timeoutMs: number;
  readonly shares?: BudgetShares | undefined;
}): Health {
  const { rows, now, ticks, watch, shares = DEFAULT_SHARES } = deps;
  const probeMs = deps.timeoutMs + 5_000;
  const unwritten = new Map<string, Unwritten>();
  const measured = new Map<string, Measured>();

  const offsetOf = ({ id, clockOffsetMs }: ConnectionRow): number => measured.get(id)?.offsetMs ?? clockOffsetMs;

  function newsOf(bot: string): Unwritten {
    const known = unwritten.get(bot);
    if (known) return known;
    const fresh: Unwritten = {
      successes: 0,
      writtenAt: Number.NEGATIVE_INFINITY,
      usage: undefined,
      offsetMs: undefined,
    };
    unwritten.set(bot, fresh);
    return fresh;
  }

  function usageOf(row: ConnectionRow): Usage | undefined {
    const local = newsOf(row.bot).usage;
    const { apiUsed, apiMax, apiAt } = row;
    const shared =
      apiUsed === null || apiMax === null || apiAt === null ? undefined : { used: apiUsed, max: apiMax, at: apiAt };
    return local && (!shared || local.at > shared.at) ? local : shared;
  }

  async function checkAllowance(row: ConnectionRow, background: boolean): Promise<void> {
    const limit = { until: row.limitedUntil, now: now(), longestMs: REMEASURE_MS };
    const limitedMs = holdsFor(watch, `limit of ${row.bot}`, limit);
    if (limitedMs > 0) {
      throw limitReached(
        'Salesforce said that a limit of its API is reached; it is left alone for a while.',
        limitedMs,
      );
    }
    const share = background ? shares.background : shares.interactive;
    const usage = usageOf(row);
    const spending = judgeSpending(usage, share, now());
    if (spending.kind === 'fine') return;
    const figures = { until: (usage?.at ?? 0) + REMEASURE_MS, now: now(), longestMs: REMEASURE_MS };
    const isFresh = holdsFor(watch, `figures of ${row.bot}`, figures) > 0;
    if (spending.kind === 'spent' && isFresh)
      throw overBudget(spending.percent, share, background, spending.retryAfterMs);
    // Old figures: whoever moves their time measures anew with one request, everybody else keeps waiting.
    if (row.apiAt === null || (await rows.patchIf(row.bot, { apiAt: row.apiAt }, { apiAt: now() }))) return;
    throw overBudget(Math.floor(share * 100), share, background, WRITE_EVERY_MS);
  }

  function heldBy({ bot, breakerState, breakerUntil }: ConnectionRow): number {
    const longestMs = breakerState === 'open' ? PAUSE_MS : probeMs;
    return holdsFor(watch, `breaker of ${bot}`, { until: breakerUntil, now: now(), longestMs });
  }

  async function checkBreaker(row: ConnectionRow): Promise<Pass> {
    const admission = admit(row, now(), probeMs, heldBy(row));
    if (admission.kind === 'pass') return { row, isProbe: false, admittedAt: now() };
    if (admission.kind === 'refused') throw circuitOpen(admission.nextTryAt, now());
    if (await rows.patchIf(row.bot, breakerOf(row), admission.next))
      return { row: { ...row, ...admission.next }, isProbe: true, admittedAt: now() };
    const moved = await rows.get(row.bot);
    throw circuitOpen(now() + (moved ? heldBy(moved) : probeMs), now());
  }

  /** Compare-and-set until it holds: other processes move the same breaker. */
  async function moveBreaker(row: ConnectionRow, move: (breaker: Breaker) => Breaker): Promise<void> {
    for (let current: ConnectionRow | undefined = row; current; current = await rows.get(row.bot)) {
      const next = move(breakerOf(current));
      if (isSame(next, current) || (await rows.patchIf(row.bot, breakerOf(current), next))) return;
    }
  }

  async function write(bot: string, news: Unwritten): Promise<void> {
    const { successes, usage, offsetMs } = news;
    Object.assign(news, { successes: 0, writtenAt: now() });
    if (successes > 0) await rows.noteSuccess(bot, now(), successes);
    if (!usage && offsetMs === undefined) return;
    await rows.patch(bot, {
      ...(usage ? { apiUsed: usage.used, apiMax: usage.max, apiAt: usage.at } : {}),
      ...(offsetMs === undefined ? {} : { clockOffsetMs: offsetMs }),
    });
    if (news.offsetMs === offsetMs) news.offsetMs = undefined;
  }

  /** True where the clocks differ otherwise than was known: the host's changes are stamped by it, and the later edit would lose. */
  function readDate(row: ConnectionRow, date: number, admittedAt: number): boolean {
    if (Number.isNaN(date)) return false;
    const known = offsetOf(row);
    const offsetMs = date + 500 - now();
    const isPrompt = now() - admittedAt < 1_000;
    // However slow the answer: it was given after the request left, and before it was here.
    const [least, most] = [date - now(), date + 1_000 - admittedAt];
    const cannotBe = known > most + SAME_TIME_MS || known < least - SAME_TIME_MS;
    const isOther = cannotBe || (isPrompt && Math.abs(offsetMs - known) > SAME_TIME_MS);
    measured.set(row.id, { offsetMs: isOther ? offsetMs : known, at: now(), tick: ticks() });
    if (isOther) newsOf(row.bot).offsetMs = offsetMs;
    return isOther;
  }

  /** True when the news matters to other processes at once. */
  function readHeaders({ row, admittedAt }: Pass, answer: Answer): boolean {
    const news = newsOf(row.bot);
    const isOtherTime = readDate(row, Date.parse(answer.header('date') ?? ''), admittedAt);
    const before = usageOf(row);
    const usage = readLimitInfo(answer.header('sforce-limit-info'), now());
    if (!usage) return isOtherTime;
    news.usage = usage;
    const crossed = (share: number) =>
      usage.used >= usage.max * share !== (before ? before.used >= before.max * share : false);
    return isOtherTime || crossed(shares.background) || crossed(shares.interactive);
  }

  return {
    async admit(row, background) {
      await checkAllowance(row, background);
      return checkBreaker(row);
    },
    async settle(pass, { answer, failure }) {
      const { row, isProbe } = pass;
      const news = newsOf(row.bot);
      const isUrgent = answer ? readHeaders(pass, answer) : false;
      const isInfrastructure = failure instanceof UpstreamError && failure.infrastructure;
      if (isInfrastructure) await moveBreaker(row, (breaker) => failed(breaker, now(), isProbe));
      else if (answer) await moveBreaker(row, (breaker) => succeeded(breaker, isProbe));
      else if (isProbe) await moveBreaker(row, abandoned);
      if (failure && failure.salesforce?.code === 'REQUEST_LIMIT_EXCEEDED') {
        await rows.patch(row.bot, { limitedUntil: now() + limitPauseMs(failure.salesforce.quote) });
      }
      if (failure && !CALLERS_OWN.has(failure.code)) {
        const code = failure.salesforce?.code ?? failure.code;
        const cure = failure instanceof UpstreamError ? failure.operator : undefined;
        await rows.noteFailure(row.bot, now(), code, failure.message, cure ?? operatorHint(code));
      } else if (answer) {
        news.successes++;
      }
      if (isUrgent || now() - news.writtenAt >= WRITE_EVERY_MS) await write(row.bot, news);
    },
    offsetOf,
    clock: (row) => now() + offsetOf(row),
    hasClock({ id }) {
      const known = measured.get(id);
      return known !== undefined && Math.abs(now() - known.at - (ticks() - known.tick)) < SAME_TIME_MS;
    },
    async flush(bot) {
      for (const [name, news] of unwritten) {
        if ((bot === undefined || bot === name) && news.successes > 0) await write(name, news);
      }
    },
  };
}

function breakerOf({ breakerState, breakerFailures, breakerSuccesses, breakerUntil }: Breaker): Breaker {
  return { breakerState, breakerFailures, breakerSuccesses, breakerUntil };
}

function isSame(a: Breaker, b: Breaker): boolean {
  return (
    a.breakerState === b.breakerState &&
    a.breakerFailures === b.breakerFailures &&
    a.breakerSuccesses === b.breakerSuccesses &&
    a.breakerUntil === b.breakerUntil
  );
}

function circuitOpen(nextTryAt: number, now: number): GatehouseError {
  const retryAfterMs = Math.max(0, nextTryAt - now);
  return new GatehouseError(
    'circuit_open',
    'Salesforce failed several times in a row, so nothing is sent for a while.',
    {
      next: `Try again after ${new Date(nextTryAt).toISOString()}; until then every call is refused at once.`,
      retryable: true,
      retryAfterMs,
    },
  );
}

function inWords(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes > 1 ? `${minutes} minutes` : 'a minute';
}

function limitReached(message: string, retryAfterMs: number): GatehouseError {
  return new GatehouseError('limit_reached', message, {
    next: `Tell the user that Salesforce can be asked again in about ${inWords(retryAfterMs)}.`,
    retryable: true,
    retryAfterMs,
  });
}

function overBudget(percent: number, share: number, background: boolean, retryAfterMs: number): GatehouseError {
  return limitReached(
    `${percent} % of the org's daily Salesforce API calls are used; ${background ? 'background work' : 'Gatehouse'} stops at ${Math.round(share * 100)} %.`,
    retryAfterMs,
  );
}
