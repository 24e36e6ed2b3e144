import { GatehouseError, toGatehouseError } from '../domain/errors.ts';
import type { ProposalView } from '../domain/proposal.ts';
import type { Approvals, Gate, ListedAction, Viewer } from '../ports/gate.ts';
import type { Card, Entry, Turn } from './conversation.ts';
import type { ChatEvent } from './events.ts';
import { type Outcome, type ToolEntry, toToolEntry } from './tool-answer.ts';

/** Every call gets exactly one answer: also the ones that a person decides, and the ones that a crash interrupted. */

export interface SettleDeps {
  readonly gate: Gate;
  readonly approvals: Pick<Approvals, 'list'>;
  readonly newId: () => string;
}

/** What a turn knows of its bot. */
export interface BotView {
  readonly actions: readonly ListedAction[];
  readonly isPublic: boolean;
  /** What it stands under now: its policy, its grants, its org and its Salesforce user. */
  readonly under: () => Promise<string>;
}

/** How long a write that was approved elsewhere is waited for. */
const RUNNING_MS = 15_000;

/** Tells the calls of decided cards how it went; answers the cards that are still open. */
export async function* settleCards(
  { gate }: Pick<SettleDeps, 'gate'>,
  turn: Turn,
  bot: BotView,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, readonly ProposalView[]> {
  const open: ProposalView[] = [];
  for (const card of turn.cards) {
    const under = await bot.under();
    const outcome = await outcomeOf(gate, card.proposal, viewerOf(turn), signal);
    const view = 'envelope' in outcome ? outcome.envelope.proposal : undefined;
    if (view !== undefined && 'envelope' in outcome && outcome.envelope.status === 'waiting') {
      open.push(view);
      continue;
    }
    const left = turn.cards.filter(({ proposal }) => proposal !== card.proposal);
    const action = bot.actions.find(({ name }) => name === card.name);
    const options = { action, isPublic: bot.isPublic, under, proposal: card.proposal };
    const told = toToolEntry({ id: card.call, name: card.name }, outcome, options);
    // The talk has moved past its call, which has its answer: no second call is made up for it. A newer card that took
    // its place is nothing the model need hear of.
    const isStale = card.isTold && view?.state === 'superseded';
    await turn.add(isStale ? [] : [card.isTold ? toOutcomeEntry(told) : told], left);
    if (told.receipt !== undefined) yield { type: 'receipt', receipt: told.receipt };
  }
  return open;
}

function toOutcomeEntry({ name, text, receipt, under }: ToolEntry): Entry {
  return { role: 'outcome', name, text, receipt, under };
}

/** The person goes on talking: what waits is answered as waiting, once. */
export async function tellOpenCards(turn: Turn, open: readonly ProposalView[], bot: BotView): Promise<void> {
  const untold = turn.cards.filter(({ isTold }) => !isTold);
  if (untold.length === 0) return;
  const under = await bot.under();
  const entries = untold.map((card) => {
    const proposal = open.find(({ id }) => id === card.proposal);
    const envelope = { status: 'waiting', proposal } as const;
    const action = bot.actions.find(({ name }) => name === card.name);
    return toToolEntry({ id: card.call, name: card.name }, { envelope }, { action, isPublic: bot.isPublic, under });
  });
  await turn.add(
    entries,
    turn.cards.map((card) => ({ ...card, isTold: true })),
  );
}

/**
 * A process died inside a turn. Writes go one by one and leave a proposal before they run, so the first unanswered write is
 * what its proposal says, and whatever has none was never made. Nothing is repeated.
 */
export async function repair({ approvals }: SettleDeps, turn: Turn, bot: BotView): Promise<void> {
  const answered = new Set(turn.entries.flatMap((entry) => (entry.role === 'tool' ? [entry.call] : [])));
  const held = new Set(turn.cards.map(({ call }) => call));
  const left = turn.entries
    .flatMap((entry) => (entry.role === 'assistant' ? entry.calls : []))
    .filter(({ id }) => !answered.has(id) && !held.has(id));
  if (left.length === 0) return;
  const { id: conversation, bot: name } = turn.conversation;
  const known = new Set(turn.cards.map(({ proposal }) => proposal));
  const made = (await approvals.list({ bot: name, limit: 500 })).filter(
    (proposal) =>
      proposal.conversation === conversation && proposal.createdAt >= turn.lastAt && !known.has(proposal.id),
  );
  const under = await bot.under();
  const entries: Entry[] = [];
  const cards: Card[] = [...turn.cards];
  for (const call of left) {
    const at = made.findIndex(({ action }) => action === call.name);
    const [proposal] = at === -1 ? [] : made.splice(at, 1);
    const action = bot.actions.find(({ name: known }) => known === call.name);
    if (proposal === undefined)
      entries.push(toToolEntry(call, { error: interrupted() }, { action, isPublic: bot.isPublic, under }));
    else cards.push({ proposal: proposal.id, call: call.id, name: call.name, isTold: false });
  }
  await turn.add(entries, cards);
}

/** In whose name a conversation calls and looks. */
export function viewerOf({ conversation, session }: Pick<Turn, 'conversation' | 'session'>): Viewer {
  const { bot, owner } = conversation;
  return { bot, principal: `chat:${owner}`, channel: 'chat', session };
}

export async function outcomeOf(gate: Gate, id: string, viewer: Viewer, signal: AbortSignal): Promise<Outcome> {
  try {
    const envelope = await gate.proposal(id, viewer);
    const isRunning = envelope.status === 'waiting' && envelope.proposal?.state !== 'pending';
    return { envelope: isRunning ? await gate.proposal(id, viewer, { waitMs: RUNNING_MS, signal }) : envelope };
  } catch (thrown) {
    // A failed proposal answers with its error.
    return { error: toGatehouseError(thrown, () => id) };
  }
}

function interrupted(): GatehouseError {
  return new GatehouseError('conflict', 'We were restarted before this call was made. Nothing was written.', {
    next: 'Call again only if the person still wants it.',
  });
}
