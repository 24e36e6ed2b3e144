import { z } from 'zod';
import { isWithin } from '../../../permissions/catalog.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { NOTICE_KINDS, SHAPES } from '../../ports/notices.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { createRateLimit } from '../rate-limit.ts';
import { setter } from './by-operator.ts';

const kinds = z.array(z.enum(NOTICE_KINDS)).min(1).max(NOTICE_KINDS.length);
const shape = z.enum(SHAPES);
const moment = momentAnswer.nullable();

const noticeAnswer = z
  .strictObject({
    id: z.string(),
    kind: z.enum(NOTICE_KINDS),
    bot: z.string().nullable(),
    level: z.enum(['warn', 'bad']),
    text: z.string(),
    count: z.int(),
    until: momentAnswer.optional().describe('When the first of them is over'),
    cure: z.strictObject({ label: z.string(), path: z.string() }),
  })
  .meta({ id: 'Notice' });

const webhookAnswer = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('none') }),
  z.strictObject({
    state: z.enum(['on', 'off']).describe('`off`: it failed for a day, or its receiver wanted no more'),
    host: z.string(),
    lastFour: z.string().describe('Of the address, which is never shown whole'),
    shape,
    kinds,
    setBy: z.string(),
    setAt: momentAnswer,
    lastSentAt: moment,
    failingSince: moment,
    problem: z.string().nullable(),
  }),
]);

/** What somebody should know and can cure, and the one webhook that is told of it. */
export function noticeRoutes({ notices, now }: HttpDeps) {
  const limit = createRateLimit({ most: 10, windowMs: 60_000, now });
  const may = { who: ['operator'], permission: 'MANAGE_POLICY' } as const;
  const read = { who: ['operator'], permission: 'READ_LOGS' } as const;
  const time = (at: number | null) => (at === null ? null : isoTime(at));
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/api/notices',
      summary: 'What stands now, the worst first, each with its cure',
      isNarrowed: true,
      answer: z.strictObject({ notices: z.array(noticeAnswer) }),
      async handle({ caller }) {
        const standing = (await notices.list()).filter(({ bot }) => isWithin(caller.operator, bot));
        return {
          json: {
            notices: standing.map(({ mark: _, until, ...notice }) => ({
              ...notice,
              ...(until === undefined ? {} : { until: isoTime(until) }),
            })),
          },
        };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/api/notices/webhook',
      summary: 'How the webhook of notices stands; its address is never shown',
      isNarrowed: true,
      answer: webhookAnswer,
      async handle() {
        const webhook = await notices.webhook();
        if (webhook === undefined) return { json: { state: 'none' } };
        const { setAt, lastSentAt, failingSince, kinds: chosen, ...more } = webhook;
        const times = { setAt: isoTime(setAt), lastSentAt: time(lastSentAt), failingSince: time(failingSince) };
        return { json: { ...more, kinds: [...chosen], ...times } };
      },
    }),
    defineRoute({
      ...may,
      method: 'PUT',
      path: '/api/notices/webhook',
      summary: 'Where notices go, also on again after it was off; a new address gets a signing secret, shown once',
      body: z.strictObject({
        url: z.url().max(2_000).optional().describe('https; left out: the address that is there'),
        shape: shape.default('gatehouse').describe('Slack and Teams: what their incoming webhooks take'),
        kinds: kinds.default([...NOTICE_KINDS]),
      }),
      answer: z.strictObject({ secret: z.string().optional() }),
      async handle({ caller, body }) {
        limit.consume(caller.principal);
        return { json: await notices.setWebhook(body, setter(caller)) };
      },
    }),
    defineRoute({
      ...may,
      method: 'DELETE',
      path: '/api/notices/webhook',
      summary: 'Notices go nowhere; the console shows them as before',
      answer: z.strictObject({ deleted: z.boolean() }),
      async handle({ caller }) {
        return { json: { deleted: await notices.removeWebhook(setter(caller)) } };
      },
    }),
    defineRoute({
      ...may,
      method: 'POST',
      path: '/api/notices/webhook/test',
      summary: 'Sends a test; says why it was not taken',
      answer: z.strictObject({ delivered: z.boolean(), problem: z.string().nullable() }),
      async handle({ caller }) {
        limit.consume(caller.principal);
        const problem = await notices.test();
        return { json: { delivered: problem === undefined, problem: problem ?? null } };
      },
    }),
  ];
}
