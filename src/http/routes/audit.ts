import { z } from 'zod';
import { isWithin, type Rights } from '../../../permissions/catalog.ts';
import type { AuditVerdict } from '../../audit/audit.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { csvLine } from '../../domain/csv.ts';
import { OUTCOME_NAMES, OUTCOMES, outcomeOf } from '../../domain/decision-outcome.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { momentInput, readSpan } from '../../domain/moment.ts';
import type { RecordedWrite } from '../../domain/proposal.ts';
import { defineRoute } from '../../ports/route.ts';
import type { AuditFilter, AuditRow } from '../../ports/store.ts';
import { envelopeAnswer } from '../answers.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { setter } from './by-operator.ts';

const word = z.string().min(1).max(100).optional();
const number = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional();

const text = z.string().nullable();
const rowAnswer = z
  .strictObject({
    seq: z.int(),
    at: momentAnswer,
    bot: text,
    principal: z.string(),
    channel: z.string(),
    action: z.string(),
    event: z.string(),
    outcome: z.enum(OUTCOME_NAMES).nullable().describe('What became of a call; null for all else'),
    decision: text,
    assurance: text,
    proposal: text,
    digest: text,
    policyRevision: z.int().nullable(),
    object: text,
    recordId: text,
    detail: z.record(z.string(), z.unknown()).describe('Masked; no values of records'),
    sealedHash: text,
    previous: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditRow' });

const listInput = z.strictObject({
  bot: word,
  proposal: word,
  action: word,
  event: word,
  outcome: z.enum(OUTCOME_NAMES).optional(),
  code: word.describe('Why it was refused'),
  principal: word,
  channel: word,
  decision: word,
  record: word.describe('Id of a Salesforce record'),
  since: momentInput.optional(),
  until: momentInput.optional(),
  before: number.describe('Older than this row'),
  after: number.describe('Newer than this row, the next ones to it'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  format: z.enum(['json', 'jsonl', 'csv']).default('json').describe('The others export every row that fits'),
});

/** What was decided, newest first. Before and after values stay sealed, but for a look that is written down itself. */
export function auditRoutes(deps: HttpDeps) {
  const { store, audit, approvals, connections, now } = deps;
  let verifying: Promise<AuditVerdict> | undefined;

  const mustRow = async (given: string, rights: Rights): Promise<AuditRow> => {
    const row = /^[1-9]\d{0,14}$/.test(given) ? await store.audit.get(Number(given)) : undefined;
    if (row !== undefined && isWithin(rights, row.bot)) return row;
    throw new GatehouseError('not_found', 'There is no such row in the log.', {
      next: 'Look at the log: GET /api/audit lists its rows.',
    });
  };

  /** As far as the connection still leads to the org that was written to. */
  const urlOf = async ({ bot, recordId, detail }: AuditRow, baseUrl: string): Promise<string | undefined> => {
    if (bot === null || recordId === null) return undefined;
    const { instanceUrl, orgId } = await connections.status(bot);
    const { org }: { readonly org?: string | null } = JSON.parse(detail); // ours
    if (instanceUrl === undefined || (org != null && org !== orgId)) return undefined;
    return `${URL.canParse(instanceUrl) && instanceUrl.startsWith('http') ? instanceUrl : `${baseUrl}/simulated-org`}/${recordId}`;
  };

  return [
    defineRoute({
      method: 'GET',
      path: '/api/audit',
      summary: 'Audit rows, without their sealed values; `format=csv` and `format=jsonl` export them',
      who: ['operator'],
      permission: 'READ_LOGS',
      isNarrowed: true,
      query: listInput,
      answer: z.strictObject({ rows: z.array(rowAnswer) }),
      async handle({ caller, query: { limit, format, ...asked } }) {
        const filter = { ...toFilter(asked, now()), bots: caller.operator.bots };
        if (format === 'json') return { json: { rows: (await store.audit.find({ ...filter, limit })).map(shown) } };
        return {
          text: linesOf(store.audit, filter, format),
          type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl',
          headers: { 'content-disposition': `attachment; filename="gatehouse-log.${format}"` },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit/verify',
      summary: 'Whether every row of the chain is as it was written; reads all of it',
      who: ['operator'],
      permission: 'READ_LOGS',
      isNarrowed: true,
      answer: z.strictObject({
        ok: z.boolean(),
        rows: z.int().describe('That hold, from the first on'),
        problem: z.strictObject({ seq: z.int(), words: z.string() }).optional(),
      }),
      async handle() {
        // However many ask at once, the chain is read once.
        verifying ??= audit.verify().finally(() => {
          verifying = undefined;
        });
        const verdict = await verifying;
        const { ok, rows } = verdict;
        return {
          json: verdict.ok ? { ok, rows } : { ok, rows, problem: { seq: verdict.seq, words: verdict.problem } },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/audit/{seq}',
      summary: 'One audit row: whether it is as it was written, where its record is, what can be done about it',
      who: ['operator'],
      permission: 'READ_LOGS',
      isNarrowed: true,
      answer: z.strictObject({
        row: rowAnswer,
        isIntact: z.boolean(),
        hasValues: z.boolean().describe('Sealed ones, which retention still lets live'),
        mayUndo: z.boolean(),
        url: z.string().optional().describe('Of the record'),
      }),
      async handle({ caller, params, baseUrl }) {
        const row = await mustRow(params.seq, caller.operator);
        const isIntact = audit.isIntact(row);
        const url = await urlOf(row, baseUrl);
        return {
          json: {
            row: shown(row),
            isIntact,
            hasValues: row.sealed !== null,
            mayUndo: isIntact && row.event === 'done' && isUndoable(effectsOf(audit.unsealed(row))),
            ...(url === undefined ? {} : { url }),
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/audit/{seq}/values',
      summary: 'Before and after values of one row, and its query; the look is an audit row of its own',
      who: ['operator'],
      permission: 'READ_VALUES',
      isNarrowed: true,
      answer: z.strictObject({
        changes: z.array(
          z.strictObject({
            kind: z.string(),
            object: z.string(),
            id: text,
            field: z.string(),
            before: z.unknown(),
            after: z.unknown(),
          }),
        ),
        query: z.string().optional(),
        more: z.record(z.string(), z.unknown()).describe('Whatever else was sealed'),
      }),
      async handle({ params, caller }) {
        const row = await mustRow(params.seq, caller.operator);
        if (row.sealed === null)
          throw new GatehouseError('not_found', 'This row holds no values, or their time is over.', {
            next: 'Look at the record in Salesforce: its field history may tell.',
          });
        if (!audit.isIntact(row))
          throw new GatehouseError('conflict', 'This row is not as Gatehouse wrote it; its values are not believed.', {
            next: 'Verify the chain, and find out who can write into the database.',
          });
        const { seq, bot, object, recordId } = row;
        await audit.record({
          ...setter(caller),
          bot,
          object,
          recordId,
          action: 'log',
          event: 'values_read',
          detail: { seq },
        });
        const { effects: _, query, ...more } = audit.unsealed(row) ?? {};
        return {
          json: {
            changes: effectsOf(audit.unsealed(row)).flatMap(({ kind, object, id, before, after }) =>
              Object.keys({ ...before, ...after }).map((field) => ({
                ...{ kind, object, id, field },
                before: before[field] ?? null,
                after: after[field] ?? null,
              })),
            ),
            ...(typeof query === 'string' ? { query } : {}),
            more,
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/audit/{seq}/undo',
      summary: 'Asks to take a write back: a proposal that a person decides',
      who: ['operator'],
      permission: 'DECIDE_PROPOSALS',
      isNarrowed: true,
      answer: envelopeAnswer,
      async handle({ params, caller }) {
        const { seq } = await mustRow(params.seq, caller.operator);
        const { principal, channel } = setter(caller);
        return { json: await approvals.undo(seq, principal, channel) };
      },
    }),
  ];
}

function toFilter(
  { record, outcome, since, until, ...same }: Omit<z.output<typeof listInput>, 'limit' | 'format'>,
  now: number,
): AuditFilter {
  return {
    ...same,
    recordId: record,
    ...(outcome === undefined ? {} : { events: OUTCOMES[outcome] }),
    ...readSpan({ since, until }, now),
  };
}

const shown = ({ sealed: _, detail, at, ...row }: AuditRow) => ({
  ...row,
  at: isoTime(at),
  outcome: outcomeOf(row.event),
  detail: JSON.parse(detail) as Record<string, unknown>, // ours
});

const PAGE = 500;
const COLUMNS = [
  ...(['seq', 'at', 'bot', 'principal', 'channel', 'action', 'event', 'outcome', 'decision', 'assurance'] as const),
  ...(['proposal', 'policyRevision', 'object', 'recordId'] as const),
];
const OF_DETAIL = ['code', 'reasons', 'rows', 'calls', 'ms', 'conversation'] as const;

/** Page after page: none is held longer than it is sent. */
async function* linesOf(
  store: HttpDeps['store']['audit'],
  filter: AuditFilter,
  format: 'jsonl' | 'csv',
): AsyncGenerator<string> {
  if (format === 'csv') yield csvLine([...COLUMNS, ...OF_DETAIL]);
  let { before } = filter;
  for (;;) {
    // Downwards from the newest; what is newer than `after` ends it.
    const rows = await store.find({ ...filter, after: undefined, before, limit: PAGE });
    const wanted = rows.filter(({ seq }) => filter.after === undefined || seq > filter.after);
    yield wanted.map((row) => (format === 'csv' ? tableLine(row) : `${JSON.stringify(shown(row))}\n`)).join('');
    if (wanted.length < PAGE) return;
    before = wanted.at(-1)?.seq;
  }
}

function tableLine(row: AuditRow): string {
  const line = shown(row);
  return csvLine([
    ...COLUMNS.map((column) => line[column]),
    ...OF_DETAIL.map((name) => {
      const value = line.detail[name];
      if (Array.isArray(value)) return value.join(' ');
      return typeof value === 'number' ? value : value === undefined ? '' : String(value);
    }),
  ]);
}

/** Recorded by the gate alone. */
function effectsOf(sealed: Readonly<Record<string, unknown>> | undefined): readonly RecordedWrite[] {
  return (sealed?.effects ?? []) as readonly RecordedWrite[];
}

/** The gate looks again, at the record too; this only says whether asking makes sense. */
function isUndoable(effects: readonly RecordedWrite[]): boolean {
  const done = effects.filter(({ state, id }) => state === 'done' && id !== null);
  return done.length > 0 && done.every(({ kind }) => kind !== 'remove');
}
