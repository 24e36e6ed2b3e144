import { z } from 'zod';
import { kindAnswer } from '../../domain/answers.ts';
import { csvLine } from '../../domain/csv.ts';
import { maskedProblem } from '../../domain/masked.ts';
import { defineRoute } from '../../ports/route.ts';
import type { LogRow } from '../../ports/sync-store.ts';
import { logIdAt } from '../host/log-ids.ts';
import type { RouteDeps } from './deps.ts';
import { kindInput } from './inputs.ts';
import { seesValues } from './values.ts';

const count = z.int();

const previewAnswer = z
  .strictObject({
    kind: kindAnswer,
    way: z.enum(['bulk', 'calls']),
    create: count.describe('Records that would be made'),
    link: count.describe('One record of the org fits: linked to it, and compared'),
    update: count,
    ask: count.describe('Several fit, or two of ours share a look-up value: a person is asked'),
    skip: count,
    calls: count.describe('API calls, but for looks at whether a job is through'),
    deliveries: count.describe('Change events of our own writes'),
    minutes: count.describe('About; triggers and flows of the org come on top'),
  })
  .meta({ id: 'LoadPreview' });

const reportAnswer = z
  .strictObject({
    id: z.string(),
    kind: kindAnswer,
    state: z.string(),
    total: count,
    done: count,
    created: count.describe('Records that this batch made'),
    updated: count.describe('Records of Salesforce that it changed'),
    pulled: count.describe('Records here that it changed'),
    asked: count.describe('A person is to decide'),
    failed: count,
    calls: count,
  })
  .meta({ id: 'BatchReport' });

const reportInput = z.strictObject({ list: z.enum(['failures', 'created']).optional() });

/** What a load would do, and what it did. */
export function loadReportRoutes(deps: RouteDeps) {
  const { sync, requireBot } = deps;
  const path = '/api/bots/{bot}/sync/batches';

  return [
    defineRoute({
      who: ['operator'],
      permission: 'MANAGE_MAPPINGS',
      method: 'POST',
      path: `${path}/preview`,
      body: z.strictObject({ kind: kindInput }),
      summary: 'What a batch of everything would do: one look at the whole object, and nothing is written.',
      answer: previewAnswer,
      async handle({ params, body: { kind }, signal }) {
        const bot = await requireBot(params.bot);
        const org = await deps.openOrg(bot, signal);
        return { json: { kind, ...(await sync.batches.preview(bot, org, kind)) } };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'READ_LOGS',
      method: 'GET',
      path: `${path}/{id}/report`,
      query: reportInput,
      summary:
        'What a batch came to; `list=failures` is a CSV by host id, `list=created` one of all records that it made.',
      answer: reportAnswer,
      async handle({ params, query: { list }, caller }) {
        const bot = await requireBot(params.bot);
        const report = await sync.batches.report(bot, params.id);
        if (list === undefined) return { json: report };
        const lines =
          list === 'created'
            ? createdLines(deps, bot, params.id)
            : failureLines(deps, bot, params.id, seesValues(caller));
        return {
          text: lines,
          type: 'text/csv; charset=utf-8',
          headers: { 'content-disposition': `attachment; filename="${list}.csv"` },
        };
      },
    }),
  ];
}

async function* createdLines(deps: RouteDeps, bot: string, batch: string): AsyncGenerator<string> {
  yield csvLine(['hostId', 'object', 'recordId', 'at']);
  for await (const rows of pagesOf(deps, bot, { batch, operation: 'create', status: 'success' }))
    yield rows.map(({ localId, object, sfId, at }) => csvLine([localId, object, sfId, iso(at)])).join('');
}

/** Those that stand: what was cured since is left out. */
async function* failureLines(deps: RouteDeps, bot: string, batch: string, isOpen: boolean): AsyncGenerator<string> {
  yield csvLine(['hostId', 'object', 'recordId', 'status', 'code', 'salesforce', 'problem', 'next', 'at']);
  const told = new Set<string>();
  for (const status of ['failed', 'ambiguous'] as const) {
    for await (const rows of pagesOf(deps, bot, { batch, status })) {
      const [first] = rows;
      if (!first) continue;
      const ids = rows.map(({ localId }) => localId);
      const links = await deps.store.links.byLocal(first, first.object, ids);
      const standing = new Map(links.map((link) => [link.localId, link.error]));
      for (const { localId, object, sfId, at } of rows) {
        const error = standing.get(localId);
        if (!error || told.has(localId)) continue;
        told.add(localId);
        const { code, salesforce, message, next } = isOpen ? error : maskedProblem(error);
        yield csvLine([localId, object, sfId, status, code, salesforce?.code, message, next, iso(at)]);
      }
    }
  }
}

const PAGE = 500;

/** Newest first, page after page. */
async function* pagesOf(
  { store }: RouteDeps,
  bot: string,
  filter: Pick<LogRow, 'status'> & { readonly batch: string; readonly operation?: LogRow['operation'] },
): AsyncGenerator<readonly LogRow[]> {
  const from = logIdAt((await store.batches.get(bot, filter.batch))?.createdAt ?? 0);
  for (let before: string | undefined; ; ) {
    const rows = await store.log.find(bot, { ...filter, from, before, limit: PAGE });
    if (rows.length > 0) yield rows;
    before = rows.at(-1)?.id;
    if (rows.length < PAGE) return;
  }
}

const iso = (at: number): string => new Date(at).toISOString();
