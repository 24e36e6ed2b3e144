import type { FieldValue } from '../action.ts';
import type { CompositeAnswer, CompositeRequest, Refusal } from '../salesforce/connections.ts';
import type { SyncOrg } from './ports.ts';

/** One row of a batch. Creates go by our external id where the org has it, so that a repeat finds itself. */
export interface RowWrite<T> {
  readonly item: T;
  readonly method: 'create' | 'upsert' | 'update' | 'delete';
  readonly object: string;
  readonly id: string;
  readonly keyField?: string | undefined;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

export interface RowOutcome<T> {
  readonly item: T;
  readonly id: string;
  readonly isCreated: boolean;
  readonly failure: Refusal | undefined;
}

export const PARTS_PER_CALL = 5;

/** Rows of one kind that fit one collection request. */
export function toParts<T>(writes: readonly RowWrite<T>[], chunk: number): readonly (readonly RowWrite<T>[])[] {
  const groups = new Map<string, RowWrite<T>[]>();
  for (const write of writes) {
    const key = `${write.method}:${write.object}:${write.keyField ?? ''}`;
    const group = groups.get(key);
    if (group) group.push(write);
    else groups.set(key, [write]);
  }
  return [...groups.values()].flatMap((group) => {
    // Rows of one parent stay together: two chunks that touch one account would fight for its lock.
    const sorted = group.toSorted((a, b) =>
      compare(String(a.fields.AccountId ?? ''), String(b.fields.AccountId ?? '')),
    );
    return Array.from({ length: Math.ceil(sorted.length / chunk) }, (_, at) =>
      sorted.slice(at * chunk, (at + 1) * chunk),
    );
  });
}

/** At most five parts in one API call; one outcome per row, by its place. Throws when the whole call failed. */
export async function sendParts<T>(
  org: SyncOrg,
  parts: readonly (readonly RowWrite<T>[])[],
  { allowDuplicates = false } = {},
): Promise<readonly RowOutcome<T>[]> {
  const headers = allowDuplicates ? { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } : {};
  const answers = await org.composite(parts.map((part, index) => ({ ...toRequest(part, index), headers })));
  return parts.flatMap((part, index) => {
    const answer = answers[index];
    return part.map((write, at) => toOutcome(org, write, answer, at));
  });
}

function toRequest<T>(part: readonly RowWrite<T>[], index: number): CompositeRequest {
  const [first] = part;
  if (!first) throw new TypeError('An empty part has nothing to send.');
  const { method, object, keyField } = first;
  const id = `w${index}`;
  if (method === 'delete') {
    return {
      method: 'DELETE',
      id,
      path: `/composite/sobjects?ids=${part.map((write) => write.id).join(',')}&allOrNone=false`,
    };
  }
  const records = part.map((write) => ({
    attributes: { type: object },
    ...(method === 'update' ? { id: write.id } : {}),
    ...(method === 'upsert' && keyField ? { [keyField]: write.id } : {}),
    ...write.fields,
  }));
  const path = method === 'upsert' ? `/composite/sobjects/${object}/${keyField}` : '/composite/sobjects';
  return { method: method === 'create' ? 'POST' : 'PATCH', id, path, body: { allOrNone: false, records } };
}

function toOutcome<T>(
  org: Pick<SyncOrg, 'refusal'>,
  write: RowWrite<T>,
  answer: CompositeAnswer | undefined,
  at: number,
): RowOutcome<T> {
  const body = answer?.body;
  const row: unknown = Array.isArray(body) ? (answer && answer.status < 300 ? body[at] : undefined) : undefined;
  if (isObject(row) && row.success === true) {
    const isCreated = write.method === 'create' || row.created === true;
    return { item: write.item, id: typeof row.id === 'string' ? row.id : write.id, isCreated, failure: undefined };
  }
  // A refused part refuses each of its rows in the same words.
  const failure = org.refusal({ status: answer?.status ?? 200, body: isObject(row) ? row.errors : body });
  return { item: write.item, id: write.id, isCreated: false, failure };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
