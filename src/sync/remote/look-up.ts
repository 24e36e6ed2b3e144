import { fromErrorBody, GatehouseError } from '../../domain/errors.ts';
import { isRecord } from '../../domain/is-record.ts';
import type { CompositeAnswer } from '../../ports/salesforce.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import type { RemoteRecord } from '../mapping/compile.ts';
import { queryPath, quote, toPage } from './soql-read.ts';
import { isSystemic } from './trouble.ts';

const MOST_VALUES = 2_000;
const MOST_TEXT = 90_000;
const QUERIES_PER_CALL = 5;
/** How often refused look-ups are cut in two: enough to find one bad value among two thousand, and no storm. */
const MOST_SPLITS = 24;

/** One look-up by many values of one field. */
export interface Lookup {
  readonly object: string;
  readonly select: readonly string[];
  readonly field: string;
  readonly values: readonly string[];
  /** Sees deleted rows too. */
  readonly all?: boolean;
  readonly and?: string;
}

export interface LookedUp {
  readonly records: readonly RemoteRecord[];
  /** Values for which the org answered with a refusal: nobody knows whether there is a record. */
  readonly refused: ReadonlyMap<string, GatehouseError>;
}

interface Task {
  readonly index: number;
  readonly lookup: Lookup;
  readonly values: readonly string[];
  readonly path: string;
}

/**
 * Answers every look-up in as few calls as the limits allow: five queries a call, 2,000 values or 90,000 characters each. A
 * look-up that the org refuses is made smaller, down to the single value; what stays refused is told, and the others go on.
 */
export async function tryLookUp(
  org: Pick<SyncOrg, 'composite' | 'refusal'>,
  lookups: readonly Lookup[],
  onCall: () => void,
): Promise<readonly LookedUp[]> {
  const found = lookups.map(() => ({ records: [] as RemoteRecord[], refused: new Map<string, GatehouseError>() }));
  let tasks = lookups.flatMap((lookup, index) => toTasks(index, lookup, [...new Set(lookup.values)]));
  let splits = 0;
  while (tasks.length > 0) {
    const now = tasks.slice(0, QUERIES_PER_CALL);
    const next: Task[] = [];
    const answers = await ask(org, now, onCall);
    for (const [at, task] of now.entries()) {
      const answer = answers[at];
      const error = answer instanceof GatehouseError ? answer : refusalIn(org, task.lookup, answer);
      if (!error) {
        const page = toPage(answer as CompositeAnswer);
        for (const record of page.records) found[task.index]?.records.push(record);
        if (page.next) next.push({ ...task, path: page.next });
      } else if (task.values.length > 1 && splits < MOST_SPLITS && !isAboutFields(error)) {
        splits++;
        const half = Math.ceil(task.values.length / 2);
        for (const some of [task.values.slice(0, half), task.values.slice(half)])
          next.push(...toTasks(task.index, task.lookup, some));
      } else for (const value of task.values) found[task.index]?.refused.set(value, error);
    }
    tasks = [...next, ...tasks.slice(QUERIES_PER_CALL)];
  }
  return found;
}

/** The same, for who cannot go on without: the first refusal is thrown. */
export async function lookUp(
  org: Pick<SyncOrg, 'composite' | 'refusal'>,
  lookups: readonly Lookup[],
  onCall: () => void,
): Promise<readonly (readonly RemoteRecord[])[]> {
  const found = await tryLookUp(org, lookups, onCall);
  for (const { refused } of found) for (const error of refused.values()) throw error;
  return found.map(({ records }) => records);
}

/** The org names a field or object that it does not have, show or let be filtered: fewer values would not help. */
export const isAboutFields = ({ salesforce }: GatehouseError): boolean =>
  ['INVALID_FIELD', 'INVALID_TYPE'].includes(salesforce?.code ?? '');

/** Where the org refuses the call as a whole, one part of it is why: each is asked by itself. */
async function ask(
  org: Pick<SyncOrg, 'composite'>,
  tasks: readonly Task[],
  onCall: () => void,
): Promise<readonly (CompositeAnswer | GatehouseError)[]> {
  onCall();
  try {
    return await org.composite(tasks.map(({ path }, at) => ({ method: 'GET', path, id: `q${at}` })));
  } catch (error) {
    if (!(error instanceof GatehouseError) || isSystemic(error)) throw error;
    if (tasks.length === 1) return [error];
    const answers: (CompositeAnswer | GatehouseError)[] = [];
    for (const task of tasks) answers.push(...(await ask(org, [task], onCall)));
    return answers;
  }
}

function refusalIn(
  org: Pick<SyncOrg, 'refusal'>,
  lookup: Lookup,
  answer: CompositeAnswer | undefined,
): GatehouseError | undefined {
  if (answer?.status === 200 && isRecord(answer.body) && Array.isArray(answer.body.records)) return undefined;
  const { then, error } = org.refusal({ status: answer?.status ?? 500, body: answer?.body ?? [] });
  if (then === 'wait') throw fromErrorBody({ error });
  return queryFailed(lookup, error.salesforce?.code ?? '', error.salesforce?.quote ?? '');
}

function queryFailed({ object, field }: Lookup, code: string, said: string): GatehouseError {
  const isField = code === 'INVALID_FIELD' || code === 'INVALID_TYPE';
  const [message, next] = /can ?not be filtered/i.test(said)
    ? [
        `${object}.${field} cannot be looked up in this org: Salesforce does not let it be filtered.`,
        'Encryption (Shield) closes a field so. Let the mapping know people by another field ("lookup"), or make the external-id field.',
      ]
    : isField
      ? [
          `The org does not know a field or object of the mapping, asked of ${object} by ${field}.`,
          'Save the mapping again: the check names the field. Or grant the connected user access to it.',
        ]
      : [
          `Salesforce did not answer the read of ${object} by ${field}.`,
          'It is tried again by itself; if it stays, look at what Salesforce says.',
        ];
  return new GatehouseError('salesforce_error', message, {
    next,
    retryable: !isField,
    salesforce: { code, fields: [], quote: said },
  });
}

function toTasks(index: number, lookup: Lookup, values: readonly string[]): Task[] {
  const { object, select, field, and } = lookup;
  const head = `SELECT ${select.join(', ')} FROM ${object} WHERE ${field} IN (`;
  const tail = `)${and ? ` AND ${and}` : ''}`;
  const tasks: Task[] = [];
  let some: string[] = [];
  let length = 0;
  const cut = () => {
    if (some.length === 0) return;
    const soql = head + some.map(quote).join(',') + tail;
    tasks.push({ index, lookup, values: some, path: queryPath(soql, lookup.all) });
    some = [];
    length = 0;
  };
  for (const value of values) {
    const { length: own } = quote(value);
    if (some.length === MOST_VALUES || (some.length > 0 && head.length + length + own > MOST_TEXT)) cut();
    some.push(value);
    length += own + 1;
  }
  cut();
  return tasks;
}
