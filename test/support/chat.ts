import type { CardAnswer, Chat } from '../../src/chat/chat.ts';
import type { Person, Transcript } from '../../src/chat/conversation.ts';
import type { ChatEvent, DoneReason, Receipt } from '../../src/chat/events.ts';
import type { ProposalView } from '../../src/domain/proposal.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** A conversation in a house of its own. */
export interface ChatWorld extends AsyncDisposable {
  readonly world: World;
  readonly chat: Chat;
  readonly id: string;
  say(text: string, signal?: AbortSignal): Promise<Said>;
  answer(proposal: ProposalView | undefined, answer: CardAnswer): Promise<Said>;
  resume(): Promise<Said>;
  read(): Promise<Transcript>;
}

/** A turn, gathered. */
export interface Said {
  readonly events: readonly ChatEvent[];
  readonly text: string;
  readonly cards: readonly ProposalView[];
  readonly receipts: readonly Receipt[];
  readonly errors: readonly { readonly code: string; readonly message: string; readonly next: string }[];
  /** Names of the steps that ended. */
  readonly steps: readonly string[];
  readonly reason: DoneReason | undefined;
  readonly tokens: number;
}

export const ME: Person = { owner: 'visitor:test' };

export async function createChatWorld(
  options: WorldOptions & { readonly baseUrl?: string; readonly session?: string; readonly limits?: undefined } = {},
): Promise<ChatWorld> {
  const { baseUrl, session } = options;
  const world = await createWorld({
    ...options,
    env: { ...(baseUrl === undefined ? {} : { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: 'test' }), ...options.env },
  });
  const chat = await world.app.openChat();
  const me = session === undefined ? ME : { ...ME, session: { indexValue: session } };
  const { id } = await chat.open(world.bot, me);
  return {
    world,
    chat,
    id,
    say: (text, signal) => gather(chat.say(id, me, text, signal)),
    answer: (proposal, answer) => gather(chat.answer(id, me, proposal?.id ?? 'no card', answer)),
    resume: () => gather(chat.resume(id, me)),
    read: () => chat.read(id, me),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

export async function gather(turn: AsyncIterable<ChatEvent>): Promise<Said> {
  const events: ChatEvent[] = [];
  for await (const event of turn) events.push(event);
  const of = <T extends ChatEvent['type']>(type: T) =>
    events.filter((event): event is Extract<ChatEvent, { type: T }> => event.type === type);
  const [done] = of('done');
  return {
    events,
    text: of('text')
      .map(({ delta }) => delta)
      .join(''),
    cards: of('proposal').map(({ proposal }) => proposal),
    receipts: of('receipt').map(({ receipt }) => receipt),
    errors: of('error').map(({ error }) => error),
    steps: of('tool').flatMap(({ name, phase }) => (phase === 'started' ? [] : [name])),
    reason: done?.reason,
    tokens: done?.usage.tokens ?? 0,
  };
}
