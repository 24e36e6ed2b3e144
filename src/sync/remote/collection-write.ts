import type { FieldValue } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { CollectionPart, RowOutcome as Sent } from '../../ports/salesforce.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import { isSystemic } from './trouble.ts';

/** One row of a batch. Creates go by our external id where the org has it, so that a repeat finds itself. */
export interface RowWrite<T> {
  readonly item: T;
  readonly method: CollectionPart['method'];
  readonly object: string;
  readonly id: string;
  readonly keyField?: string | undefined;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

export interface RowOutcome<T> extends Sent {
  readonly item: T;
}

/** Who sends: told of each call, and asked before it. */
export interface Sender {
  readonly onCall: () => void;
  readonly mayGoOn: () => Promise<boolean>;
}

type CollectionOrg = Pick<SyncOrg, 'collections' | 'refusal'>;

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

export interface PartsSent<T> {
  /** What has none was not sent, or its answer is lost. */
  readonly outcomes: readonly RowOutcome<T>[];
  /** What ended it early, thrown once the outcomes are written down: they are the only word of what stands in the org by now. */
  readonly trouble: unknown;
}

type Answer = readonly Sent[] | Refusal;

/**
 * One outcome per row, by its place: five parts an API call. A part that is refused as a whole is made smaller until the row that
 * is why stands alone; one that may be done in spite of its answer is never sent again from here. What was not sent, because the sender
 * may not go on, has no outcome.
 */
export async function sendParts<T>(
  org: CollectionOrg,
  parts: readonly (readonly RowWrite<T>[])[],
  sender: Sender,
  options?: { readonly allowDuplicates: boolean },
): Promise<PartsSent<T>> {
  const outcomes: RowOutcome<T>[] = [];
  let splits = 0;
  let trouble: unknown;
  for (let open = parts; open.length > 0 && trouble === undefined; ) {
    const now = open.slice(0, PARTS_PER_CALL);
    const smaller: (readonly RowWrite<T>[])[] = [];
    const answers: Answer[] = [];
    await send(org, now, options, sender, answers).catch((error: unknown) => {
      trouble = error;
    });
    for (const [index, answer] of answers.entries()) {
      const part = now[index] ?? [];
      if ('then' in answer && mayRepeat(answer) && part.length > 1 && splits < MOST_SPLITS) {
        splits++;
        const half = Math.ceil(part.length / 2);
        smaller.push(part.slice(0, half), part.slice(half));
        continue;
      }
      for (const [at, { item, id }] of part.entries()) {
        // A refused part refuses each of its rows in the same words.
        const outcome = 'then' in answer ? { id, isCreated: false, failure: answer } : answer[at];
        if (outcome) outcomes.push({ item, ...outcome });
      }
    }
    open = [...smaller, ...open.slice(PARTS_PER_CALL)];
  }
  return { outcomes, trouble };
}

/** Whether the same may be sent again at once, in another form: it was surely not done, and it says something about the rows. */
const mayRepeat = ({ then, mayBeDone }: Refusal): boolean =>
  mayBeDone !== true && then !== 'retry' && then !== 'wait' && then !== 'reread';

/** Where the org refuses the call as a whole, each part is sent by itself; not where it may have done them all the same. */
async function send<T>(
  org: CollectionOrg,
  parts: readonly (readonly RowWrite<T>[])[],
  options: { readonly allowDuplicates: boolean } | undefined,
  sender: Sender,
  answers: Answer[],
): Promise<void> {
  if (!(await sender.mayGoOn())) return;
  sender.onCall();
  try {
    answers.push(...(await org.collections.send(parts.map(toCollection), options)));
  } catch (error) {
    if (!(error instanceof GatehouseError) || isSystemic(error)) throw error;
    const refusal = org.refusal(error);
    if (parts.length === 1 || refusal.mayBeDone === true) answers.push(...parts.map(() => refusal));
    else for (const part of parts) await send(org, [part], options, sender, answers);
  }
}

function toCollection<T>(part: readonly RowWrite<T>[]): CollectionPart {
  const [first] = part;
  if (!first) throw new TypeError('An empty part has nothing to send.');
  const { method, object, keyField } = first;
  return { method, object, keyField, rows: part.map(({ id, fields }) => ({ id, fields })) };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
