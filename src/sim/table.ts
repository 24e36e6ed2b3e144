/** The records of one object, with hash indexes and one ordered by SystemModstamp; each is built when first asked for. */
import type { Field } from './schema/field.ts';

export type Value = string | number | boolean | null;

/** A stored record. Nulls are left out; a deleted record stays, marked. */
export interface Row {
  readonly Id: string;
  readonly IsDeleted: boolean;
  readonly SystemModstamp: string;
  readonly [field: string]: Value | undefined;
}

type Index = Map<string, Set<string>>;

export class Table {
  #rows = new Map<string, Row>();
  #lastId = '';
  #isInOrder = true;
  readonly #indexes = new Map<string, { field: Field; index: Index }>();
  #stamped: Row[] | undefined;
  #isStampedSorted = true;

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  /** In order of Id, whatever order they were read or written in: so every process answers alike. */
  all(): Iterable<Row> {
    if (!this.#isInOrder) {
      this.#rows = new Map([...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1)));
      this.#isInOrder = true;
    }
    return this.#rows.values();
  }

  put(row: Row): void {
    const before = this.#rows.get(row.Id);
    this.#rows.set(row.Id, row);
    if (!before) {
      if (row.Id < this.#lastId) this.#isInOrder = false;
      else this.#lastId = row.Id;
    }
    for (const { field, index } of this.#indexes.values()) {
      if (before) indexRemove(index, field, before);
      indexAdd(index, field, row);
    }
    this.#stamp(row);
  }

  remove(id: string): void {
    const before = this.#rows.get(id);
    if (!before) return;
    this.#rows.delete(id);
    for (const { field, index } of this.#indexes.values()) indexRemove(index, field, before);
  }

  /** Rows whose field equals the value, as SOQL compares: without case, unless the field minds it. */
  where(field: Field, value: Value): Row[] {
    if (field.type === 'id') return this.#pick(typeof value === 'string' ? [value] : []);
    return this.#pick(this.#index(field).get(indexKey(field, value)) ?? []);
  }

  /** Rows stamped within [from, to], in order of SystemModstamp and Id. */
  stampedBetween(from: string, to: string): Row[] {
    const stamped = this.#sortedStamps();
    const found: Row[] = [];
    for (let at = firstNotBefore(stamped, from); at < stamped.length; at++) {
      const row = stamped[at];
      if (!row || row.SystemModstamp > to) break;
      // A row that was written again left its old entry behind.
      if (this.#rows.get(row.Id) === row) found.push(row);
    }
    return found;
  }

  #pick(ids: Iterable<string>): Row[] {
    const rows: Row[] = [];
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row) rows.push(row);
    }
    return rows;
  }

  #index(field: Field): Index {
    const known = this.#indexes.get(field.name);
    if (known) return known.index;
    const index: Index = new Map();
    for (const row of this.#rows.values()) indexAdd(index, field, row);
    this.#indexes.set(field.name, { field, index });
    return index;
  }

  #stamp(row: Row): void {
    if (!this.#stamped) return;
    const last = this.#stamped[this.#stamped.length - 1];
    if (last && byStamp(last, row) > 0) this.#isStampedSorted = false;
    this.#stamped.push(row);
    if (this.#stamped.length > 2 * this.#rows.size + 1000) this.#stamped = undefined;
  }

  #sortedStamps(): Row[] {
    if (!this.#stamped) {
      this.#stamped = [...this.#rows.values()];
      this.#isStampedSorted = false;
    }
    if (!this.#isStampedSorted) this.#stamped.sort(byStamp);
    this.#isStampedSorted = true;
    return this.#stamped;
  }
}

export function indexKey(field: Field, value: Value): string {
  return field.isCaseSensitive || field.type === 'reference' ? String(value) : String(value).toLowerCase();
}

function indexAdd(index: Index, field: Field, row: Row): void {
  const key = indexKey(field, row[field.name] ?? null);
  const ids = index.get(key);
  if (ids) ids.add(row.Id);
  else index.set(key, new Set([row.Id]));
}

function indexRemove(index: Index, field: Field, row: Row): void {
  const key = indexKey(field, row[field.name] ?? null);
  const ids = index.get(key);
  ids?.delete(row.Id);
  if (ids?.size === 0) index.delete(key);
}

export function byStamp(a: Row, b: Row): number {
  if (a.SystemModstamp !== b.SystemModstamp) return a.SystemModstamp < b.SystemModstamp ? -1 : 1;
  return a.Id < b.Id ? -1 : a.Id > b.Id ? 1 : 0;
}

function firstNotBefore(rows: readonly Row[], from: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.SystemModstamp ?? '') < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
