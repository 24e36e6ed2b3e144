import { z } from 'zod';
import type { Chat } from '../../chat/chat.ts';
import type { Person } from '../../chat/conversation.ts';
import type { ChatEvent } from '../../chat/events.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { sha256 } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { defineRoute, type RouteCall, type StreamReply } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import type { HttpDeps } from '../deps.ts';
import { type EndUser, endUserOf } from '../end-user.ts';
import { isoTime } from '../iso-time.ts';
import { networkOf } from '../network.ts';
import { createRateLimit } from '../rate-limit.ts';
import { shownEvent, shownTranscript, transcriptAnswer } from './chat-shown.ts';

const aboutAnswer = { model: z.string(), isDemo: z.boolean(), isSimulated: z.boolean() };

/** Talking to a bot over HTTP, for our own page and for a site's widget: closed until policy opens it, each to their own. */
export function chatRoutes(deps: HttpDeps) {
  const aMinute = () => createRateLimit({ most: LOOKS_PER_MINUTE, windowMs: 60_000, now: deps.now });
  // Apart, so that a flood of names that cost nothing fills only its own count.
  const [addresses, visitors, people] = [aMinute(), aMinute(), aMinute()];

  const enter = async ({ params, headers, remote }: Call, isChange = true): Promise<Entered> => {
    const bot = await openChatOf(deps, params.bot);
    const user = await endUserOf(deps, bot, headers, { isChange });
    const { perMinute } = bot.policy.chat;
    const [kind, most] = isChange ? ['change', perMinute] : ['look', LOOKS_PER_MINUTE];
    const from = networkOf(remote);
    if (user.isAnonymous) addresses.consume(`${kind} ${bot.name} ${from}`, most * PEOPLE_PER_ADDRESS);
    // Whoever comes without a cookie has a new name each time: counting those would only push out the ones that return.
    if (user.setCookie === undefined) (user.isAnonymous ? visitors : people).consume(`${kind} ${user.owner}`, most);
    return { chat: await deps.openChat(), bot, user: user.isAnonymous ? { ...user, from: sha256(from) } : user };
  };

  const stream = (
    { audience }: BotRow,
    { owner }: { readonly owner: string },
    events: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
  ): StreamReply => ({
    listener: owner,
    async *stream(signal) {
      for await (const event of events(signal)) yield shownEvent(event, audience);
    },
  });

  return [
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/conversations',
      summary: 'Begin a conversation as an end user (Gatehouse-Session, or a visitor’s cookie)',
      who: [],
      body: z.strictObject({}),
      status: 201,
      answer: z.strictObject({ id: z.string(), bot: z.string(), ...aboutAnswer }),
      async handle(call) {
        const { chat, bot, user } = await enter(call);
        const { id } = await chat.open(bot.name, user);
        return {
          json: { id, bot: bot.name, ...chat.about },
          ...(user.setCookie === undefined ? {} : { headers: { 'set-cookie': user.setCookie } }),
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/conversations/{id}',
      summary: 'What was said so far, and the open cards; only to its own person',
      who: [],
      answer: transcriptAnswer.extend({ ...aboutAnswer, now: momentAnswer }),
      async handle(call) {
        const { chat, bot, user } = await enter(call, false);
        const transcript = await chat.read(call.params.id, user);
        return { json: { ...shownTranscript(transcript, bot.audience), ...chat.about, now: isoTime(deps.now()) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/conversations/{id}/messages',
      summary: 'Say something; the turn comes back as server-sent events',
      who: [],
      body: z.strictObject({ text: z.string().trim().min(1).max(4000) }),
      answer: 'text/event-stream',
      async handle(call) {
        const { chat, bot, user } = await enter(call);
        return stream(bot, user, (signal) => chat.say(call.params.id, user, call.body.text, signal));
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/conversations/{id}/proposals/{proposal}',
      summary: 'The person’s own button on a card; the rest of the turn comes back as server-sent events',
      who: [],
      body: z.strictObject({ answer: z.enum(['approve', 'reject']), choice: z.string().min(1).max(100).optional() }),
      answer: 'text/event-stream',
      async handle(call) {
        const { chat, bot, user } = await enter(call);
        const { id, proposal } = call.params;
        const { answer, choice } = call.body;
        const given = { answer, choice };
        return stream(bot, user, (signal) => chat.answer(id, user, proposal, given, signal));
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/conversations/{id}/resume',
      summary: 'Go on after a colleague decided; ends at once where there is nothing to go on with',
      who: [],
      body: z.strictObject({}),
      answer: 'text/event-stream',
      async handle(call) {
        const { chat, bot, user } = await enter(call);
        return stream(bot, user, (signal) => chat.resume(call.params.id, user, signal));
      },
    }),
  ];
}

/** Looking costs little, and a page looks again while a card is open. */
const LOOKS_PER_MINUTE = 120;
/** Anonymous names are free to make, so that an address counts too; behind one proxy or office it is many people. */
const PEOPLE_PER_ADDRESS = 10;

type Call = Pick<RouteCall, 'headers' | 'remote'> & { readonly params: { readonly bot: string } };

interface Entered {
  readonly chat: Chat;
  readonly bot: BotRow;
  readonly user: EndUser & Pick<Person, 'from'>;
}

/** A closed chat and a bot that is not there look the same from outside. */
export async function openChatOf({ store }: Pick<HttpDeps, 'store'>, name: string): Promise<BotRow> {
  const bot = await store.bots.get(name);
  if (bot?.policy.chat.page === true) return bot;
  throw new GatehouseError('not_found', 'There is no chat at this address.', {
    next: 'Check the address. An operator opens a bot’s chat with chat.page in its policy.',
  });
}
