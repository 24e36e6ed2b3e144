/** Sends what is due and waits for the answers; runs by itself while anything is queued. */
import type { Journal } from '../journal.ts';
import { issueSession } from '../oauth/tokens.ts';
import type { Org } from '../org.ts';
import { answerMs, claimDue, type Delivery, nextDue, settle } from './queue.ts';
import { isAcknowledged, toSoap } from './soap.ts';

export interface Deliverer {
  /** Sends all that waits, due or not, and says how it went. */
  deliverNow(): Promise<{ sent: number; acknowledged: number }>;
  /** Looks when the next message is due and sets the alarm for it. */
  wake(): void;
  close(): void;
}

export function createDeliverer(
  org: Org,
  journal: Journal,
  address: () => { origin: string; version: string },
): Deliverer {
  let alarm: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function deliver(isForced: boolean): Promise<{ sent: number; acknowledged: number }> {
    const { origin, version } = address();
    const messages = await journal.step(() =>
      claimDue(org, isForced).map((delivery) => ({
        delivery,
        text: toSoap(org, delivery, origin, version, sessionFor(org, delivery, origin)),
      })),
    );
    let acknowledged = 0;
    let sent = 0;
    await Promise.all(
      messages.map(async ({ delivery, text }) => {
        const problem = await send(delivery.action.url, text);
        sent += delivery.notices.length;
        if (problem === undefined) acknowledged += delivery.notices.length;
        await journal.step(() => settle(org, delivery, problem));
      }),
    );
    return { sent, acknowledged };
  }

  function wake(): void {
    const due = nextDue(org);
    clearTimeout(alarm);
    if (due === undefined || isClosed) return;
    alarm = setTimeout(
      () => {
        deliver(false).then(wake, wake);
      },
      Math.min(due, longestTimerMs),
    );
    // A queue must not keep a finished program alive.
    alarm.unref();
  }

  return {
    async deliverNow() {
      const result = await deliver(true);
      wake();
      return result;
    },
    wake,
    close() {
      isClosed = true;
      clearTimeout(alarm);
    },
  };
}

const longestTimerMs = 60_000;

function sessionFor(org: Org, { action }: Delivery, origin: string): string | undefined {
  if (!action.includeSessionId) return undefined;
  const { userId } = action;
  return issueSession(org, { userId, origin, scope: 'api' }).access_token;
}

/** What went wrong, or undefined for an acknowledgement. */
async function send(url: string, body: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: '""' },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerMs),
    });
    const text = await response.text();
    if (isAcknowledged(response.status, text)) return undefined;
    return `HTTP ${response.status} without <Ack>true</Ack>`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
