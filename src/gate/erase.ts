import type { Audit } from '../audit/audit.ts';
import { sha256 } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { BLANK, isOpen, type Proposal } from '../domain/proposal.ts';
import type { Store } from '../ports/store.ts';

/**
 * Blanks what is kept of one person outside Salesforce: arguments, previews and results of proposals, sealed values of audit
 * rows. Hashes stay, so the chain still proves every other row, and that these rows were there.
 */
export async function eraseSubject({
  store,
  audit,
  withdraw,
  subject,
  by,
}: {
  readonly store: Store;
  readonly audit: Audit;
  /** Declines a request of a visitor; its values go with that. */
  readonly withdraw: (id: string) => Promise<unknown>;
  readonly subject: string;
  readonly by: string;
}): Promise<{ readonly proposals: number; readonly rows: number }> {
  const wanted = subject.trim().toLowerCase();
  if (wanted.length < 5)
    throw new GatehouseError('invalid_input', 'Too little to tell a person by.', {
      next: 'Give the whole email address or the Id of the record.',
      fields: [{ name: 'subject', problem: 'needs at least five characters' }],
    });
  const all = await store.proposals.list({ limit: Number.MAX_SAFE_INTEGER });
  const theirs = all.filter(({ args, preview, result, effects, session }) =>
    JSON.stringify([args, preview, result, effects, session]).toLowerCase().includes(wanted),
  );
  const waiting = theirs
    .filter((proposal) => !isHeld(proposal))
    .find(({ state }) => ['pending', 'approved', 'executing', 'unknown'].includes(state));
  if (waiting !== undefined)
    throw new GatehouseError('conflict', `The proposal ${waiting.id} of this person is not at its end.`, {
      next: 'Decide it first, or let it expire; then erase again.',
    });
  // Undecided requests of the person are declined, only now that nothing else stands in the way.
  for (const { id } of theirs.filter(isHeld)) await withdraw(id);
  const seqs: number[] = [];
  for (const proposal of theirs) {
    if (!isHeld(proposal)) await store.proposals.patch(proposal.id, proposal.state, BLANK);
    for (const row of await store.audit.find({ proposal: proposal.id, limit: 1000 }))
      if (row.sealed !== null) seqs.push(row.seq);
  }
  // Rows without a proposal: queries that named the person.
  for (let after: number | undefined; ; ) {
    const page = await store.audit.page(after, 500);
    for (const row of page) {
      const values = row.sealed === null ? undefined : audit.unsealed(row);
      if (values !== undefined && JSON.stringify(values).toLowerCase().includes(wanted)) seqs.push(row.seq);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.seq;
  }
  const rows = [...new Set(seqs)];
  await store.audit.unseal(rows);
  await audit.record({
    principal: by,
    channel: 'cli',
    action: 'Erase',
    event: 'erased',
    detail: { subject: sha256(wanted), proposals: theirs.length, rows: rows.length },
  });
  return { proposals: theirs.length, rows: rows.length };
}

const isHeld = (proposal: Proposal) => proposal.visitor !== null && isOpen(proposal);
