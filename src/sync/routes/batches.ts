import { z } from 'zod';
import type { BatchStatus } from '../jobs/batches.ts';
import { definedOnly, kindInput } from './inputs.ts';
import { namedBot, ok, parse, type RouteDeps, type SyncRoute, scopeOf } from './route.ts';

const batchInput = z.strictObject({
  kind: kindInput,
  size: z.number().int().min(1).max(10_000).optional(),
  startAt: z.iso.datetime({ offset: true }).optional(),
  only: z.enum(['all', 'failed']).optional(),
});

/** Everything of a kind, now or in the night, with progress. */
export function batchRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const {
    sync: { batches },
    onChange,
  } = deps;
  const read = { key: 'operator', permission: 'READ_LOGS' } as const;
  const write = { key: 'operator', permission: 'MANAGE_MAPPINGS' } as const;
  const base = '/api/bots/{bot}/sync';

  const control = (what: 'pause' | 'resume' | 'cancel', summary: string): SyncRoute => ({
    ...write,
    method: 'POST',
    path: `${base}/batches/{id}/${what}`,
    summary,
    async handle(request) {
      const bot = await namedBot(deps, request);
      const status = await batches[what](bot, request.params.id ?? '');
      onChange(bot);
      return ok(toWire(status));
    },
  });

  return [
    {
      ...write,
      method: 'POST',
      path: `${base}/batches`,
      input: batchInput,
      summary: 'Syncs everything of a kind, now or at a time.',
      async handle(request) {
        const scope = await scopeOf(deps, await namedBot(deps, request));
        const { kind, size, startAt, only } = parse(batchInput, request.body);
        const status = await batches.start(scope.bot, scope.orgId, kind, {
          ...definedOnly({ size, only }),
          ...(startAt === undefined ? {} : { startAt: Date.parse(startAt) }),
        });
        onChange(scope.bot);
        return ok(toWire(status), 202);
      },
    },
    {
      ...read,
      method: 'GET',
      path: `${base}/batches`,
      summary: 'Batches, newest first.',
      handle: async (request) => ok({ batches: (await batches.list(await namedBot(deps, request))).map(toWire) }),
    },
    {
      ...read,
      method: 'GET',
      path: `${base}/batches/{id}`,
      summary: 'One batch and its progress.',
      handle: async (request) =>
        ok(toWire(await batches.status(await namedBot(deps, request), request.params.id ?? ''))),
    },
    control('pause', 'Stops after the chunk under way.'),
    control('resume', 'Goes on where it stopped.'),
    control('cancel', 'Ends it; what was done stays.'),
  ];
}

function toWire({ bot: _, orgId: __, startAt, createdAt, finishedAt, ...run }: BatchStatus): Record<string, unknown> {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...run,
    createdAt: iso(createdAt),
    ...(startAt > 0 ? { startAt: iso(startAt) } : {}),
    ...(finishedAt === null ? {} : { finishedAt: iso(finishedAt) }),
  };
}
