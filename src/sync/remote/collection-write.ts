import type { FieldValue } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { isRecord } from '../../domain/is-record.ts';
import type { CompositeAnswer, CompositeRequest, Refusal } from '../../ports/salesforce.ts';
import type { SyncOrg } from '../../ports/sync-store.ts';
import { isSystemic } from './trouble.ts';

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

/** How often refused parts are cut in two in one go: enough to find one bad row among two hundred. */
const MOST_SPLITS = 24;

/**
 * One outcome per row, by its place: five parts an API call. A part that is refused as a whole is made smaller until the row that
 * is why stands alone. Throws when nothing can be said about any record.
 */
export async function sendParts<T>(
  org: Pick<SyncOrg, 'composite' | 'refusal'>,
  parts: readonly (readonly RowWrite<T>[])[],
  onCall: () => void,
  { allowDuplicates = false } = {},
): Promise<readonly RowOutcome<T>[]> {
  const headers: Record<string, string> = allowDuplicates ? { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } : {};
  const outcomes: RowOutcome<T>[] = [];
  let splits = 0;
  let open = parts;
  while (open.length > 0) {
    const now = open.slice(0, PARTS_PER_CALL);
    const smaller: (readonly RowWrite<T>[])[] = [];
    const answers = await send(org, now, headers, onCall);
    now.forEach((part, index) => {
      const answer = answers[index];
      const refused = answer && 'then' in answer ? answer : refusalOfPart(org, answer);
      const isPassing = refused?.then === 'retry' || refused?.then === 'wait' || refused?.then === 'reread';
      if (refused && !isPassing && part.length > 1 && splits < MOST_SPLITS) {
        splits++;
        const half = Math.ceil(part.length / 2);
        smaller.push(part.slice(0, half), part.slice(half));
      } else for (const [at, write] of part.entries()) outcomes.push(toOutcome(org, write, refused ?? answer, at));
    });
    open = [...smaller, ...open.slice(PARTS_PER_CALL)];
  }
  return outcomes;
}

/** Where the org refuses the call as a whole, each part is sent by itself. */
async function send<T>(
  org: Pick<SyncOrg, 'composite' | 'refusal'>,
  parts: readonly (readonly RowWrite<T>[])[],
  headers: Readonly<Record<string, string>>,
  onCall: () => void,
): Promise<readonly (CompositeAnswer | Refusal)[]> {
  onCall();
  try {
    return await org.composite(parts.map((part, index) => ({ ...toRequest(part, index), headers })));
  } catch (error) {
    if (!(error instanceof GatehouseError) || isSystemic(error)) throw error;
    if (parts.length === 1) return [org.refusal(error)];
    const answers: (CompositeAnswer | Refusal)[] = [];
    for (const part of parts) answers.push(...(await send(org, [part], headers, onCall)));
    return answers;
  }
}

function refusalOfPart(org: Pick<SyncOrg, 'refusal'>, answer: CompositeAnswer | undefined): Refusal | undefined {
  return answer !== undefined && answer.status < 300 && Array.isArray(answer.body)
    ? undefined
    : org.refusal({ status: answer?.status ?? 500, body: answer?.body ?? [] });
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
  answer: CompositeAnswer | Refusal | undefined,
  at: number,
): RowOutcome<T> {
  const failed = { item: write.item, id: write.id, isCreated: false };
  // A refused part refuses each of its rows in the same words.
  if (answer && 'then' in answer) return { ...failed, failure: answer };
  const row: unknown = Array.isArray(answer?.body) ? answer.body[at] : undefined;
  if (isRecord(row) && row.success === true) {
    const isCreated = write.method === 'create' || row.created === true;
    return { item: write.item, id: typeof row.id === 'string' ? row.id : write.id, isCreated, failure: undefined };
  }
  return { ...failed, failure: org.refusal({ status: 200, body: isRecord(row) ? row.errors : [] }) };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
