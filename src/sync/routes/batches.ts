import { z } from 'zod';
import { kindAnswer, momentAnswer } from '../../domain/answers.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BatchStatus } from '../jobs/batches.ts';
import { type RouteDeps, scopeOf } from './deps.ts';
import { definedOnly, kindInput } from './inputs.ts';

const batchInput = z.strictObject({
  kind: kindInput,
  size: z.number().int().min(1).max(10_000).optional(),
  startAt: z.iso.datetime({ offset: true }).optional(),
  only: z.enum(['all', 'failed']).optional(),
});

const batchAnswer = z
  .strictObject({
    id: z.string(),
    kind: kindAnswer,
    state: z.enum(['scheduled', 'running', 'paused', 'cancelled', 'done']),
    size: z.int(),
    total: z.int(),
    done: z.int(),
    failed: z.int(),
    calls: z.int(),
    batches: z.int().describe('In units of size'),
    batchesDone: z.int(),
    createdAt: momentAnswer,
    startAt: momentAnswer.optional(),
    finishedAt: momentAnswer.optional(),
    note: z.string().nullable().describe('Why it waits'),
  })
  .meta({ id: 'Batch' });

/** Everything of a kind, now or in the night, with progress. */
export function batchRoutes(deps: RouteDeps) {
  const {
    sync: { batches },
    onChange,
    requireBot,
  } = deps;
  const read = { who: ['operator'], permission: 'READ_LOGS' } as const;
  const write = { who: ['operator'], permission: 'MANAGE_MAPPINGS' } as const;
  const path = '/api/bots/{bot}/sync/batches';

  const control = (what: 'pause' | 'resume' | 'cancel', summary: string) =>
    defineRoute({
      ...write,
      method: 'POST',
      path: `${path}/{id}/${what}`,
      summary,
      answer: batchAnswer,
      async handle({ params }) {
        const bot = await requireBot(params.bot);
        const status = await batches[what](bot, params.id);
        onChange(bot);
        return { json: toWire(status) };
      },
    });

  return [
    defineRoute({
      ...write,
      method: 'POST',
      path,
      body: batchInput,
      summary: 'Syncs everything of a kind, now or at a time.',
      status: 202,
      answer: batchAnswer,
      async handle({ params, body: { kind, size, startAt, only } }) {
        const scope = await scopeOf(deps, await requireBot(params.bot));
        const status = await batches.start(scope.bot, scope.orgId, kind, {
          ...definedOnly({ size, only }),
          ...(startAt === undefined ? {} : { startAt: Date.parse(startAt) }),
        });
        onChange(scope.bot);
        return { json: toWire(status) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path,
      summary: 'Batches, newest first.',
      answer: z.strictObject({ batches: z.array(batchAnswer) }),
      handle: async ({ params }) => ({
        json: { batches: (await batches.list(await requireBot(params.bot))).map(toWire) },
      }),
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: `${path}/{id}`,
      summary: 'One batch and its progress.',
      answer: batchAnswer,
      handle: async ({ params }) => ({ json: toWire(await batches.status(await requireBot(params.bot), params.id)) }),
    }),
    control('pause', 'Stops after the chunk under way.'),
    control('resume', 'Goes on where it stopped.'),
    control('cancel', 'Ends it; what was done stays.'),
  ];
}

function toWire({ bot: _, orgId: __, startAt, createdAt, finishedAt, ...run }: BatchStatus) {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...run,
    createdAt: iso(createdAt),
    ...(startAt > 0 ? { startAt: iso(startAt) } : {}),
    ...(finishedAt === null ? {} : { finishedAt: iso(finishedAt) }),
  };
}
