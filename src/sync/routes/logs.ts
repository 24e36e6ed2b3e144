import { z } from 'zod';
import { momentInput, readMoment } from '../../domain/moment.ts';
import { defineRoute } from '../../ports/route.ts';
import type { LogFilter, LogRow, LogStore } from '../../ports/sync-store.ts';
import { logIdAt, toLogId, toUuid } from '../host/log-ids.ts';
import { logAnswer } from './answers.ts';
import type { RouteDeps } from './deps.ts';
import { hostId, kindInput, limitInput } from './inputs.ts';

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
export function logRoutes(deps: RouteDeps) {
  const { sync, store, requireBot } = deps;
  const base = '/api/bots/{bot}/sync';

  return [
    defineRoute({
      who: ['operator'],
      permission: 'READ_LOGS',
      method: 'GET',
      path: `${base}/logs`,
      query: logInput,
      summary: 'The sync log with before and after, reason, winner and calls; `format=jsonl` exports it.',
      answer: z.strictObject({ logs: z.array(logAnswer), next: z.string().optional() }),
      async handle({ params, query: { format, limit: most, ...asked } }) {
        const bot = await requireBot(params.bot);
        const filter = toFilter(asked, deps.now());
        if (format === 'jsonl') return { text: linesOf(store.log, bot, filter, most), type: 'application/jsonl' };
        const limit = most ?? 100;
        const rows = await store.log.find(bot, { ...filter, limit });
        const next = rows.length === limit ? { next: toUuid(rows.at(-1)?.id ?? '') } : {};
        return { json: { logs: rows.map(toWire), ...next } };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'MANAGE_MAPPINGS',
      method: 'POST',
      path: `${base}/logs/{id}/restore`,
      body: restoreInput,
      summary: 'Puts the value that lost a conflict back.',
      answer: logAnswer.pick({ kind: true, localId: true }).extend({ restored: z.literal(true) }),
      async handle({ params, body, caller }) {
        const bot = await requireBot(params.bot);
        const { kind, localId } = await sync.manualLinks.restore(
          bot,
          toLogId(params.id) ?? '',
          caller.principal,
          body.field,
        );
        return { json: { restored: true, kind, localId } };
      },
    }),
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

function toWire({ bot: _, orgId: __, id, sfId, at, ...row }: LogRow) {
  return { id: toUuid(id), ...row, recordId: sfId, at: new Date(at).toISOString() };
}
