export interface BudgetShares {
  readonly background: number;
  readonly interactive: number;
}

/** What may still be spent of the org's daily API allowance (R2). Pure. */

export const DEFAULT_SHARES: BudgetShares = { background: 0.8, interactive: 0.95 };

/** Figures older than this are measured anew by letting one request through: the allowance is a rolling day. */
export const REMEASURE_MS = 15 * 60_000;

export interface Usage {
  readonly used: number;
  readonly max: number;
  readonly at: number;
}

/** `api-usage=18/15000`, also with `, per-app-api-usage=...` behind it; undefined when it is not there or odd. */
export function readLimitInfo(header: string | null, at: number): Usage | undefined {
  const match = /(?:^|[,\s])api-usage=(\d+)\/(\d+)/.exec(header ?? '');
  const used = Number(match?.[1]);
  const max = Number(match?.[2]);
  return match && Number.isSafeInteger(used) && Number.isSafeInteger(max) && max > 0 ? { used, max, at } : undefined;
}

export type Spending =
  | { readonly kind: 'fine' }
  | { readonly kind: 'remeasure' }
  | { readonly kind: 'spent'; readonly percent: number; readonly retryAfterMs: number };

export function judgeSpending(usage: Usage | undefined, share: number, now: number): Spending {
  if (!usage || usage.used < usage.max * share) return { kind: 'fine' };
  const age = now - usage.at;
  if (age >= REMEASURE_MS) return { kind: 'remeasure' };
  return {
    kind: 'spent',
    percent: Math.floor((usage.used / usage.max) * 100),
    retryAfterMs: REMEASURE_MS - Math.max(0, age),
  };
}

/** How long to send nothing after REQUEST_LIMIT_EXCEEDED: the daily allowance moves slowly, the concurrent one at once. */
export function limitPauseMs(said: string): number {
  return /concurrent/i.test(said) ? 15_000 : REMEASURE_MS;
}
