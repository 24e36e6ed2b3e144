import { createHash, randomBytes } from 'node:crypto';
import { receivedId } from '../../domain/salesforce-id.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { InboxRow } from '../../ports/sync-store.ts';
import type { ConnectionOf } from '../host/hosts.ts';
import { ACK, fault, NotAnOutboundMessage, parseOutboundMessage } from './outbound-message.ts';

export interface SoapAnswer {
  readonly status: number;
  readonly body: string;
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** A new secret path for Salesforce to post to, shown this once. The one before it works on for a day, or not at all. */
export async function rotateToken(
  { store, now }: Pick<SyncDeps, 'store' | 'now'>,
  bot: string,
  keepOldMs = 86_400_000,
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const hash = hashOf(token);
  await store.atomically(async (inside) => {
    await inside.tokens.add({ hash, bot, createdAt: now(), expiresAt: null });
    await inside.tokens.expire(bot, hash, now() + keepOldMs);
  });
  return token;
}

const UNKNOWN: SoapAnswer = { status: 404, body: fault('Client', 'No such address.') };

type Receiver = Pick<SyncDeps, 'store' | 'now'> & { readonly connectionOf: ConnectionOf };

async function receiverOf({ store, now, connectionOf }: Receiver, token: string) {
  const known = token.length <= 200 ? await store.tokens.byHash(hashOf(token), now()) : undefined;
  const connection = known && (await connectionOf(known.bot));
  return known && connection && { known, connection };
}

/** What whoever does not know the secret address is told, before anything that they sent is looked at. */
export async function refuseAddress(deps: Receiver, token: string): Promise<SoapAnswer | undefined> {
  return (await receiverOf(deps, token)) ? undefined : UNKNOWN;
}

/**
 * One outbound message. Positive only when every notification is stored for good; anything else makes Salesforce send it
 * again. Nobody learns from the answer whether a token exists.
 */
export async function receiveMessage(
  deps: SyncDeps & {
    readonly connectionOf: ConnectionOf;
    readonly onChange: (bot: string) => void;
    readonly noteEvent?: ((bot: string, at: number) => Promise<void>) | undefined;
  },
  token: string,
  body: string,
): Promise<SoapAnswer> {
  const { store, now, connectionOf, onChange, crash } = deps;
  const receiver = await receiverOf({ store, now, connectionOf }, token);
  if (!receiver) return UNKNOWN;
  const { known, connection } = receiver;
  try {
    const { organizationId, notifications } = await parseOutboundMessage(body);
    // The 15-character form names the same org.
    if (organizationId.slice(0, 15) !== connection.orgId.slice(0, 15))
      return { status: 403, body: fault('Client', 'This message is not from the connected org.') };
    const rows = notifications.map(
      (one): InboxRow => ({
        bot: known.bot,
        orgId: connection.orgId,
        // With the record it names: a made-up message with the id of a real one to come must not swallow that one.
        eventId: `${one.id}:${one.recordId}`,
        object: one.object,
        // Links hold the form of 18 characters.
        sfId: receivedId(one.recordId) ?? one.recordId,
        kind: 'message',
        receivedAt: now(),
      }),
    );
    await store.atomically((inside) => inside.inbox.add(rows));
    await crash?.('inbox-stored');
    await deps.noteEvent?.(known.bot, now());
  } catch (error) {
    if (error instanceof NotAnOutboundMessage)
      return { status: 400, body: fault('Client', 'This is no outbound message.') };
    return { status: 500, body: fault('Server', 'The message could not be stored. Send it again.') };
  }
  onChange(known.bot);
  return { status: 200, body: ACK };
}
