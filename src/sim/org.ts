/**
 * The org's memory: records and facts, held by this process and kept in step with others by the journal.
 * Everything in here is synchronous, so whatever runs inside one journal transaction is one atomic step.
 */
import { toDatetime } from './datetimes.ts';
import { defaultSettings, type Facts, type Settings } from './facts.ts';
import { mintId } from './ids.ts';
import type { Schema } from './schema/object.ts';
import { orgSchema } from './schema/org-schema.ts';
import { type Row, Table } from './table.ts';

/** One durable line: a record (kind is the object's name) or a fact; no value means it was removed. */
export interface Entry {
  readonly kind: string;
  readonly id: string;
  readonly value: unknown;
}

/** A record as it was and as it became. */
export interface RecordChange {
  readonly object: string;
  readonly before: Row | undefined;
  readonly after: Row;
}

/** Users and queues. */
const lasting: ReadonlySet<string> = new Set(['005', '00G']);

export class Org {
  readonly #baseNow: () => number;
  readonly #tables = new Map<string, Table>();
  readonly #facts = new Map<string, Map<string, unknown>>();
  readonly #dirty = new Map<string, { kind: string; id: string }>();
  #undo: (() => void)[] = [];
  #changes: RecordChange[] = [];
  #isCleared = false;
  #schema: { settings: Settings; schema: Schema } | undefined;
  #settings: { kept: Settings; whole: Settings } | undefined;
  /** Rows that queries looked at since the last call was logged. */
  examined = 0;

  constructor(now: () => number) {
    this.#baseNow = now;
  }

  now(): number {
    return this.#baseNow() + this.settings.clockOffsetMs;
  }

  stamp(): string {
    return toDatetime(this.now());
  }

  get settings(): Settings {
    const kept = this.fact('settings', 'org');
    if (kept === undefined) return defaultSettings;
    // A file of an earlier version does not name what has come since.
    if (this.#settings?.kept !== kept) this.#settings = { kept, whole: { ...defaultSettings, ...kept } };
    return this.#settings.whole;
  }

  get schema(): Schema {
    const { settings } = this;
    if (this.#schema?.settings !== settings) this.#schema = { settings, schema: orgSchema(settings) };
    return this.#schema.schema;
  }

  table(object: string): Table {
    const known = this.#tables.get(object);
    if (known) return known;
    const table = new Table();
    this.#tables.set(object, table);
    return table;
  }

  row(object: string, id: string): Row | undefined {
    return this.table(object).get(id);
  }

  saveRow(object: string, row: Row): void {
    const table = this.table(object);
    const before = table.get(row.Id);
    this.#undo.push(() => (before ? table.put(before) : table.remove(row.Id)));
    table.put(row);
    this.#changes.push({ object, before, after: row });
    this.#undo.push(() => this.#changes.pop());
    this.#touch(object, row.Id);
  }

  /** The changes since the last look, in their order: what change events are made of. */
  takeRecordChanges(): readonly RecordChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** Ids and automatic numbers come from counters, so that processes never mint the same one. */
  count(name: string): number {
    const next = (this.fact('counter', name) ?? 0) + 1;
    this.keep('counter', name, next);
    return next;
  }

  mint(keyPrefix: string): string {
    // A reset begins a new range, so that an old link never points at another record; logins outlive it, and so do users.
    const range = lasting.has(keyPrefix) ? 0 : (this.fact('counter', 'epoch') ?? 1) - 1;
    return mintId(keyPrefix, this.count(keyPrefix), range);
  }

  fact<K extends keyof Facts>(kind: K, id: string): Facts[K] | undefined {
    // The map of a kind only ever receives that kind's values: from keep(), or read back from the journal.
    return this.#facts.get(kind)?.get(id) as Facts[K] | undefined;
  }

  facts<K extends keyof Facts>(kind: K): Facts[K][] {
    // As in fact().
    return [...(this.#facts.get(kind)?.values() ?? [])] as Facts[K][];
  }

  factEntries<K extends keyof Facts>(kind: K): [string, Facts[K]][] {
    // As in fact().
    return [...(this.#facts.get(kind)?.entries() ?? [])] as [string, Facts[K]][];
  }

  keep<K extends keyof Facts>(kind: K, id: string, value: Facts[K]): void {
    this.#set(kind, id, value);
  }

  forget(kind: keyof Facts, id: string): void {
    this.#set(kind, id, undefined);
  }

  /** For a write that fails half-way (allOrNone): everything since the mark is taken back. */
  mark(): number {
    return this.#undo.length;
  }

  rollback(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /** Forgets all; what is written next is a new beginning for every process. */
  clear(): void {
    this.#tables.clear();
    this.#facts.clear();
    this.#undo = [];
    this.#changes = [];
    this.#dirty.clear();
    this.#isCleared = true;
  }

  /** From the journal: what another process wrote, or what was there before we opened. */
  apply({ kind, id, value }: Entry): void {
    if (/^[A-Z]/.test(kind)) {
      // Rows are written by saveRow() only, so what comes back is a Row.
      if (value !== undefined) this.table(kind).put(value as Row);
      else this.table(kind).remove(id);
    } else this.#factsOf(kind, id, value);
  }

  /** What must be made durable, and whether all before it is void. Calling it starts the next step. */
  takeChanges(): { isCleared: boolean; entries: Entry[] } {
    const entries = [...this.#dirty.values()].map(({ kind, id }) => ({
      kind,
      id,
      value: /^[A-Z]/.test(kind) ? this.row(kind, id) : this.#facts.get(kind)?.get(id),
    }));
    const isCleared = this.#isCleared;
    this.#isCleared = false;
    this.#dirty.clear();
    this.#undo = [];
    return { isCleared, entries };
  }

  #set(kind: string, id: string, value: unknown): void {
    const before = this.#facts.get(kind)?.get(id);
    this.#undo.push(() => this.#factsOf(kind, id, before));
    this.#factsOf(kind, id, value);
    this.#touch(kind, id);
  }

  #factsOf(kind: string, id: string, value: unknown): void {
    const facts = this.#facts.get(kind) ?? new Map<string, unknown>();
    this.#facts.set(kind, facts);
    if (value === undefined) facts.delete(id);
    else facts.set(id, value);
  }

  #touch(kind: string, id: string): void {
    this.#dirty.set(`${kind}/${id}`, { kind, id });
  }
}
