import { z } from 'zod';
import { toErrorBody } from '../../domain/errors.ts';
import { httpFacts } from '../../domain/http-refusal.ts';
import { subscriptionWish, transition } from '../../domain/subscription.ts';
import { bearerOf } from '../../ports/access.ts';
import { defineRoute, type TextReply } from '../../ports/route.ts';
import { receiveFlow, receiveMessage, refuseAddress, refuseFlow } from '../inbound/receive.ts';
import { rotateToken } from '../inbound/tokens.ts';
import { setWebhook } from '../webhooks/deliver.ts';
import { deletedAnswer } from './answers.ts';
import { noteOf, parsePart, type RouteDeps } from './deps.ts';
import { flowBody, hintsIn } from './flow-body.ts';

const webhookInput = z.strictObject({ url: z.url().max(2_000) });
const subscriptionAnswer = z.strictObject({
  object: z.string(),
  fields: z.array(z.string()),
  when: transition.optional().describe('Told only as the field becomes one of the values'),
  channel: z.string().optional().describe('A custom channel on which it is heard'),
  recordIdField: z.string().optional().describe('Of a platform event: holds the id of the record that is looked at'),
});
const subscribedAnswer = subscriptionAnswer.extend({
  held: z.int().optional().describe('Records that hold one of the values already, and are not told'),
});
const webhookAnswer = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('none') }),
  z.strictObject({
    state: z.enum(['on', 'off']),
    url: z.string(),
    delivered: z.int(),
    waiting: z.int(),
    attempts: z.int(),
    problem: z.string().nullable(),
  }),
]);
const rotateInput = z.strictObject({
  keepOldForMs: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400_000)
    .optional(),
});
const objectName = z.string().regex(/^[A-Za-z]\w{0,79}$/, 'an API name such as Opportunity');

/** Outbound messages that are read at one time; Salesforce sends again what is told to wait. */
const MOST_MESSAGES = 4;

const FLOW_PATH = '/api/webhooks/salesforce';
/** 200 hints of a Flow, each with a few fields that nobody reads. */
const MOST_FLOW_BYTES = 256 * 1024;
/** Of one token. A Flow does not send again what is refused: what comes faster is left to the poll. */
const MOST_CALLOUTS = 600;

/** Events in from Salesforce, and out to the host app. */
export function eventRoutes(deps: RouteDeps) {
  const { store, requireBot } = deps;
  const { subscriptions } = deps.sync;
  const note = noteOf(deps);
  const may = { who: ['operator'], permission: 'MANAGE_MAPPINGS' } as const;
  const read = { who: ['operator'], permission: 'READ_LOGS' } as const;
  return [
    defineRoute({
      method: 'POST',
      path: '/api/webhooks/salesforce/{token}',
      who: [],
      body: 'text',
      mostAtOnce: MOST_MESSAGES,
      summary: 'Takes outbound messages (SOAP). Answers Ack only when all of it is stored.',
      answer: 'text/xml',
      async admit({ params }) {
        const refused = await refuseAddress(deps, params.token);
        return refused ? { refused: toSoap(refused) } : { as: params.token };
      },
      handle: async ({ params, body }) => toSoap(await receiveMessage(deps, params.token, body)),
    }),
    defineRoute({
      method: 'POST',
      path: FLOW_PATH,
      who: [],
      body: flowBody,
      maxBytes: MOST_FLOW_BYTES,
      mostAtOnce: MOST_MESSAGES,
      mostPerMinute: MOST_CALLOUTS,
      summary:
        'Takes HTTP callouts of Flows: which records to look at. Its bearer token is of `POST .../sync/flow-token`.',
      answer: z.strictObject({ accepted: z.int(), duplicates: z.int() }),
      async admit({ headers }) {
        const token = bearerOf(headers) ?? '';
        const refused = await refuseFlow(deps, token);
        return refused ? { refused: { ...httpFacts(refused), json: toErrorBody(refused) } } : { as: token };
      },
      handle: async ({ headers, body }) => ({
        json: await receiveFlow(deps, bearerOf(headers) ?? '', hintsIn(body)),
      }),
    }),
    defineRoute({
      ...may,
      method: 'POST',
      path: '/api/bots/{bot}/sync/flow-token',
      body: rotateInput,
      summary: 'A new bearer token for Flow callouts, shown once, and the address that they post to.',
      status: 201,
      answer: z.strictObject({ url: z.string(), token: z.string() }),
      async handle({ params, caller, body }) {
        const bot = await requireBot(params.bot);
        const token = await rotateToken(deps, 'flow', bot, body.keepOldForMs);
        await note(caller, bot, 'flow_token_made', { ...body });
        return { json: { url: `${deps.publicUrl}${FLOW_PATH}`, token } };
      },
    }),
    defineRoute({
      ...may,
      method: 'POST',
      path: '/api/bots/{bot}/sync/inbound-token',
      body: rotateInput,
      summary: 'A new secret address for outbound messages, shown once.',
      status: 201,
      answer: z.strictObject({ url: z.string() }),
      async handle({ params, caller, body }) {
        const bot = await requireBot(params.bot);
        const token = await rotateToken(deps, 'address', bot, body.keepOldForMs);
        await note(caller, bot, 'inbound_address_made', { ...body });
        return { json: { url: `${deps.publicUrl}/api/webhooks/salesforce/${token}` } };
      },
    }),
    defineRoute({
      ...may,
      method: 'PUT',
      path: '/api/bots/{bot}/sync/webhook',
      body: webhookInput,
      summary: 'Where the host app is told of changes; answers the signing secret, once.',
      answer: z.strictObject({ secret: z.string() }),
      async handle({ params, caller, body }) {
        const bot = await requireBot(params.bot);
        const { secret } = await setWebhook(deps, bot, body.url);
        // What stands behind the host may be a secret of its own.
        await note(caller, bot, 'webhook_set', { host: new URL(body.url).host });
        return { json: { secret } };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/api/bots/{bot}/sync/webhook',
      summary: 'How delivery stands.',
      answer: webhookAnswer,
      async handle({ params }) {
        const bot = await requireBot(params.bot);
        const target = await store.webhooks.get(bot);
        if (target === undefined) return { json: { state: 'none' } };
        const { url, state, delivered, attempts, lastError: problem } = target;
        const waiting = (await store.feed.head(bot)) - delivered;
        return { json: { url, state, delivered, waiting, attempts, problem } };
      },
    }),
    defineRoute({
      ...may,
      method: 'DELETE',
      path: '/api/bots/{bot}/sync/webhook',
      summary: 'Ends delivery; the feed stays.',
      answer: deletedAnswer,
      async handle({ params, caller }) {
        const bot = await requireBot(params.bot);
        await store.webhooks.remove(bot);
        await note(caller, bot, 'webhook_removed');
        return { json: { deleted: true } };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/api/bots/{bot}/sync/subscriptions',
      summary: 'Objects and fields that the host app is told of.',
      answer: z.strictObject({ subscriptions: z.array(subscriptionAnswer) }),
      async handle({ params }) {
        return { json: { subscriptions: [...(await subscriptions.list(await requireBot(params.bot)))] } };
      },
    }),
    defineRoute({
      ...may,
      method: 'PUT',
      path: '/api/bots/{bot}/sync/subscriptions/{object}',
      body: subscriptionWish,
      summary: 'Tells the host app of every change of an object, or only as a field becomes one of some values.',
      answer: subscribedAnswer,
      async handle({ params, caller, body, signal }) {
        const bot = await requireBot(params.bot);
        const object = parsePart(objectName, params.object, 'object');
        const { held, ...saved } = await subscriptions.set(bot, await deps.openOrg(bot, signal), object, body);
        await note(caller, bot, 'subscribed', saved);
        return { json: { ...saved, ...(held === undefined ? {} : { held }) } };
      },
    }),
    defineRoute({
      ...may,
      method: 'DELETE',
      path: '/api/bots/{bot}/sync/subscriptions/{object}',
      summary: 'Ends a subscription.',
      answer: deletedAnswer,
      async handle({ params, caller }) {
        const bot = await requireBot(params.bot);
        const object = parsePart(objectName, params.object, 'object');
        await subscriptions.remove(bot, object);
        await note(caller, bot, 'unsubscribed', { object });
        return { json: { deleted: true } };
      },
    }),
  ];
}

const toSoap = ({ status, body }: { readonly status: number; readonly body: string }): TextReply => ({
  status,
  text: body,
  type: 'text/xml; charset=utf-8',
});
