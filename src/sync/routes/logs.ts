import { z } from 'zod';
import type { LogRow } from '../ports.ts';
import { hostId, kindInput, limitInput } from './inputs.ts';
import { namedBot, ok, parse, type RouteDeps, type SyncRoute } from './route.ts';

const logInput = z.strictObject({
  localId: hostId.optional(),
  kind: kindInput.optional(),
  object: z.string().max(80).optional(),
  batch: z.string().max(80).optional(),
  status: z.enum(['success', 'failed', 'pending', 'ambiguous']).optional(),
  direction: z.enum(['to_crm', 'from_crm']).optional(),
  before: z.string().max(80).optional(),
  limit: limitInput.default(100),
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
        const { format, limit, ...filter } = parse(logInput, request.query);
        const rows = await store.log.find(bot, { ...filter, limit });
        if (format === 'jsonl')
          return {
            status: 200,
            body: rows.map((row) => `${JSON.stringify(toWire(row))}\n`).join(''),
            contentType: 'application/jsonl',
          };
        return ok({ logs: rows.map(toWire), ...(rows.length === limit ? { next: rows.at(-1)?.id } : {}) });
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
        const row = await sync.desk.restore(bot, request.params.id ?? '', request.principal, field);
        return ok({ restored: true, kind: row.kind, localId: row.localId });
      },
    },
  ];
}

function toWire({ bot: _, orgId: __, sfId, at, ...row }: LogRow): Record<string, unknown> {
  return { ...row, recordId: sfId, at: new Date(at).toISOString() };
}
