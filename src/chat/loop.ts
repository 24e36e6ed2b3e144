import { GatehouseError } from '../domain/errors.ts';
import type { Delta, FunctionTool, Model, ModelRequest } from '../ports/model.ts';
import { type ActDeps, act } from './act.ts';
import type { Turn } from './conversation.ts';
import type { ChatEvent, DoneReason, Usage } from './events.ts';
import { toHistory } from './history.ts';
import { shortId } from './ids.ts';
import { type Completion, createAccumulator } from './models/accumulate.ts';
import { type BotView, settleCards } from './settle.ts';

/** One turn: model, calls, answers, and again, until it has said what it has to say, a card is open, or a cap is met. */

export interface Limits {
  /** Answers of the model in one turn. */
  readonly rounds: number;
  /** Tokens of one turn, both ways. */
  readonly tokens: number;
  /** Tokens of one answer. */
  readonly answerTokens: number;
  /** Calls whose arguments are no JSON that go back to the model. */
  readonly badJson: number;
  /** One turn, ms. */
  readonly turnMs: number;
}

export const LIMITS: Limits = { rounds: 10, tokens: 120_000, answerTokens: 2_000, badJson: 2, turnMs: 180_000 };

export interface LoopDeps extends ActDeps {
  readonly model: () => Promise<Model>;
  readonly limits: Limits;
}

export interface Meter {
  usage: Usage;
}

export async function* converse(
  deps: LoopDeps,
  turn: Turn,
  bot: BotView & { readonly system: string; readonly tools: readonly FunctionTool[] },
  meter: Meter,
  stop: AbortSignal,
): AsyncGenerator<ChatEvent, DoneReason> {
  const { limits } = deps;
  const model = await deps.model();
  const signal = AbortSignal.any([stop, AbortSignal.timeout(limits.turnMs)]);
  let bad = 0;
  for (let round = 0; round < limits.rounds; round += 1) {
    const request: ModelRequest = {
      messages: [{ role: 'system', text: bot.system }, ...toHistory(turn.entries, await bot.under())],
      tools: bot.tools,
      maxTokens: limits.answerTokens,
      signal,
    };
    const answer = yield* listen(deps, model, request, turn);
    const { calls } = answer;
    meter.usage = {
      rounds: meter.usage.rounds + 1,
      calls: meter.usage.calls + calls.length,
      tokens: meter.usage.tokens + (answer.tokens ?? estimate(request, answer)),
    };
    if (signal.aborted) {
      await turn.add([{ role: 'assistant', text: answer.text, calls: [] }]);
      if (stop.aborted) return 'stopped';
      throw tooLong('This took too long, so I stopped.');
    }
    if (calls.length === 0 && answer.text.trim() === '') throw nothingSaid(answer);
    const { text, kept } = answer;
    await turn.add([{ role: 'assistant', text, calls, kept }]);
    if (calls.length === 0) return 'answered';

    bad += yield* act(deps, turn, bot, calls, signal);
    const open = yield* settleCards(deps, turn, bot, signal);
    const shown = turn.cards.filter(({ isTold }) => !isTold).map(({ proposal }) => proposal);
    for (const proposal of open) if (shown.includes(proposal.id)) yield { type: 'proposal', proposal };
    if (shown.length > 0) return 'waiting';
    if (bad > limits.badJson) throw unreadable();
    if (meter.usage.tokens > limits.tokens) throw tooLong('This took more words than I may use, so I stopped.');
    if (stop.aborted) {
      await turn.add([{ role: 'assistant', text: '', calls: [] }]);
      return 'stopped';
    }
  }
  throw tooLong('This took too many steps, so I stopped.');
}

/** Streams one answer to the person; keeps what was said before a failure. */
async function* listen(
  deps: LoopDeps,
  model: Model,
  request: ModelRequest,
  turn: Turn,
): AsyncGenerator<ChatEvent, Completion> {
  // Nine letters and digits: some servers read no other id.
  const accumulator = createAccumulator(() => shortId(deps.newId()));
  let isThinking = false;
  let length = 0;
  try {
    for await (const delta of model.complete(request)) {
      length += lengthOf(delta);
      if (length > MOST_ANSWER) throw tooLong('The answer did not end, so I stopped listening.');
      const heard = accumulator.add(delta);
      if (heard.isThinking && !isThinking) yield { type: 'thinking' };
      isThinking = heard.isThinking;
      if (heard.text !== '') yield { type: 'text', delta: heard.text };
      if (request.signal.aborted) break;
    }
  } catch (error) {
    if (!request.signal.aborted) {
      const { text } = accumulator.completion();
      if (text !== '') await turn.add([{ role: 'assistant', text, calls: [] }]);
      throw error;
    }
  }
  return accumulator.completion();
}

/** An endpoint may not mind the length that it was asked for; far above what any model says in one answer, in characters. */
const MOST_ANSWER = 200_000;

function lengthOf({ text, thought, calls }: Delta): number {
  const args = (calls ?? []).map((piece) => (typeof piece.args === 'string' ? piece.args.length : 0));
  return (text?.length ?? 0) + (thought?.length ?? 0) + args.reduce((sum, one) => sum + one, 0);
}

/** Four characters a token is near enough for a cap. */
function estimate({ messages, tools }: ModelRequest, { text, calls }: Completion): number {
  return Math.ceil(JSON.stringify([messages, tools, text, calls]).length / 4);
}

function tooLong(message: string): GatehouseError {
  return new GatehouseError('limit_reached', message, {
    next: 'Ask for less at a time. What was done until here is done.',
  });
}

function unreadable(): GatehouseError {
  return new GatehouseError('internal', 'The language model kept calling actions with arguments that cannot be read.', {
    next: 'Say it in other words, or try again.',
    retryable: true,
  });
}

function nothingSaid({ finish, isCut }: Completion): GatehouseError {
  if (finish === 'content_filter')
    return new GatehouseError('invalid_input', 'The provider of the language model refused to answer this.', {
      next: 'Say it in other words.',
    });
  if (isCut)
    return new GatehouseError('limit_reached', 'The language model used up its words before it answered.', {
      next: 'Ask for less at a time. An operator may choose a model that thinks less (OPENAI_MODEL).',
    });
  return new GatehouseError('internal', 'The language model said nothing.', {
    next: 'Send your message again.',
    retryable: true,
  });
}
