import { createHmac } from 'node:crypto';
import { listedFields, openObjects, taggedFields } from '../../../permissions/field-access.ts';
import type { Policy } from '../../../permissions/policy.ts';
import type { Answered, JudgedQuery, ObjectDescribe, Soql, SoqlAnswer } from '../../domain/action.ts';
import { isSameSecret } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { keptFor } from '../../domain/kept-for.ts';
import { readerKey } from '../../domain/read-as.ts';
import { cleanText } from '../../domain/safe-text.ts';
import type { Org } from '../../ports/salesforce.ts';
import type { CounterStore } from '../../ports/store.ts';
import { bindSoql } from '../soql/binds.ts';
import { guardSoql, neededObjects, type SoqlPass } from '../soql/guard.ts';
import { SoqlRefusal } from '../soql/refusal.ts';
import { shapeRows } from '../soql/rows.ts';
import type { SoqlObject, SoqlPolicy, SoqlSchema } from '../soql/schema.ts';
import { createAllowance, type Reservation } from './allowance.ts';

/** RunSOQL for one bot on one org: the guard with the org's describes around it, the hourly budgets, and our own cursor. */
export interface RunSoqlDeps {
  readonly bot: string;
  /** Whose cursors these are. */
  readonly caller: string;
  readonly org: Pick<Org, 'orgId' | 'userId' | 'describe' | 'query' | 'queryNext' | 'explain' | 'clock'>;
  readonly policy: Policy;
  readonly counters: CounterStore;
  /** Signs cursors, so that a model can neither make one nor use another bot's, caller's or org's. */
  readonly secret: string;
  readonly now: () => number;
  /** What a person said yes to before this run; cursors carry it on to the further pages. */
  readonly answered?: Answered | undefined;
}

const CURSOR_MS = 3_600_000;
type Format = 'concise' | 'detailed';
const PAGE_ROWS = 25;
const MOST_TEXT = 500;
/** About 1,500 tokens; `detailed` may take what one tool result may hold at the most. */
const MOST_BYTES = { concise: 5_500, detailed: 24_000 } as const;

export function createSoql(deps: RunSoqlDeps): Soql {
  const policy = toSoqlPolicy(deps.policy);
  const known: Known = new Map();

  const pass = async (query: string, checksTypes = false): Promise<SoqlPass> => {
    const schema = await schemaFor(query, policy, deps.org, known);
    const verdict = guardSoql(query, { policy, schema, now: deps.org.clock(), checksTypes });
    if (verdict.ok) return verdict;
    throw refusedBy(verdict);
  };

  const { rowsPerHour, countsPerHour } = deps.policy.soql;
  const rows = createAllowance({ ...deps, what: 'rows', most: rowsPerHour });
  const counts = createAllowance({ ...deps, what: 'counts', most: countsPerHour });
  const pageOf = (format: Format) => (format === 'concise' ? PAGE_ROWS : deps.policy.soql.maxRows);

  /** The most that one answer can take; a page that turns out empty takes one row too. */
  const costOf = ({ isCount, isAggregate, rowCap }: SoqlPass, format: Format, skip = 0) => ({
    counts: isCount || isAggregate ? 1 : 0,
    rows: isCount ? 0 : Math.max(1, Math.min(pageOf(format), (rowCap ?? 1) - skip)),
  });

  /** Before a person is asked: what would be refused afterwards costs nobody anything. */
  const judged = async (verdict: SoqlPass, format: Format, skip: number): Promise<JudgedQuery> => {
    const cost = costOf(verdict, format, skip);
    await rows.check(cost.rows);
    await counts.check(cost.counts);
    const { send, objects, fields, class: kind, reasons, rowCap, note } = verdict;
    return { send, objects, fields, class: kind, reasons, rowCap, note };
  };

  const answer = async ({ send, skip = 0, answered, note }: JudgedQuery, format: Format): Promise<SoqlAnswer> => {
    // What leaves is read once more: nothing is sent that the guard did not see as it is.
    const verdict = await pass(send);
    const cost = costOf(verdict, format, skip);
    const reservation = await rows.reserve(cost.rows);
    try {
      // A count that fails may tell something too, so it is never given back.
      await counts.reserve(cost.counts);
      const found = await read(verdict, skip, format, reservation, answered ?? deps.answered);
      return note === undefined ? found : { ...found, note: [note, found.note].filter(Boolean).join(' ') };
    } finally {
      await reservation.release();
    }
  };

  const read = async (
    verdict: SoqlPass,
    skip: number,
    format: Format,
    reservation: Reservation,
    answered: Answered | undefined,
  ): Promise<SoqlAnswer> => {
    const records = [];
    let page = await deps.org.query(verdict.send);
    records.push(...page.records);
    // Read is read, even where no answer comes of it.
    reservation.spend(Math.max(1, Math.min(page.records.length, pageOf(format))));
    while (!page.done && page.next !== undefined && records.length < (verdict.rowCap ?? 0)) {
      page = await deps.org.queryNext(page.next);
      records.push(...page.records);
    }
    if (verdict.isCount) return { rows: [{ count: page.total }], returned: 1, total: page.total };
    const shown = records.slice(skip, skip + pageOf(format));
    const shaped = shapeRows(shown, {
      format,
      maxBytes: MOST_BYTES[format],
      clean: (text) => cleanText(text, MOST_TEXT),
    });
    reservation.spend(Math.max(1, shaped.returned));
    const reached = skip + shaped.returned;
    // A limit of the query's own is what was asked for; only ours cuts.
    const isCapped = verdict.rowCap === policy.maxRows && records.length >= policy.maxRows;
    const isMore = reached < records.length && shaped.returned > 0;
    return {
      rows: shaped.rows,
      returned: shaped.returned,
      total: page.total,
      ...(isMore ? { nextCursor: signCursor({ send: verdict.send, skip: reached, answered }) } : {}),
      ...(isMore || isCapped || shaped.cut ? { note: noteFor(isMore, isCapped ? policy.maxRows : null) } : {}),
    };
  };

  const sign = (body: string) =>
    createHmac('sha256', `cursor:${deps.secret}`)
      .update(`${deps.bot} ${readerKey(deps.org)} ${deps.caller} ${body}`)
      .digest('base64url')
      .slice(0, 22);
  const signCursor = (at: Place) => {
    const body = Buffer.from(JSON.stringify({ ...at, until: deps.now() + CURSOR_MS })).toString('base64url');
    return `${body}.${sign(body)}`;
  };
  const readCursor = (cursor: string): Place => {
    const [body = '', ...marks] = cursor.split('.');
    // Parsed only after its signature held: the shape is ours.
    const at: (Place & { until: number }) | undefined = isSameSecret(marks.join('.'), sign(body))
      ? JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))
      : undefined;
    if (at === undefined || at.until < deps.now())
      throw new GatehouseError(
        'invalid_input',
        "This cursor is not ours, is another bot's, caller's or org's, or is over.",
        {
          next: 'Run the query again from its start, without cursor.',
          fields: [{ name: 'cursor', problem: 'unknown or over' }],
        },
      );
    return at;
  };

  const dateLiterals = new Set(deps.policy.soql.dateLiterals.map((name) => name.toUpperCase()));

  return {
    async bind(template, values) {
      try {
        return bindSoql(template, values, dateLiterals);
      } catch (error) {
        throw error instanceof SoqlRefusal ? refusedBy(error) : error;
      }
    },
    judge: async (query, format, checksTypes) => judged(await pass(query, checksTypes), format, 0),
    async resume(cursor, format) {
      const { send, skip, answered } = readCursor(cursor);
      const found = await judged(await pass(send), format, skip);
      return { ...found, skip, answered };
    },
    run: answer,
    // A further page is no new question.
    expects: async ({ send, skip, class: kind }) =>
      kind === 'trivial' || skip !== undefined ? undefined : planOf(send, deps.org),
  };
}

function refusedBy({ rule, code, position, next }: Pick<SoqlRefusal, 'rule' | 'code' | 'position' | 'next'>) {
  return new GatehouseError('query_refused', `${rule} (${code}, position ${position})`, {
    next,
    fields: [{ name: 'soql', problem: `${code} at position ${position}` }],
  });
}

/** Where a cursor stands. */
interface Place {
  readonly send: string;
  readonly skip: number;
  readonly answered?: Answered | undefined;
}

function noteFor(isMore: boolean, cap: number | null): string {
  const more = isMore ? 'There are more rows: call again with nextCursor' : 'Rows or long values were cut';
  const capped = cap === null ? '' : `; at most ${cap} rows of a query are read`;
  return `${more}${capped}. To narrow: add a WHERE, name fewer fields, or use COUNT().`;
}

async function planOf(send: string, org: RunSoqlDeps['org']): Promise<string | undefined> {
  const [plan] = await org.explain(send).catch(() => []);
  if (plan === undefined) return undefined;
  return `Salesforce expects about ${plan.cardinality} rows of ${plan.sobjectType} (${plan.leadingOperationType}).`;
}

/** The policy of a bot as the guard reads it. A masked field is a closed one here: a query could sort or filter by it. */
const toSoqlPolicy = keptFor(({ objects, soql }: Policy): SoqlPolicy => {
  return {
    allowObjects: [...openObjects(objects, 'read')],
    denyFields: [...taggedFields(objects, 'denyFields'), ...taggedFields(objects, 'maskFields')],
    allowFields: listedFields(objects),
    sensitiveFields: taggedFields(objects, 'sensitiveFields'),
    maxRows: soql.maxRows,
    maxChildRows: soql.maxChildRows,
    maxOffset: soql.maxOffset,
    maxLength: soql.maxLength,
    allowOwnerFields: soql.allowOwnerFields,
    dateLiterals: soql.dateLiterals,
  };
});

/** What one call has seen of the org. */
type Known = Map<string, SoqlObject | undefined>;

/** Describes of every object that the query reaches, fetched until none is missing. An object the org does not have stays unknown. */
async function schemaFor(
  query: string,
  policy: SoqlPolicy,
  org: RunSoqlDeps['org'],
  known: Known,
): Promise<SoqlSchema> {
  const schema: SoqlSchema = { object: (name) => known.get(name.toLowerCase()) };
  for (;;) {
    const missing = neededObjects(query, schema, policy).filter((name) => !known.has(name.toLowerCase()));
    if (missing.length === 0) return schema;
    await Promise.all(
      missing.map(async (name) => {
        const describe = await org.describe(name).catch((error: unknown) => {
          if (error instanceof GatehouseError && (error.code === 'not_found' || error.code === 'invalid_input'))
            return undefined;
          throw error;
        });
        known.set(name.toLowerCase(), describe === undefined ? undefined : soqlObjectOf(describe));
      }),
    );
  }
}

/** A describe is one object as long as it is remembered, and a query is read several times: of 800 fields, once is enough. */
const soqlObjectOf = keptFor((describe: ObjectDescribe): SoqlObject => {
  const fields = new Map(describe.fields.map((field) => [field.name.toLowerCase(), field]));
  const parents = new Map(
    describe.fields.flatMap((field) =>
      field.relationshipName === null
        ? []
        : [[field.relationshipName.toLowerCase(), { targets: field.referenceTo, field: field.name }] as const],
    ),
  );
  const children = new Map(
    describe.childRelationships.flatMap(({ relationshipName, childSObject, field }) =>
      relationshipName === null ? [] : [[relationshipName.toLowerCase(), { object: childSObject, field }] as const],
    ),
  );
  const names = describe.fields.map(({ name }) => name);
  return {
    name: describe.name,
    field: (name) => fields.get(name.toLowerCase()),
    fields: () => names,
    parent: (name) => parents.get(name.toLowerCase()),
    child: (name) => children.get(name.toLowerCase()),
  };
});
