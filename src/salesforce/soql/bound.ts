import { type Count, type Operand, type Query, sameMeaning } from './ast.ts';
import { isAggregate } from './functions.ts';
import { isBareCount } from './names.ts';
import { SoqlRefusal } from './refusal.ts';

/**
 * No query leaves without a LIMIT that the policy can bear. The text itself is edited, then read again: what is sent is
 * the model's own query with other row counts, and nothing else.
 */
interface Bounds {
  readonly maxRows: number;
  readonly maxChildRows: number;
  readonly maxOffset: number;
  readonly maxLength: number;
}

export interface Bounded {
  readonly send: string;
  readonly query: Query;
  /** The most rows the outer query can bring; `null` where it counts instead. */
  readonly rowCap: number | null;
}

export function bound(source: string, query: Query, bounds: Bounds, read: (text: string) => Query): Bounded {
  const edits = [...editsOf(query, bounds)].sort((a, b) => a.at - b.at);
  if (edits.length === 0) return { send: source, query, rowCap: capOf(query) };
  const send = apply(source, edits);
  if (send.length > bounds.maxLength) {
    throw new SoqlRefusal(
      'too_long',
      source.length,
      'With its LIMIT this query is too long.',
      'Write a shorter query.',
    );
  }
  const again = read(send);
  if (!sameMeaning(query, again) || !editsOf(again, bounds).next().done) throw lost();
  return { send, query: again, rowCap: capOf(again) };
}

/** Salesforce takes no more than this beside FIELDS(ALL) and FIELDS(CUSTOM). */
const MAX_FIELDS_ROWS = 200;

interface Edit {
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

function* editsOf(query: Query, bounds: Bounds, isChild = false): Generator<Edit> {
  const cap = isChild ? bounds.maxChildRows : bounds.maxRows;
  if (query.offset !== undefined && query.offset.value > bounds.maxOffset)
    throw offsetTooLarge(query.offset, bounds.maxOffset);
  if (isChild || !bringsOneRow(query))
    yield* limitEdit(query, query.select.some(isWideSet) ? Math.min(cap, MAX_FIELDS_ROWS) : cap);
  for (const item of query.select) if (item.kind === 'query') yield* editsOf(item.query, bounds, true);
}

function* limitEdit({ limit, limitAt }: Query, cap: number): Generator<Edit> {
  if (limit === undefined) yield { at: limitAt, end: limitAt, text: ` LIMIT ${cap}` };
  else if (limit.value > cap) yield { at: limit.at, end: limit.end, text: String(cap) };
}

function isWideSet(item: Query['select'][number]): boolean {
  return item.kind === 'fields' && item.set !== 'STANDARD';
}

/** COUNT() and ungrouped aggregates answer one number, and a LIMIT would falsify it. */
function bringsOneRow(query: Query): boolean {
  return query.groupBy === undefined && query.select.every((item) => item.kind === 'value' && aggregates(item.value));
}

/** Also FORMAT(MIN(CloseDate)). */
function aggregates(value: Operand): boolean {
  return value.kind === 'call' && (isAggregate(value.name) || value.args.some(aggregates));
}

export function isCount({ select: [only] }: Query): boolean {
  return only?.kind === 'value' && isBareCount(only.value);
}

export function isAggregated(query: Query): boolean {
  return query.groupBy !== undefined || bringsOneRow(query);
}

function capOf(query: Query): number | null {
  return bringsOneRow(query) ? null : (query.limit?.value ?? null);
}

function apply(source: string, edits: readonly Edit[]): string {
  let text = '';
  let at = 0;
  for (const edit of edits) {
    text += source.slice(at, edit.at) + edit.text;
    at = edit.end;
  }
  return text + source.slice(at);
}

function offsetTooLarge({ at }: Count, maxOffset: number): SoqlRefusal {
  return new SoqlRefusal(
    'offset_too_large',
    at,
    `OFFSET may be at most ${maxOffset}.`,
    'Narrow the query with WHERE instead of skipping rows.',
  );
}

function lost(): SoqlRefusal {
  return new SoqlRefusal(
    'internal_guard',
    0,
    'The bounded query would not say the same.',
    'Write LIMIT at the end of each query yourself.',
  );
}
