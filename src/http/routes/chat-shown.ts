import { z } from 'zod';
import type { Audience } from '../../../permissions/profiles.ts';
import type { Transcript } from '../../chat/conversation.ts';
import type { ChatEvent, Receipt } from '../../chat/events.ts';
import { visible } from '../../console/format.ts';
import { momentAnswer } from '../../domain/answers.ts';
import type { ProposalView } from '../../domain/proposal.ts';
import { proposalAnswer, STATUSES } from '../answers.ts';
import { isoTime } from '../iso-time.ts';

const cardAnswer = proposalAnswer.partial({ changes: true, reasons: true, link: true }).meta({ id: 'Card' });

const receiptAnswer = z
  .strictObject({
    action: z.string(),
    title: z.string(),
    status: z.enum([...STATUSES, 'failed']),
    words: z.string(),
    proposal: z.string().optional(),
    record: z
      .strictObject({ id: z.string().optional(), name: z.string().optional(), url: z.string().optional() })
      .optional(),
    changes: z.array(z.strictObject({ field: z.string(), before: z.unknown(), after: z.unknown() })),
  })
  .meta({ id: 'Receipt' });

const entry = { at: momentAnswer };

/** Left out of cards and receipts of a public bot: changes, record, link. */
export const transcriptAnswer = z.strictObject({
  id: z.string(),
  createdAt: momentAnswer,
  updatedAt: momentAnswer,
  isBusy: z.boolean(),
  canResume: z.boolean(),
  proposals: z.array(cardAnswer),
  entries: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({ ...entry, kind: z.enum(['person', 'bot']), text: z.string() }),
      z.strictObject({
        ...entry,
        kind: z.literal('step'),
        name: z.string(),
        phase: z.enum(['done', 'failed']),
        words: z.string(),
      }),
      z.strictObject({ ...entry, kind: z.literal('receipt'), receipt: receiptAnswer }),
    ]),
  ),
});

/**
 * What an end user sees of a chat. A visitor of a public bot cannot decide, so that a card tells them what is asked and not
 * what the record holds; hidden characters are made visible before a person says yes to them.
 */
export function shownEvent(event: ChatEvent, audience: Audience): object {
  if (event.type === 'proposal') return { ...event, proposal: shownProposal(event.proposal, audience) };
  if (event.type === 'receipt') return { ...event, receipt: shownReceipt(event.receipt, audience) };
  return event;
}

export function shownTranscript({ conversation, entries, ...state }: Transcript, audience: Audience) {
  return {
    id: conversation.id,
    createdAt: isoTime(conversation.createdAt),
    updatedAt: isoTime(conversation.updatedAt),
    ...state,
    proposals: state.proposals.map((proposal) => shownProposal(proposal, audience)),
    entries: entries.map((entry) => ({
      ...entry,
      at: isoTime(entry.at),
      ...(entry.kind === 'receipt' ? { receipt: shownReceipt(entry.receipt, audience) } : {}),
    })),
  };
}

function shownProposal(proposal: ProposalView, audience: Audience) {
  const { id, state, action, assurance, summary, expiresAt } = proposal;
  return allVisible(audience === 'public' ? { id, state, action, assurance, summary, expiresAt } : proposal);
}

function shownReceipt(receipt: Receipt, audience: Audience): Receipt {
  const { action, title, status, words, proposal } = receipt;
  return allVisible(audience === 'public' ? { action, title, status, words, proposal, changes: [] } : receipt);
}

function allVisible<T>(value: T): T {
  // Same shape, only its texts change.
  return walk(value) as T;
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
}
