/** Query answers and their pages. A locator keeps the ids of the whole answer; records are shown as they are by then. */

import { refuse } from '../refusal.ts';
import type { Locator } from './locator.ts';
import { type Asking, runQuery, showerOf } from './run.ts';

export interface Page {
  readonly totalSize: number;
  readonly done: boolean;
  readonly nextRecordsUrl?: string;
  readonly records: readonly unknown[];
}

const maxPage = 2000;
const longTextPage = 1000;
const openLocators = 10;

export function firstPage(asking: Asking, soql: string, includesDeleted: boolean, batchSize: number | undefined): Page {
  const answer = runQuery(asking, soql, includesDeleted);
  if (answer.kind === 'count') return { totalSize: answer.count, done: true, records: [] };
  if (answer.kind === 'groups') return { totalSize: answer.groups.length, done: true, records: answer.groups };
  const { rows, show } = answer;
  const pageSize = Math.min(Math.max(batchSize ?? maxPage, 200), answer.hasLongText ? longTextPage : maxPage);
  if (rows.length <= pageSize) return { totalSize: rows.length, done: true, records: rows.map(show) };
  const locator: Locator = {
    id: asking.org.mint('0r8'),
    userId: asking.userId,
    soql,
    ids: rows.map((row) => row.Id),
    pageSize,
  };
  keepLocator(asking, locator);
  return pageOf(asking, locator, answer, 0);
}

export function nextPage(asking: Asking, cursor: string): Page {
  const [id = '', offset] = cursor.split('-');
  const locator = asking.org.fact('locator', id);
  const from = Number(offset);
  if (
    !locator ||
    locator.userId !== asking.userId ||
    !Number.isInteger(from) ||
    from < 0 ||
    from > locator.ids.length
  ) {
    throw refuse(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
  }
  return pageOf(asking, locator, showerOf(asking, locator.soql), from);
}

function pageOf(asking: Asking, locator: Locator, shower: ReturnType<typeof showerOf>, from: number): Page {
  const { ids, pageSize } = locator;
  const table = asking.org.table(shower.object);
  const end = Math.min(from + pageSize, ids.length);
  const records = ids.slice(from, end).flatMap((id) => {
    const row = table.get(id);
    return row ? [shower.show(row)] : [];
  });
  const isDone = end === ids.length;
  return {
    totalSize: ids.length,
    done: isDone,
    ...(isDone ? {} : { nextRecordsUrl: `/services/data/${asking.version}/query/${locator.id}-${end}` }),
    records,
  };
}

/** Salesforce keeps ten open answers per user and drops the oldest. */
function keepLocator({ org, userId }: Asking, locator: Locator): void {
  org.keep('locator', locator.id, locator);
  const mine = org.facts('locator').filter((other) => other.userId === userId);
  for (const old of mine.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, -openLocators)) org.forget('locator', old.id);
}
