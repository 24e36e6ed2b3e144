import { z } from 'zod';
import type { Person } from '../../chat/conversation.ts';
import type { ChatEvent } from '../../chat/events.ts';
import type { TraceStep } from '../../chat/playground.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { toolSchema } from '../../domain/tool-schema.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineRoute, type RouteCall, type StreamReply } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import { readCookie } from '../cookie.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { createRateLimit } from '../rate-limit.ts';
import { browserOf } from './by-operator.ts';
import { shownEvent, shownTranscript, transcriptAnswer } from './chat-shown.ts';

type OperatorCall = Pick<RouteCall, 'headers'> & {
  readonly caller: Parameters<typeof browserOf>[0];
  readonly params: { readonly bot: string };
};

const traceAnswer = z
  .strictObject({
    action: z.string(),
    args: z.unknown(),
    at: momentAnswer,
    ms: z.int(),
    calls: z.int().describe('Requests to Salesforce for look and judgement'),
    decision: z.enum(['auto', 'confirm', 'deny']).optional(),
    reasons: z.array(z.string()),
    policyRevision: z.int().optional(),
    outcome: z.enum(['done', 'dry run', 'waiting', 'refused', 'other']),
    answer: z.unknown().describe('What the bot’s model reads of it'),
  })
  .meta({ id: 'TraceStep' });

const headAnswer = {
  id: z.string(),
  bot: z.string(),
  isLive: z.boolean(),
  model: z.string(),
  isDemo: z.boolean(),
  isSimulated: z.boolean(),
  actions: z.array(
    z.strictObject({
      name: z.string(),
      title: z.string(),
      description: z.string(),
      risk: z.enum(['read', 'write', 'destructive']),
      input: z.record(z.string(), z.unknown()).describe('JSON Schema'),
    }),
  ),
};

/** Trying a bot as an operator. Whether it is a dry run is settled when the conversation starts, and kept with it. */
export function playgroundRoutes(deps: HttpDeps) {
  const limit = createRateLimit({ most: 60, windowMs: 60_000, now: deps.now });
  const isSecure = deps.config.url?.startsWith('https:') ?? false;

  /** Whoever was removed or lowered since makes no further call. */
  const admitted = (headers: Headers) => async (): Promise<void> => {
    const session = await deps.access.session(readCookie(headers, isSecure));
    if (session === undefined)
      throw new GatehouseError('unauthenticated', 'Your session is over.', { next: 'Sign in again.' });
    deps.access.require(session, 'USE_PLAYGROUND');
  };

  const enter = async ({ caller, headers, params }: OperatorCall, isLive: boolean) => {
    const { name } = browserOf(caller);
    limit.consume(name);
    const bot = await botNamed(deps.store, params.bot);
    const traced: TraceStep[] = [];
    const { principal } = caller;
    const by = { principal, isLive, admit: admitted(headers), traced: (step: TraceStep) => traced.push(step) };
    const { chat, gate } = await deps.openPlayground(by);
    const person: Person = { owner: ownerOf(name, isLive) };
    return { bot, chat, gate, person, isLive, traced, principal };
  };

  /** A conversation of theirs, in the mode that it was begun in. */
  const reenter = async (call: OperatorCall & { readonly params: { readonly id: string } }) => {
    const row = await deps.store.conversations.get(call.params.id);
    const { name } = browserOf(call.caller);
    const isLive = row?.owner === ownerOf(name, true);
    if (row === undefined || row.bot !== call.params.bot || row.owner !== ownerOf(name, isLive))
      throw new GatehouseError('not_found', 'There is no such conversation of yours.', { next: 'Start a new one.' });
    return enter(call, isLive);
  };

  const head = async ({ chat, bot, isLive }: Awaited<ReturnType<typeof enter>>, id: string) => ({
    id,
    bot: bot.name,
    isLive,
    ...chat.about,
    actions: (await deps.gate.actions(bot.name)).map(({ name, title, description, risk, input }) => ({
      ...{ name, title, description, risk },
      input: toolSchema(input, 'input'),
    })),
  });

  const stream = (
    { bot, traced, person }: Awaited<ReturnType<typeof enter>>,
    events: (signal: AbortSignal) => AsyncIterable<ChatEvent>,
  ): StreamReply => ({ stream: (signal) => withTrace(bot, traced, events(signal)), listener: person.owner });

  return [
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/playground',
      summary: 'Begin to try a bot: a dry run unless `live`; it stays what it was begun as. For a browser session',
      who: ['operator'],
      permission: 'USE_PLAYGROUND',
      body: z.strictObject({ live: z.boolean().default(false) }),
      status: 201,
      answer: z.strictObject(headAnswer),
      async handle(call) {
        const entered = await enter(call, call.body.live);
        const { id } = await entered.chat.open(entered.bot.name, entered.person);
        await deps.audit.record({
          ...{ bot: entered.bot.name, principal: entered.principal, channel: 'playground', action: 'playground' },
          ...{ event: 'playground_opened', detail: { live: entered.isLive } },
        });
        return { json: await head(entered, id) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/playground/{id}',
      summary: 'One’s own conversation at the playground: what was said, what waits',
      who: ['operator'],
      permission: 'USE_PLAYGROUND',
      answer: transcriptAnswer.extend(headAnswer),
      async handle(call) {
        const entered = await reenter(call);
        const transcript = await entered.chat.read(call.params.id, entered.person);
        return {
          json: { ...shownTranscript(transcript, entered.bot.audience), ...(await head(entered, call.params.id)) },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/playground/{id}/messages',
      summary: 'Say something to the bot; the turn and the trace of its calls come back as server-sent events',
      who: ['operator'],
      permission: 'USE_PLAYGROUND',
      body: z.strictObject({ text: z.string().trim().min(1).max(4000) }),
      answer: 'text/event-stream',
      async handle(call) {
        const entered = await reenter(call);
        const { chat, person } = entered;
        return stream(entered, (signal) => chat.say(call.params.id, person, call.body.text, signal));
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/playground/{id}/resume',
      summary: 'Go on after somebody decided what a live conversation asked for',
      who: ['operator'],
      permission: 'USE_PLAYGROUND',
      body: z.strictObject({}),
      answer: 'text/event-stream',
      async handle(call) {
        const entered = await reenter(call);
        const { chat, person } = entered;
        return stream(entered, (signal) => chat.resume(call.params.id, person, signal));
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/playground/{id}/actions/{action}',
      summary: 'Run one action by hand, in the mode of the conversation; a refusal is part of the answer',
      who: ['operator'],
      permission: 'USE_PLAYGROUND',
      // The gate names every bad argument in its own words.
      body: z.unknown(),
      answer: z.strictObject({ trace: traceAnswer }),
      async handle(call) {
        const { bot, gate, traced } = await reenter(call);
        const { id, action } = call.params;
        const made = { bot: bot.name, principal: '', channel: 'playground', action, args: call.body } as const;
        await gate.call({ ...made, conversation: id, signal: call.signal }).catch((error: unknown) => {
          if (!(error instanceof GatehouseError)) throw error;
        });
        const [step] = traced;
        if (step === undefined) throw new Error('The playground’s gate traces every call.');
        return { json: { trace: shownStep(step) } };
      },
    }),
  ];
}

/** The mode is part of whose conversation it is: nobody's, in the other one. */
const ownerOf = (name: string, isLive: boolean) => `playground-${isLive ? 'live' : 'dry'}:${name}`;

/** Each call's trace before what the turn says of it. */
async function* withTrace({ audience }: BotRow, traced: TraceStep[], events: AsyncIterable<ChatEvent>) {
  for await (const event of events) {
    for (const step of traced.splice(0)) yield { type: 'trace', step: shownStep(step) };
    yield shownEvent(event, audience);
  }
}

function shownStep({ at, ...step }: TraceStep) {
  return { ...step, at: isoTime(at) };
}
