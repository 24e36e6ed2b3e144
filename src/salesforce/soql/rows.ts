import { isRecord } from '../../domain/is-record.ts';

/**
 * Salesforce's records made fit for a model: flat, without `attributes` and nulls, cut to a size. What a record says is
 * data written by strangers, so every text and every name passes `clean` (which caps and strips it) before it is shown.
 */
interface ShapeOptions {
  /** `concise` shows a few child records of each row, `detailed` all that came. */
  readonly format: 'concise' | 'detailed';
  /** Of the rows as JSON in UTF-8. */
  readonly maxBytes: number;
  readonly clean: (text: string) => string;
}

interface ShapedRows {
  readonly rows: Row[];
  readonly returned: number;
  /** Whether rows or child rows were left out. */
  readonly cut: boolean;
}

export type Row = { [column: string]: Cell };
export type Cell = string | number | boolean | Row | Row[];

const CONCISE_CHILDREN = 5;
const MAX_DEPTH = 6;

export function shapeRows(records: readonly unknown[], options: ShapeOptions): ShapedRows {
  const shaper = new Shaper(options);
  const rows: Row[] = [];
  // Brackets; each row adds itself and a comma.
  let bytes = 2;
  for (const record of records) {
    const row = shaper.row(record);
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > options.maxBytes) return { rows, returned: rows.length, cut: true };
    rows.push(row);
  }
  return { rows, returned: rows.length, cut: shaper.hasCut };
}

class Shaper {
  hasCut = false;
  readonly #options: ShapeOptions;

  constructor(options: ShapeOptions) {
    this.#options = options;
  }

  row(record: unknown): Row {
    const row: Row = {};
    this.#fill(row, record, '', 0);
    return row;
  }

  #fill(row: Row, record: unknown, path: string, depth: number): void {
    if (!isRecord(record)) return;
    for (const [name, value] of Object.entries(record)) {
      if (name === 'attributes' || value === null || value === undefined) continue;
      this.#cell(row, path + this.#options.clean(name), value, depth);
    }
  }

  #cell(row: Row, column: string, value: unknown, depth: number): void {
    if (typeof value === 'string') put(row, column, this.#options.clean(value));
    else if (typeof value === 'number' || typeof value === 'boolean') put(row, column, value);
    else if (depth >= MAX_DEPTH) this.hasCut = true;
    else if (isRecord(value) && Array.isArray(value.records)) this.#children(row, column, value, depth);
    // A parent (Account.Name), and a compound value such as an address (MailingAddress.city).
    else this.#fill(row, value, `${column}.`, depth + 1);
  }

  #children(row: Row, column: string, value: Readonly<Record<string, unknown>>, depth: number): void {
    const records: readonly unknown[] = Array.isArray(value.records) ? value.records : [];
    const shown = this.#options.format === 'concise' ? records.slice(0, CONCISE_CHILDREN) : records;
    const total = typeof value.totalSize === 'number' ? value.totalSize : records.length;
    if (total > shown.length) this.hasCut = true;
    if (shown.length === 0) return;
    const children = shown.map((record) => {
      const child: Row = {};
      this.#fill(child, record, '', depth + 1);
      return child;
    });
    put(row, column, children);
    if (total > shown.length) put(row, `${column}.total`, total);
  }
}

/** `__proto__` is a name like any other here, not a door. */
function put(row: Row, column: string, value: Cell): void {
  Object.defineProperty(row, column, { value, enumerable: true, configurable: true, writable: true });
}
