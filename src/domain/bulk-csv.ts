import type { FieldValue } from './action.ts';
import { GatehouseError } from './errors.ts';

/** CSV as Bulk API 2.0 takes it: UTF-8 without a byte order mark, LF, commas. */

/** In the order of the columns; undefined leaves the field as it is, null empties it. */
export type Cells = readonly (FieldValue | undefined)[];

/** What Salesforce takes of a cell, a row and a header. */
const MOST_CELL = 131_072;
export const MOST_ROW = 400_000;
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

/** The rows as one upload, made while it is read; a lone half of a character becomes U+FFFD, as in every UTF-8. */
export function csvOf(
  columns: readonly string[],
  rows: AsyncIterable<Cells> | Iterable<Cells>,
): ReadableStream<Uint8Array> {
  const header = `${columns.join(',')}\n`;
  if (columns.some((name) => !COLUMN.test(name))) throw new TypeError('A column is a field, or a field of a parent.');
  if (header.length > MOST_HEADER) throw tooLong('The header of the rows is too long for Bulk API.');
  const lines = encoded(header, rows);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk: Uint8Array[] = [];
      for (let size = 0; size < CHUNK_BYTES; ) {
        const line = await lines.next();
        if (line.done) {
          if (chunk.length > 0) controller.enqueue(Buffer.concat(chunk));
          controller.close();
          return;
        }
        chunk.push(line.value);
        size += line.value.length;
      }
      controller.enqueue(Buffer.concat(chunk));
    },
    async cancel() {
      await lines.return(undefined);
    },
  });
}

const COLUMN = /^(?:\w+:)?[A-Za-z]\w*(?:\.[A-Za-z]\w*)?$/;

async function* encoded(
  header: string,
  rows: AsyncIterable<Cells> | Iterable<Cells>,
): AsyncGenerator<Uint8Array, undefined> {
  yield Buffer.from(header);
  for await (const row of rows) yield Buffer.from(toLine(row));
  return undefined;
}

const tooLong = (message: string) =>
  new GatehouseError('invalid_input', message, { next: 'Shorten the value, or send this record by itself.' });
