import { GatehouseError, toGatehouseError } from '../domain/errors.ts';
import { type Envelope, GET_PROPOSAL } from '../domain/proposal.ts';
import type { Gate, ListedAction } from '../ports/gate.ts';
import type { Log } from '../ports/log.ts';
import type { ToolCall } from '../ports/model.ts';
import type { Entry, Turn } from './conversation.ts';
import type { ChatEvent } from './events.ts';
import { parseArgs } from './history.ts';
import { type BotView, viewerOf } from './settle.ts';
import { type Outcome, toToolEntry } from './tool-answer.ts';

/** The calls of one answer: reads side by side, writes one by one, each answered once and stored at once. */

export interface ActDeps {
  readonly gate: Gate;
  readonly newId: () => string;
  readonly log: Log;
}

/** More calls in one answer than a person could follow. */
const MOST_CALLS = 16;

/** Answers how many calls had arguments that were no JSON. */
export async function* act(
  deps: ActDeps,
  turn: Turn,
  bot: BotView,
  calls: readonly ToolCall[],
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, number> {
  const actionOf = ({ name }: ToolCall) => bot.actions.find((action) => action.name === name);
  let bad = 0;
  for (const group of inGroups(calls, (call) => actionOf(call)?.risk === 'read')) {
    for (const call of group) yield step(call, actionOf(call), 'started', `${actionOf(call)?.title ?? call.name}…`);
    const under = await bot.under();
    const outcomes = await Promise.all(
      group.map((call) => callOne(deps, turn, call, actionOf(call), calls.indexOf(call) >= MOST_CALLS, signal)),
    );
    for (const [at, call] of group.entries()) {
      const outcome = outcomes[at]!; // one each
      if ('error' in outcome && outcome.error === NOT_JSON) bad += 1;
      const entry = toToolEntry(call, outcome, { action: actionOf(call), isPublic: bot.isPublic, under });
      await keep(turn, call, outcome, entry);
      yield step(call, actionOf(call), entry.isFailed ? 'failed' : 'done', entry.words);
      if (entry.receipt !== undefined) yield { type: 'receipt', receipt: entry.receipt };
    }
  }
  return bad;
}

/** A waiting call has no answer yet: it becomes a card. A second call for the same proposal is told so. */
async function keep(turn: Turn, call: ToolCall, outcome: Outcome, entry: Entry): Promise<void> {
  const proposal = 'envelope' in outcome ? waitingFor(call, outcome.envelope) : undefined;
  const known = turn.cards.find((card) => card.proposal === proposal);
  if (proposal === undefined || known?.isTold === false) return turn.add([entry]);
  const others = turn.cards.filter((card) => card !== known);
  return turn.add([], [...others, { proposal, call: call.id, name: call.name, isTold: false }]);
}

function waitingFor({ name }: ToolCall, { status, proposal }: Envelope): string | undefined {
  return status === 'waiting' && name !== GET_PROPOSAL ? proposal?.id : undefined;
}

async function callOne(
  { gate, newId, log }: ActDeps,
  turn: Turn,
  call: ToolCall,
  action: ListedAction | undefined,
  isTooMany: boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  const args = parseArgs(call.args);
  if (isTooMany) return { error: TOO_MANY };
  if (args === undefined) return { error: NOT_JSON };
  if (signal.aborted) return { error: STOPPED };
  try {
    const envelope = await gate.call({
      ...viewerOf(turn),
      channel: 'chat',
      action: call.name,
      args,
      conversation: turn.conversation.id,
      from: turn.from,
      // A write that was begun is seen to its end: stopping half-way would leave nobody knowing.
      ...(action?.risk === 'read' ? { signal } : {}),
    });
    return { envelope };
  } catch (thrown) {
    if (signal.aborted && !(thrown instanceof GatehouseError && thrown.code !== 'cancelled')) return { error: STOPPED };
    const error = toGatehouseError(thrown, newId);
    if (error !== thrown) log.error(error.message, { door: 'chat', action: call.name, cause: String(thrown) });
    return { error };
  }
}

function step(
  { id, name }: ToolCall,
  action: ListedAction | undefined,
  phase: 'started' | 'done' | 'failed',
  words: string,
): ChatEvent {
  return { type: 'tool', id, name: action?.name ?? name, phase, words };
}

/** Neighbouring reads together, every write alone, in the order of the model. */
function inGroups<T>(items: readonly T[], isRead: (item: T) => boolean): T[][] {
  const groups: T[][] = [];
  let canJoin = false;
  for (const item of items) {
    const reads = isRead(item);
    if (reads && canJoin) groups.at(-1)?.push(item);
    else groups.push([item]);
    canJoin = reads;
  }
  return groups;
}

const NOT_JSON = new GatehouseError(
  'invalid_input',
  'The arguments of this call are no JSON object. Nothing was done.',
  {
    next: 'Call again with one JSON object as the arguments.',
    fields: [{ name: '(arguments)', problem: 'not a JSON object' }],
  },
);

const TOO_MANY = new GatehouseError('limit_reached', `More than ${MOST_CALLS} calls at once; this one was not made.`, {
  next: 'Make fewer calls at a time.',
});

const STOPPED = new GatehouseError('conflict', 'The person stopped this turn; the call was not made.', {
  next: 'Do not call again unless the person asks for it.',
});
