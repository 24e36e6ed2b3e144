import type { Proposal } from '../domain/proposal.ts';
import type { Store } from '../ports/store.ts';
import { ownQueueFull, queueFull } from './refusals.ts';

/** A fifth of the queue: whoever talks at the chat, perhaps unknown to everybody, cannot fill it for the others. */
const OF_ONE_PERSON = 5;

/** Throws where too many wait already, the new one counted with them. */
export async function checkQueue(
  { proposals }: Pick<Store, 'proposals'>,
  { bot, principal }: Proposal,
  maxPending: number,
): Promise<void> {
  if ((await proposals.countPending(bot)) > maxPending) throw queueFull(maxPending);
  const most = Math.ceil(maxPending / OF_ONE_PERSON);
  if (principal.startsWith('chat:') && (await proposals.countPending(bot, principal)) > most) throw ownQueueFull(most);
}
