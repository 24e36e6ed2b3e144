import { randomBytes } from 'node:crypto';
import { backoffMs } from '../../domain/backoff.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { holdsFor } from '../../domain/lease-watch.ts';
import type { Hooks } from '../../outbound/hooks.ts';
import { sendMessage, wrongAddress } from '../../outbound/message.ts';
import type { Cipher } from '../../ports/cipher.ts';
import { DEFAULT_SETTINGS, type SyncDeps } from '../../ports/sync.ts';
import type { FeedRow, WebhookTarget } from '../../ports/sync-store.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { boundedRow } from './subscribed-records.ts';

export interface DeliveryDeps extends SyncDeps {
  readonly cipher: Cipher;
  readonly hooks: Hooks;
}

const PAGE = 100;

/** Sets where a bot's changes are sent; answers the signing secret, this once. The first one begins now; a later one goes on where it was. */
export async function setWebhook(
  { store, cipher, hooks }: DeliveryDeps,
  bot: string,
  url: string,
): Promise<{ readonly secret: string }> {
  const target = new URL(url);
  const wrong = wrongAddress(target);
  if (wrong !== undefined) throw new GatehouseError('invalid_input', wrong.problem, { next: wrong.next });
  const problem = await hooks.refuse(bot, target);
  if (problem !== undefined) {
    throw new GatehouseError('invalid_input', `A webhook does not go there. ${problem}`, {
      next: 'Name the public address of the host app; or have who runs Gatehouse set GATEHOUSE_ALLOW_PRIVATE_HOOKS=1, if it is meant to reach its own network.',
      fields: [{ name: 'url', problem }],
    });
  }
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const row: WebhookTarget = {
    bot,
    url: target.href,
    secret: cipher.encrypt(secret),
    delivered: await store.feed.head(bot),
    attempts: 0,
    nextAt: 0,
    leaseUntil: 0,
    state: 'on',
    lastError: null,
  };
  await store.webhooks.put(row);
  return { secret };
}

/**
 * Sends what the feed holds, in its order, at least once: the place moves only after a 2xx, so a crash repeats the last one
 * with the same `webhook-id`.
 */
export async function deliver(deps: DeliveryDeps, bot: string): Promise<number> {
  const { store, now, watch, cipher, hooks, crash, policyOf } = deps;
  const { leaseMs } = { ...DEFAULT_SETTINGS, ...deps.settings };
  const found = await store.webhooks.get(bot);
  if (!found || found.state === 'off') return 0;
  const pause = { until: found.nextAt, now: now(), longestMs: backoffMs(found.attempts) };
  if (holdsFor(watch, `back-off of ${bot}`, pause) > 0) return 0;
  const isFree =
    found.leaseUntil === 0 || watch?.hasStood(`webhook of ${bot}`, `${found.leaseUntil} ${found.delivered}`, leaseMs);
  if (!isFree || !(await store.webhooks.lease(bot, found.leaseUntil, now() + leaseMs))) return 0;
  // Its place again: whoever held it may have moved it since.
  const target = await store.webhooks.get(bot);
  if (!target) return 0;
  let sent = 0;
  try {
    for await (const row of rowsAfter(target.delivered)) {
      const problem = await post(target, row);
      await crash?.('webhook-sent');
      if (problem === 'gone') {
        await store.webhooks.patch(bot, target.url, {
          state: 'off',
          lastError: 'The receiver answered 410: it wants no more. Set the webhook again to go on.',
        });
        return sent;
      }
      if (problem !== undefined) {
        const attempts = sent > 0 ? 1 : target.attempts + 1;
        await store.webhooks.patch(bot, target.url, {
          attempts,
          nextAt: now() + backoffMs(attempts),
          lastError: problem,
        });
        return sent;
      }
      sent++;
      await store.webhooks.patch(bot, target.url, {
        delivered: row.seq,
        attempts: 0,
        nextAt: 0,
        lastError: null,
        leaseUntil: now() + leaseMs,
      });
    }
    return sent;
  } finally {
    await store.webhooks.patch(bot, target.url, { leaseUntil: 0 });
  }

  async function* rowsAfter(place: number): AsyncGenerator<FeedRow> {
    for (let rows = await store.feed.after(bot, place, PAGE); rows.length > 0; ) {
      yield* rows;
      rows = await store.feed.after(bot, rows.at(-1)?.seq ?? place, PAGE);
    }
  }

  async function post({ url, secret }: WebhookTarget, row: FeedRow): Promise<string | 'gone' | undefined> {
    const body = JSON.stringify(toMessage(boundedRow(row, openedBy(await policyOf(bot)))));
    return sendMessage(hooks, bot, { url, secret: cipher.decrypt(secret), id: `${bot}_${row.seq}`, body }, now());
  }
}

export function toMessage(row: FeedRow) {
  const { seq, type, kind, localId, object, sfId, changes, changed, at } = row;
  if (kind === 'proposal' || kind === 'operator') {
    const values = Object.fromEntries(Object.entries(changes).map(([name, { after }]) => [name, after]));
    return { type: `${kind}.${type}`, timestamp: new Date(at).toISOString(), data: { seq, id: localId, ...values } };
  }
  return {
    type: kind === 'record' ? 'record.changed' : `${kind}.${type}`,
    timestamp: new Date(at).toISOString(),
    data: {
      seq,
      ...(kind === 'record' || kind === 'event' ? {} : { kind }),
      ...(localId === '' ? {} : { id: localId }),
      object,
      recordId: sfId,
      changes,
      ...(changed ? { changed } : {}),
    },
  };
}
