import { z } from 'zod';
import { csvLine } from '../../domain/csv.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { maskedProblem, maskedText } from '../../domain/masked.ts';
import { momentInput, readMoment } from '../../domain/moment.ts';
import { defineRoute } from '../../ports/route.ts';
import type { LogFilter, LogRow, LogStore } from '../../ports/sync-store.ts';
import { logIdAt, toLogId, toUuid } from '../host/log-ids.ts';
import { logAnswer } from './answers.ts';
import { noteOf, type RouteDeps } from './deps.ts';
import { hostId, kindInput, limitInput } from './inputs.ts';
import { maskedChange, seesValues } from './values.ts';

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
  format: z.enum(['json', 'jsonl', 'csv']).default('json'),
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
      summary: 'The sync log with before and after, reason, winner and calls; `format=jsonl` or `csv` exports it.',
      answer: z.strictObject({ logs: z.array(logAnswer), next: z.string().optional() }),
      async handle({ params, query: { format, limit: most, ...asked }, caller }) {
        const bot = await requireBot(params.bot);
        const filter = toFilter(asked, deps.now());
        const toWire = wireFor(caller);
        const rowsOf = () => pagesOf(store.log, bot, filter, most);
        if (format === 'jsonl') return { text: jsonLines(rowsOf(), toWire), type: 'application/jsonl' };
        if (format === 'csv')
          return {
            text: csvLines(rowsOf(), toWire),
            type: 'text/csv; charset=utf-8',
            headers: { 'content-disposition': 'attachment; filename="sync-log.csv"' },
          };
        const limit = most ?? 100;
        const rows = await store.log.find(bot, { ...filter, limit });
        const next = rows.length === limit ? { next: toUuid(rows.at(-1)?.id ?? '') } : {};
        return { json: { logs: rows.map(toWire), ...next } };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'READ_LOGS',
      method: 'GET',
      path: `${base}/logs/{id}`,
      summary: 'One entry of the sync log.',
      answer: logAnswer,
      async handle({ params, caller }) {
        const bot = await requireBot(params.bot);
        const row = await store.log.get(bot, toLogId(params.id) ?? '');
        if (row) return { json: wireFor(caller)(row) };
        throw new GatehouseError('not_found', 'There is no such entry in the sync log.', {
          next: 'Take its id from the list.',
        });
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
        const field = body.field === undefined ? {} : { field: body.field };
        await noteOf(deps)(caller, bot, 'value_restored', { kind, id: localId, entry: params.id, ...field });
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
async function* pagesOf(
  log: LogStore,
  bot: string,
  filter: Omit<LogFilter, 'limit'>,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly LogRow[]> {
  let { before } = filter;
  for (let left = most; left > 0; left -= PAGE) {
    const limit = Math.min(left, PAGE);
    const rows = await log.find(bot, { ...filter, before, limit });
    yield rows;
    if (rows.length < limit) return;
    before = rows.at(-1)?.id;
  }
}

type ToWire = ReturnType<typeof wireFor>;

async function* jsonLines(pages: AsyncIterable<readonly LogRow[]>, toWire: ToWire): AsyncGenerator<string> {
  for await (const rows of pages) yield rows.map((row) => `${JSON.stringify(toWire(row))}\n`).join('');
}

const COLUMNS = ['id', 'at', 'kind', 'localId', 'object', 'recordId', 'operation', 'direction', 'status'] as const;

/** A line for each change, and for what changed nothing. */
async function* csvLines(pages: AsyncIterable<readonly LogRow[]>, toWire: ToWire): AsyncGenerator<string> {
  yield csvLine([...COLUMNS, 'field', 'before', 'after', 'winner', 'lost', 'reason', 'calls', 'problem', 'next']);
  for await (const rows of pages)
    yield rows
      .map(toWire)
      .flatMap((row) =>
        (row.changes.length === 0 ? [undefined] : row.changes).map((change) =>
          csvLine([
            ...COLUMNS.map((name) => row[name]),
            change?.field ?? null,
            change?.before ?? null,
            change?.after ?? null,
            change?.winner ?? null,
            change?.lost ?? null,
            row.reason,
            row.calls,
            row.error?.message ?? null,
            row.error?.next ?? null,
          ]),
        ),
      )
      .join('');
}

/** A row as this operator may see it. */
function wireFor(caller: Parameters<typeof seesValues>[0]) {
  const isOpen = seesValues(caller);
  return ({ bot: _, orgId: __, id, sfId, at, changes, error, reason, ...row }: LogRow) => ({
    id: toUuid(id),
    ...row,
    reason: isOpen ? reason : maskedText(reason),
    changes: isOpen ? changes : changes.map(maskedChange),
    error: isOpen ? error : error && maskedProblem(error),
    recordId: sfId,
    at: new Date(at).toISOString(),
  });
}
