import { z } from 'zod';
import { momentInput, readMoment } from '../../domain/moment.ts';
import type { LogFilter, LogRow, LogStore } from '../../ports/sync-store.ts';
import { logIdAt, toLogId, toUuid } from '../host/log-ids.ts';
import { hostId, kindInput, limitInput } from './inputs.ts';
import { namedBot, ok, parse, type RouteDeps, type SyncRoute } from './route.ts';

const logInput = z.strictObject({
  localId: hostId.optional(),
  kind: kindInput.optional(),
  object: z.string().max(80).optional(),
  batch: z.string().max(80).optional(),
  status: z.enum(['success', 'failed', 'pending', 'ambiguous']).optional(),
  operation: z.enum(['create', 'update', 'delete', 'none']).optional(),
  direction: z.enum(['to_crm', 'from_crm']).optional(),
  conflict: z.literal('true').optional(),
  since: momentInput.optional(),
  until: momentInput.optional(),
  before: z
    .string()
    .refine((id) => toLogId(id) !== undefined, 'the `next` of the page before')
    .optional(),
  limit: limitInput.optional(),
  format: z.enum(['json', 'jsonl']).default('json'),
});
const restoreInput = z.strictObject({ field: z.string().max(200).optional() });

/** What was synced, and what lost a conflict put back. */
export function logRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const { sync, store } = deps;
  const base = '/api/bots/{bot}/sync';

  return [
    {
      key: 'operator',
      permission: 'READ_LOGS',
      method: 'GET',
      path: `${base}/logs`,
      query: logInput,
      summary: 'The sync log with before and after, reason, winner and calls; `format=jsonl` exports it.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { format, limit: most, ...asked } = parse(logInput, request.query);
        const filter = toFilter(asked, deps.now());
        if (format === 'jsonl')
          return { status: 200, body: linesOf(store.log, bot, filter, most), contentType: 'application/jsonl' };
        const limit = most ?? 100;
        const rows = await store.log.find(bot, { ...filter, limit });
        return ok({
          logs: rows.map(toWire),
          ...(rows.length === limit ? { next: toUuid(rows.at(-1)?.id ?? '') } : {}),
        });
      },
    },
    {
      key: 'operator',
      permission: 'MANAGE_MAPPINGS',
      method: 'POST',
      path: `${base}/logs/{id}/restore`,
      input: restoreInput,
      summary: 'Puts the value that lost a conflict back.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { field } = parse(restoreInput, request.body ?? {});
        const row = await sync.desk.restore(bot, toLogId(request.params.id ?? '') ?? '', request.principal, field);
        return ok({ restored: true, kind: row.kind, localId: row.localId });
      },
    },
  ];
}

/** Ids begin with their time. */
function toFilter(
  { conflict, since, until, before, ...equal }: Omit<z.output<typeof logInput>, 'format' | 'limit'>,
  now: number,
): Omit<LogFilter, 'limit'> {
  const idAt = (at: string | undefined) => (at === undefined ? at : logIdAt(readMoment(at, now) ?? 0));
  // What is not given sorts last.
  const [below] = [idAt(until), before && toLogId(before)].sort();
  return { ...equal, hasConflict: conflict === 'true', from: idAt(since), before: below };
}

const PAGE = 500;

/** All of them, page after page: none is held longer than it is sent. */
async function* linesOf(
  log: LogStore,
  bot: string,
  filter: Omit<LogFilter, 'limit'>,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  let { before } = filter;
  for (let left = most; left > 0; left -= PAGE) {
    const limit = Math.min(left, PAGE);
    const rows = await log.find(bot, { ...filter, before, limit });
    yield rows.map((row) => `${JSON.stringify(toWire(row))}\n`).join('');
    if (rows.length < limit) return;
    before = rows.at(-1)?.id;
  }
}

function toWire({ bot: _, orgId: __, id, sfId, at, ...row }: LogRow): Record<string, unknown> {
  return { id: toUuid(id), ...row, recordId: sfId, at: new Date(at).toISOString() };
}
