/** Outbound messages waiting to be acknowledged: at least once, out of order, for a day. */
import type { Notice, OutboundAction } from '../facts.ts';
import { startInterviews } from '../flows/callouts.ts';
import type { Org } from '../org.ts';
import type { Row } from '../table.ts';

export const perMessage = 100;
const dayMs = 24 * 60 * 60 * 1000;
const firstDelayMs = 5000;
const longestDelayMs = 2 * 60 * 60 * 1000;
/** No answer in a minute means a retry; until then nobody else sends the same. */
export const answerMs = 60_000;

export function noteChange(org: Org, object: string, row: Row): void {
  startInterviews(org, object, row);
  for (const action of org.facts('action')) {
    if (action.object !== object) continue;
    const notice: Notice = {
      id: org.mint('04l'),
      actionId: action.id,
      recordId: row.Id,
      createdAt: org.now(),
      attempts: 0,
      nextAt: org.now(),
      lastError: null,
    };
    org.keep('notice', notice.id, notice);
  }
}

export interface Delivery {
  readonly action: OutboundAction;
  readonly notices: readonly Notice[];
}

/** Takes what is due, up to a hundred per message, and holds it back from others until the answer's time is over. */
export function claimDue(org: Org, isForced: boolean): Delivery[] {
  const now = org.now();
  const byAction = new Map<string, Notice[]>();
  for (const notice of org.facts('notice')) {
    if (notice.createdAt + dayMs <= now) org.forget('notice', notice.id);
    else if (isForced || notice.nextAt <= now)
      byAction.set(notice.actionId, [...(byAction.get(notice.actionId) ?? []), notice]);
  }
  return [...byAction].flatMap(([id, notices]) => {
    const action = org.fact('action', id);
    if (!action) return [];
    return chunks(notices).map((chunk) => {
      for (const notice of chunk) org.keep('notice', notice.id, { ...notice, nextAt: now + answerMs });
      return { action, notices: chunk };
    });
  });
}

export function settle(org: Org, { notices }: Delivery, problem: string | undefined): void {
  for (const { id } of notices) {
    const notice = org.fact('notice', id);
    if (!notice) continue;
    if (problem === undefined) org.forget('notice', id);
    else {
      const attempts = notice.attempts + 1;
      const nextAt = org.now() + Math.min(firstDelayMs * 2 ** (attempts - 1), longestDelayMs);
      org.keep('notice', id, { ...notice, attempts, nextAt, lastError: problem });
    }
  }
}

/** Milliseconds until something is due, by the org's clock. */
export function nextDue(org: Org): number | undefined {
  const times = org.facts('notice').map((notice) => notice.nextAt);
  return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - org.now());
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / perMessage) }, (_, at) =>
    items.slice(at * perMessage, (at + 1) * perMessage),
  );
}
