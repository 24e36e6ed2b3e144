import { GatehouseError } from '../../domain/errors.ts';
import { receivedId } from '../../domain/salesforce-id.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { InboxRow } from '../../ports/sync-store.ts';
import { type FlowHint, keyOf } from './flow-hint.ts';
import { ACK, fault, NotAnOutboundMessage, parseOutboundMessage } from './outbound-message.ts';
import { isSameOrg, noteUse, type Receiver, receiverOf } from './tokens.ts';

export interface SoapAnswer {
  readonly status: number;
  readonly body: string;
}

const UNKNOWN: SoapAnswer = { status: 404, body: fault('Client', 'No such address.') };

/** What whoever does not know the secret address is told, before anything that they sent is looked at. */
export async function refuseAddress(deps: Receiver, token: string): Promise<SoapAnswer | undefined> {
  return (await receiverOf(deps, 'address', token)) ? undefined : UNKNOWN;
}

export type ReceiveDeps = Receiver &
  Pick<SyncDeps, 'crash'> & {
    readonly onChange: (bot: string) => void;
    readonly noteEvent?: ((bot: string, at: number) => Promise<void>) | undefined;
  };

/**
 * One outbound message. Positive only when every notification is stored for good; anything else makes Salesforce send it
 * again. Nobody learns from the answer whether a token exists.
 */
export async function receiveMessage(deps: ReceiveDeps, token: string, body: string): Promise<SoapAnswer> {
  const receiver = await receiverOf(deps, 'address', token);
  if (!receiver) return UNKNOWN;
  const { connection } = receiver;
  try {
    const { organizationId, notifications } = await parseOutboundMessage(body);
    if (!isSameOrg(organizationId, connection.orgId))
      return { status: 403, body: fault('Client', 'This message is not from the connected org.') };
    const events = notifications.map((one) => ({
      // With the record it names: a made-up message with the id of a real one to come must not swallow that one.
      eventId: `${one.id}:${one.recordId}`,
      object: one.object,
      // Links hold the form of 18 characters.
      sfId: receivedId(one.recordId) ?? one.recordId,
    }));
    await remember(deps, receiver, 'message', events);
  } catch (error) {
    if (error instanceof NotAnOutboundMessage)
      return { status: 400, body: fault('Client', 'This is no outbound message.') };
    return { status: 500, body: fault('Server', 'The message could not be stored. Send it again.') };
  }
  deps.onChange(receiver.known.bot);
  return { status: 200, body: ACK };
}

/** Callouts of a Flow: the same hints by another door. Answers once they are stored for good. */
export async function receiveFlow(
  deps: ReceiveDeps,
  token: string,
  hints: readonly FlowHint[],
): Promise<{ readonly accepted: number; readonly duplicates: number }> {
  const receiver = await receiverOf(deps, 'flow', token);
  if (!receiver) throw unknownToken();
  const { known, connection } = receiver;
  if (!hints.every(({ orgId }) => isSameOrg(orgId, connection.orgId)))
    throw new GatehouseError('permission_denied', 'This callout is not from the connected org.', {
      next: 'Send {!$Organization.Id} as orgId, from the org that this bot is connected to; a sandbox has another than its production.',
    });
  const accepted = await remember(
    deps,
    receiver,
    'callout',
    hints.map((one) => ({ eventId: keyOf(one), object: one.object, sfId: one.recordId })),
  );
  deps.onChange(known.bot);
  return { accepted, duplicates: hints.length - accepted };
}

/** What whoever has no token that is good here is told, before anything that they sent is looked at. */
export async function refuseFlow(deps: Receiver, token: string): Promise<GatehouseError | undefined> {
  return (await receiverOf(deps, 'flow', token)) ? undefined : unknownToken();
}

const unknownToken = (): GatehouseError =>
  new GatehouseError('unauthenticated', 'This token is not known here, has ended, or its bot is not connected.', {
    next: 'Put the token that Gatehouse showed (console, Events, A Flow calls us) into the external credential in Salesforce, or make a new one.',
  });

type Told = Pick<InboxRow, 'eventId' | 'object' | 'sfId'>;

/** Answers how many were new. */
async function remember(
  deps: ReceiveDeps,
  { known, connection }: NonNullable<Awaited<ReturnType<typeof receiverOf>>>,
  kind: InboxRow['kind'],
  events: readonly Told[],
): Promise<number> {
  const at = deps.now();
  const rows = events.map(
    (one): InboxRow => ({ ...one, bot: known.bot, orgId: connection.orgId, kind, receivedAt: at }),
  );
  const added = await deps.store.atomically((inside) => inside.inbox.add(rows));
  await deps.crash?.('inbox-stored');
  await noteUse(deps, known);
  await deps.noteEvent?.(known.bot, at);
  return added;
}
