/** CSV as Bulk API 2.0 reads and writes it. */

export interface CsvRow {
  readonly cells: readonly string[];
  /** Where the next row begins. */
  readonly end: number;
}

/** One row from `at` on; undefined at the end, or `broken` where a quote is never closed or stands in the middle of a value. */
export function readRow(text: string, at: number, delimiter: string): CsvRow | 'broken' | undefined {
  if (at >= text.length) return undefined;
  const cells: string[] = [];
  let from = at;
  for (;;) {
    let cell = '';
    if (text[from] === '"') {
      let close = text.indexOf('"', from + 1);
      while (close !== -1 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
      if (close === -1) return 'broken';
      cell = text.slice(from + 1, close).replaceAll('""', '"');
      from = close + 1;
    } else {
      const start = from;
      while (from < text.length && text[from] !== delimiter && text[from] !== '\n' && text[from] !== '"') from++;
      if (text[from] === '"') return 'broken';
      cell = text.slice(start, from);
      if (cell.endsWith('\r') && (from >= text.length || text[from] === '\n')) cell = cell.slice(0, -1);
    }
    cells.push(cell);
    if (text[from] === '\r' && text[from + 1] === '\n') from++;
    if (from >= text.length || text[from] === '\n') return { cells, end: from + 1 };
    if (text[from] !== delimiter) return 'broken';
    from++;
  }
}

export const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;

export const delimiters: Readonly<Record<string, string>> = {
  BACKQUOTE: '`',
  CARET: '^',
  COMMA: ',',
  PIPE: '|',
  SEMICOLON: ';',
  TAB: '\t',
};

export const lineEndings: Readonly<Record<string, string>> = { LF: '\n', CRLF: '\r\n' };

/** The same for one seed, in every process: results do not come in the order of the upload. */
export function shuffled<T>(items: readonly T[], seed: string): T[] {
  const all = [...items];
  let state = [...seed].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7);
  for (let at = all.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (at + 1);
    // Both places are inside the list.
    [all[at], all[other]] = [all[other] as T, all[at] as T];
  }
  return all;
}
