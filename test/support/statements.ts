import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** The statements that this process sends to databases meanwhile; the built program tells them too. Imports nothing of ours, for the bench. */
export async function sentBy(work: () => Promise<unknown>): Promise<string[]> {
  const sent: string[] = [];
  const note = (sql: unknown) => void sent.push(String(sql));
  subscribe('gatehouse.statements', note);
  try {
    await work();
  } finally {
    unsubscribe('gatehouse.statements', note);
  }
  return sent;
}

/** How often they made the database write to the disk and wait for it: transactions that wrote, and writes outside of one. */
export function syncsOf(sent: readonly string[]): number {
  let syncs = 0;
  let inTransaction: 'no' | 'yes' | 'wrote' = 'no';
  let waits = true;
  for (const sql of sent) {
    if (/^pragma synchronous/i.test(sql)) waits = /full/i.test(sql);
    else if (/^begin/i.test(sql)) inTransaction = 'yes';
    else if (/^(commit|rollback)/i.test(sql)) {
      if (inTransaction === 'wrote' && /^commit/i.test(sql) && waits) syncs += 1;
      inTransaction = 'no';
    } else if (!/^(select|pragma)/i.test(sql)) {
      if (inTransaction === 'no') syncs += waits ? 1 : 0;
      else inTransaction = 'wrote';
    }
  }
  return syncs;
}
