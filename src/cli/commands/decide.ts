import { askOperator, principalOf } from '../ask-operator.ts';
import type { CommandCall } from '../command.ts';
import { describeEnvelope, describeProposal, describeRecords } from '../envelope.ts';

/** An operator's answer from the terminal: what would happen is shown before the key is asked for. */
export async function decide(
  call: Pick<CommandCall, 'config' | 'terminal' | 'openApp'>,
  id: string,
  answer: 'approve' | 'reject',
  more: { readonly choice?: string | undefined; readonly reason?: string | undefined } = {},
): Promise<void> {
  const { terminal } = call;
  const app = await call.openApp();
  const { proposal, envelope: before } = await app.approvals.inspect(id);
  if (before.proposal !== undefined && terminal.canAsk) terminal.note(`${describeProposal(before.proposal)}\n`);
  const records = terminal.canAsk ? await app.approvals.heldRecords(id) : undefined;
  if (records !== undefined) terminal.note(`${describeRecords(records, before.proposal?.link ?? '')}\n`);
  const operator = await askOperator(call, app, 'DECIDE_PROPOSALS', proposal.bot);
  const envelope = await app.approvals.decide(id, {
    answer,
    by: principalOf(operator),
    bots: operator.bots,
    via: 'cli',
    assurance: 'session',
    ...more,
  });
  terminal.print(envelope, describeEnvelope(envelope, terminal));
}
