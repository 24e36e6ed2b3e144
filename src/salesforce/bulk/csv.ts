import { pipeline, Readable } from 'node:stream';
import { MOST_ROW } from '../../domain/bulk-csv.ts';
import { unreadable } from '../transport/failures.ts';

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
