import { z } from 'zod';
import { kindAnswer, momentAnswer } from '../../domain/answers.ts';
import { repeatInput } from '../../domain/wall-clock.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BatchStatus } from '../jobs/batches.ts';
import { whyElsewhere } from '../jobs/elsewhere.ts';
import { noteOf, type RouteDeps, scopeOf } from './deps.ts';
import { definedOnly, kindInput } from './inputs.ts';

const batchInput = z
  .strictObject({
    kind: kindInput,
    size: z.number().int().min(1).max(10_000).optional(),
    startAt: z.iso.datetime({ offset: true }).optional(),
    repeat: repeatInput.optional().describe('Again and again, by the clocks of a zone'),
    only: z.enum(['all', 'failed']).optional(),
  })
  .refine(({ startAt, repeat }) => startAt === undefined || repeat === undefined, {
    path: ['startAt'],
    message: 'either startAt or repeat: its first time is the next occasion',
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
    begunAt: momentAnswer.optional(),
    finishedAt: momentAnswer.optional(),
    note: z.string().nullable().describe('Why it waits'),
    repeat: repeatInput.optional(),
    missed: z.int().describe('Occasions that passed before it could begin; it ran once for all of them'),
  })
  .meta({ id: 'Batch' });

/** Everything of a kind, now or in the night, with progress. */
export function batchRoutes(deps: RouteDeps) {
  const {
    sync: { batches },
    connectionOf,
    onChange,
    requireBot,
  } = deps;
  const present = async (bot: string) => {
    const orgId = (await connectionOf(bot))?.orgId;
    return (status: BatchStatus) => toWire({ ...status, note: whyElsewhere(status, orgId) ?? status.note });
  };
  const read = { who: ['operator'], permission: 'READ_LOGS' } as const;
  const write = { who: ['operator'], permission: 'MANAGE_MAPPINGS' } as const;
  const note = noteOf(deps);
  const path = '/api/bots/{bot}/sync/batches';

  const control = (what: 'pause' | 'resume' | 'cancel', event: string, summary: string) =>
    defineRoute({
      ...write,
      method: 'POST',
      path: `${path}/{id}/${what}`,
      summary,
      answer: batchAnswer,
      async handle({ params, caller }) {
        const bot = await requireBot(params.bot);
        const status = await batches[what](bot, params.id);
        await note(caller, bot, event, { batch: status.id, kind: status.kind });
        onChange(bot);
        return { json: (await present(bot))(status) };
      },
    });

  return [
    defineRoute({
      ...write,
      method: 'POST',
      path,
      body: batchInput,
      summary: 'Syncs everything of a kind, now, at a time, or again and again.',
      status: 202,
      answer: batchAnswer,
      async handle({ params, caller, body: { kind, size, startAt, repeat, only } }) {
        const scope = await scopeOf(deps, await requireBot(params.bot));
        const status = await batches.start(scope.bot, scope.orgId, kind, {
          ...definedOnly({ size, repeat, only }),
          ...(startAt === undefined ? {} : { startAt: Date.parse(startAt) }),
        });
        const chosen = definedOnly({ startAt, repeat, only });
        await note(caller, scope.bot, 'batch_started', { batch: status.id, kind, ...chosen });
        onChange(scope.bot);
        return { json: toWire(status) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path,
      summary: 'Batches: the open ones, then the newest.',
      answer: z.strictObject({ batches: z.array(batchAnswer) }),
      handle: async ({ params }) => ({
        json: { batches: (await batches.list(await requireBot(params.bot))).map(await present(params.bot)) },
      }),
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: `${path}/{id}`,
      summary: 'One batch and its progress.',
      answer: batchAnswer,
      async handle({ params }) {
        const bot = await requireBot(params.bot);
        return { json: (await present(bot))(await batches.status(bot, params.id)) };
      },
    }),
    control(
      'pause',
      'batch_paused',
      'Stops after the chunk under way; before its time, what comes again comes no more until resumed.',
    ),
    control('resume', 'batch_resumed', 'Goes on where it stopped, or at the next occasion.'),
    control('cancel', 'batch_cancelled', 'Ends it, before its time also its repeating; what was done stays.'),
  ];
}

function toWire({ bot: _, orgId: __, startAt, createdAt, begunAt, finishedAt, repeat, ...run }: BatchStatus) {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...run,
    createdAt: iso(createdAt),
    ...(startAt > 0 ? { startAt: iso(startAt) } : {}),
    ...(begunAt === null ? {} : { begunAt: iso(begunAt) }),
    ...(repeat === null ? {} : { repeat }),
    ...(finishedAt === null ? {} : { finishedAt: iso(finishedAt) }),
  };
}
