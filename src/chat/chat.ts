import { shownRecord } from '../../permissions/shown-record.ts';
import { sha256 } from '../domain/canonical-json.ts';
import { GatehouseError, toErrorBody, toGatehouseError } from '../domain/errors.ts';
import { createLeaseWatch, type LeaseWatch } from '../domain/lease-watch.ts';
import type { Prompt } from '../domain/prompt.ts';
import { isSameReader, type ReadAs, readAs, readerKey } from '../domain/read-as.ts';
import { hiddenCharacter } from '../domain/safe-text.ts';
import type { Approvals } from '../ports/gate.ts';
import type { BotRow, Store } from '../ports/store.ts';
import type { Conversation, Person, Transcript, Turn } from './conversation.ts';
import { type ConversationDeps, createConversations } from './conversations.ts';
import type { ChatEvent, DoneReason } from './events.ts';
import { converse, LIMITS, type Limits, type LoopDeps, type Meter } from './loop.ts';
import { outcomeOf, repair, settleCards, tellOpenCards, viewerOf } from './settle.ts';
import { systemPrompt, toFunctionTool } from './system.ts';
import { toTranscript } from './transcript.ts';

/**
 * Our own chat: people talk, the bot acts through the gate, the person decides. A conversation lives in the store, so that a
 * card can be answered after a restart, and one turn at a time runs in it.
 *
 * `say`, `answer` and `resume` refuse by throwing a GatehouseError at the first step of the iteration, before anything
 * happened: `not_found` (no such conversation of this owner), `conflict` (a turn is running, or the card is decided), `invalid_input`,
 * `permission_denied` (the card needs a signed-in approver). Whatever goes wrong later is an `error` event, and `done` ends it.
 */
export interface Chat {
  /** Who answers; every surface says so when it is a demo or when the org is simulated. */
  readonly about: About;
  open(bot: string, person: Person): Promise<Conversation>;
  /** One turn. What was decided elsewhere since the last one comes first. Aborting ends it cleanly. */
  say(conversation: string, person: Person, text: string, signal?: AbortSignal): AsyncIterable<ChatEvent>;
  /** The person's own button or key, assurance `client`: never called for anything that a model or a typed text said. */
  answer(
    conversation: string,
    person: Person,
    proposal: string,
    answer: CardAnswer,
    signal?: AbortSignal,
  ): AsyncIterable<ChatEvent>;
  /** Goes on after a decision at another place (console, command line); ends at once when there is none. */
  resume(conversation: string, person: Person, signal?: AbortSignal): AsyncIterable<ChatEvent>;
  /** Everything said so far, and the open cards. Another's conversation is `not_found`, also the same person's of another account. */
  read(conversation: string, person: Person): Promise<Transcript>;
}

export interface About {
  readonly model: string;
  readonly isDemo: boolean;
  readonly isSimulated: boolean;
}

export interface CardAnswer {
  readonly answer: 'approve' | 'reject';
  /** One of the proposal's choices, where it has any. */
  readonly choice?: string | undefined;
}

export interface ChatDeps extends Omit<LoopDeps, 'limits'>, Omit<ConversationDeps, 'leaseMs' | 'watch'> {
  /** Judges the turns of other processes; default: by `now`. */
  readonly watch?: LeaseWatch;
  readonly store: Pick<Store, 'bots' | 'connections' | 'conversations'>;
  /** The person's own button or key decides. */
  readonly approvals: Pick<Approvals, 'list' | 'decide'>;
  readonly prompts: () => Promise<readonly Prompt[]>;
  readonly about: About;
  readonly limits?: Partial<Limits>;
}

export function createChat(deps: ChatDeps): Chat {
  const { gate, approvals, store } = deps;
  const limits = { ...LIMITS, ...deps.limits };
  const loop: LoopDeps = { ...deps, limits };
  // A write that was begun may outlast the turn's deadline.
  const conversations = createConversations({
    ...deps,
    watch: deps.watch ?? createLeaseWatch(deps.now),
    leaseMs: limits.turnMs + MARGIN_MS,
  });

  /** What the model and the person may know of this bot, as it is now. */
  async function viewOf({ conversation: { bot: name }, reader, context: known }: Turn) {
    const [bot, actions, prompts] = await Promise.all([botNamed(store, name), gate.actions(name), deps.prompts()]);
    const isPublic = bot.audience === 'public';
    // What another org or user was told of the customer is not said of this one, nor what the policy of then showed and today's does not.
    const context = isSameReader(reader, await readerOf(store, name)) ? shownCustomer(known, bot) : undefined;
    const system = systemPrompt(prompts, {
      bot: name,
      isPublic,
      actions,
      context,
      instructions: bot.policy.words.instructions,
      isSimulated: deps.about.isSimulated,
      now: deps.now(),
    });
    return { actions, isPublic, under: () => standingOf(store, name), tools: actions.map(toFunctionTool), system };
  }

  /**
   * One turn. `refuse` may throw: nothing has happened yet. Then the cards that were decided are told, `first` adds what the
   * person said, and the model goes on if something new is there.
   */
  async function* run(
    id: string,
    person: Person,
    signal: AbortSignal,
    steps: {
      readonly refuse?: (turn: Turn) => Promise<void>;
      readonly first?: (turn: Turn, tell: () => Promise<void>) => Promise<void>;
    },
  ): AsyncGenerator<ChatEvent> {
    const turn = await conversations.begin(id, person);
    const meter: Meter = { usage: { rounds: 0, calls: 0, tokens: 0 } };
    try {
      const bot = await viewOf(turn);
      await repair(deps, turn, bot);
      await steps.refuse?.(turn);
      let reason: DoneReason = 'answered';
      try {
        const open = yield* settleCards(deps, turn, bot, signal);
        await steps.first?.(turn, () => tellOpenCards(turn, open, bot));
        if (turn.cards.some(({ isTold }) => !isTold)) reason = 'waiting';
        else if (!isSaid(turn)) reason = yield* converse(loop, turn, bot, meter, signal);
      } catch (thrown) {
        const error = toGatehouseError(thrown, deps.newId);
        // What an endpoint itself said stands here alone: it may quote the talk.
        if (error.code === 'internal' || error.cause !== undefined)
          deps.log.error(error.message, { door: 'chat', code: error.code, cause: causeOf(thrown) });
        yield { type: 'error', error: toErrorBody(bot.isPublic ? forVisitor(error) : error).error };
        reason = 'failed';
      }
      yield { type: 'done', reason, usage: meter.usage };
    } finally {
      await turn.end();
    }
  }

  return {
    about: deps.about,

    async open(bot, { owner, session }) {
      await botNamed(store, bot);
      const reader = await readerOf(store, bot);
      // Without it the talk goes on all the same, and nothing is said about the customer.
      const context =
        session === undefined ? undefined : await gate.accountContext(bot, session).catch(() => undefined);
      return conversations.create({
        bot,
        owner,
        ...reader,
        session: session?.indexValue ?? null,
        context: context === undefined ? null : JSON.stringify(context),
      });
    },

    say: (id, person, text, signal = never()) =>
      run(id, person, signal, {
        async refuse() {
          checkText(text);
        },
        async first(turn, tell) {
          await tell();
          await turn.add([{ role: 'user', text: text.trim() }]);
        },
      }),

    answer: (id, person, proposal, answer, signal = never()) =>
      run(id, person, signal, {
        async refuse(turn) {
          const { bot } = turn.conversation;
          if (!turn.cards.some((card) => card.proposal === proposal)) throw noSuchCard();
          try {
            await approvals.decide(proposal, { ...answer, by: person.owner, via: 'chat', assurance: 'client', bot });
          } catch (error) {
            const outcome = await outcomeOf(gate, proposal, viewerOf(turn), signal);
            const isOpen = 'envelope' in outcome && outcome.envelope.proposal?.state === 'pending';
            // Decided by somebody else, expired, or failed while it ran: that is the answer to the call.
            if (isOpen) throw error;
          }
        },
      }),

    resume: (id, person, signal = never()) => run(id, person, signal, {}),

    async read(id, person) {
      const loaded = await conversations.load(id, person);
      const outcomes = await Promise.all(
        loaded.cards.map((card) => outcomeOf(gate, card.proposal, viewerOf(loaded), AbortSignal.abort())),
      );
      return toTranscript(loaded, outcomes, await standingOf(store, loaded.conversation.bot));
    },
  };
}

/** What a visitor can do something about stays; the rest is nothing they should read. */
const FOR_VISITORS: ReadonlySet<string> = new Set(['invalid_input', 'limit_reached', 'conflict']);

function forVisitor(error: GatehouseError): GatehouseError {
  if (FOR_VISITORS.has(error.code)) return error;
  return new GatehouseError(error.code, 'I cannot answer right now.', {
    next: 'Please try again later.',
    retryable: error.retryable,
    retryAfterMs: error.retryAfterMs,
  });
}

/** What the model may know of the customer now. A record's address is nothing for visitors. */
function shownCustomer(known: string | undefined, { policy, audience }: BotRow): string | undefined {
  if (known === undefined) return undefined;
  const { url, ...record } = JSON.parse(known) as Record<string, unknown>; // written by `open`
  const shown = shownRecord(policy, 'Account', record);
  return shown && JSON.stringify({ ...shown, ...(audience === 'public' ? {} : { url }) });
}

const MARGIN_MS = 60_000;
/** Longest message of a person, characters. */
const MOST_TEXT = 8_000;

function checkText(text: string): void {
  const hidden = hiddenCharacter(text);
  const problem =
    text.trim() === ''
      ? 'is empty'
      : text.length > MOST_TEXT
        ? `has more than ${MOST_TEXT} characters`
        : hidden === undefined
          ? undefined
          : `holds a hidden character (${hidden})`;
  if (problem === undefined) return;
  throw new GatehouseError('invalid_input', `The message ${problem}.`, {
    next: 'Change the message and send it again.',
    fields: [{ name: 'text', problem }],
  });
}

/** The last word is the bot's: there is nothing to go on with. */
function isSaid({ entries }: Turn): boolean {
  const last = entries.at(-1);
  return last === undefined || (last.role === 'assistant' && last.calls.length === 0);
}

async function botNamed({ bots }: Pick<Store, 'bots'>, name: string) {
  const bot = await bots.get(name);
  if (bot !== undefined) return bot;
  throw new GatehouseError('not_found', 'There is no such bot.', { next: 'Check its name.' });
}

async function readerOf({ connections }: Pick<Store, 'connections'>, bot: string): Promise<ReadAs> {
  return readAs(await connections.get(bot));
}

/** What was answered under it may be told again while it is the same: the policy, the grants, the org and the Salesforce user of a bot. */
async function standingOf(store: Pick<Store, 'bots' | 'connections'>, name: string): Promise<string> {
  const [{ policyRevision, grants }, connection] = await Promise.all([
    botNamed(store, name),
    store.connections.get(name),
  ]);
  const reader = readAs(connection?.state === 'disconnected' ? undefined : connection);
  return sha256(JSON.stringify([policyRevision, [...grants].sort(), readerKey(reader)]));
}

function noSuchCard(): GatehouseError {
  return new GatehouseError('not_found', 'This conversation has no such open card.', {
    next: 'Look at the conversation again; it may be decided already.',
    fields: [{ name: 'proposal', problem: 'unknown' }],
  });
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function causeOf(thrown: unknown): string {
  const cause = thrown instanceof GatehouseError ? thrown.cause : thrown;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
