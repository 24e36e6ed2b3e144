import { pipeline, Readable } from 'node:stream';
import type { FieldValue } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { unreadable } from '../transport/failures.ts';

/** CSV as Bulk API 2.0 takes and gives it: UTF-8 without a byte order mark, LF, commas. */

/** In the order of the columns; undefined leaves the field as it is, null empties it. */
export type Cells = readonly (FieldValue | undefined)[];

/** What one job takes: 150 MB once base64 has made a third more of it, with room to spare. */
export interface PartLimits {
  readonly bytes: number;
  readonly rows: number;
}
export const PART_LIMITS: PartLimits = { bytes: 90_000_000, rows: 400_000 };

/** What Salesforce takes of a cell, a row and a header. */
const MOST_CELL = 131_072;
const MOST_ROW = 400_000;
const MOST_HEADER = 32_000;
const CHUNK_BYTES = 64 * 1024;

/** Salesforce's word for null, quoted or not: as a text of somebody's it cannot be sent. */
const NULL = '#N/A';

export const isSendable = (value: FieldValue | undefined): boolean => value !== NULL;

/** The cells as one line. An empty cell means untouched, so an empty text goes as null: which is what Salesforce makes of it. */
export function toLine(cells: Cells): string {
  const line = `${cells.map(toCell).join(',')}\n`;
  if (line.length > MOST_ROW) throw tooLong(`A row has ${line.length} characters; Bulk API takes ${MOST_ROW}.`);
  return line;
}

function toCell(value: FieldValue | undefined): string {
  if (value === undefined) return '';
  if (value === null || value === '') return NULL;
  if (!isSendable(value))
    throw new GatehouseError('invalid_input', `The text "${NULL}" means "empty" in Bulk API: it cannot be sent so.`, {
      next: 'Send this record by itself.',
    });
  // A carriage return inside a value trips the check of line endings, which costs the whole job.
  const text = String(value).replace(/\r\n?/g, '\n');
  if (text.length > MOST_CELL) throw tooLong(`A value has ${text.length} characters; Bulk API takes ${MOST_CELL}.`);
  return `"${text.replaceAll('"', '""')}"`;
}

/**
 * The rows as uploads that one job each takes, made while they are read. A part is read to its end before the next one is asked for; a
 * lone half of a character becomes U+FFFD, as in every UTF-8.
 */
export async function* csvParts(
  columns: readonly string[],
  rows: AsyncIterable<Cells> | Iterable<Cells>,
  limits: PartLimits = PART_LIMITS,
): AsyncGenerator<ReadableStream<Uint8Array>> {
  const header = `${columns.join(',')}\n`;
  if (columns.some((name) => !COLUMN.test(name))) throw new TypeError('A column is a field, or a field of a parent.');
  if (header.length > MOST_HEADER) throw tooLong('The header of the rows is too long for Bulk API.');
  const lines = encoded(rows);
  let held = await lines.next();
  while (!held.done) {
    let count = 0;
    let bytes = header.length;
    let isRead = false;
    yield new ReadableStream<Uint8Array>({
      async pull(controller) {
        const chunk: Uint8Array[] = count === 0 ? [Buffer.from(header)] : [];
        for (let size = 0; size < CHUNK_BYTES; ) {
          const isFull = !held.done && count > 0 && (count >= limits.rows || bytes + held.value.length > limits.bytes);
          if (held.done || isFull) {
            isRead = true;
            break;
          }
          chunk.push(held.value);
          size += held.value.length;
          bytes += held.value.length;
          count++;
          held = await lines.next();
        }
        if (chunk.length > 0) controller.enqueue(Buffer.concat(chunk));
        if (isRead) controller.close();
      },
    });
    if (!isRead) throw new TypeError('A part is read to its end before the next one.');
  }
}

const COLUMN = /^(?:\w+:)?[A-Za-z]\w*(?:\.[A-Za-z]\w*)?$/;

async function* encoded(rows: AsyncIterable<Cells> | Iterable<Cells>): AsyncGenerator<Uint8Array, undefined> {
  for await (const row of rows) yield Buffer.from(toLine(row));
  return undefined;
}

/** Rows of a result file by the names of its header. A file that is cut, or that names a column twice, is refused loudly. */
export async function* readCsv(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Readonly<Record<string, string>>> {
  const { CsvError, parse } = await import('csv-parse');
  const parser = parse({ bom: true, max_record_size: 4 * MOST_ROW });
  pipeline(Readable.from(bytes), parser, () => {});
  let header: readonly string[] | undefined;
  try {
    for await (const cells of parser as AsyncIterable<readonly string[]>) {
      if (header) {
        const names = header;
        yield Object.fromEntries(cells.map((cell, at) => [names[at] ?? '', cell]));
      } else {
        header = cells;
        // The later of two would hide the other.
        if (new Set(cells.map((name) => name.toLowerCase())).size < cells.length) throw unreadable(false);
      }
    }
  } catch (error) {
    throw error instanceof CsvError ? unreadable(false) : error;
  }
}

const tooLong = (message: string) =>
  new GatehouseError('invalid_input', message, { next: 'Shorten the value, or send this record by itself.' });
