import { z } from 'zod';
import { roleHolds } from '../../../permissions/catalog.ts';
import { approvalView } from '../../console/approval.ts';
import { approvalsView } from '../../console/approvals.ts';
import { editedValues } from '../../console/edit-values.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { isOpen } from '../../domain/proposal.ts';
import type { EditPreview } from '../../ports/gate.ts';
import type { HttpDeps } from '../deps.ts';
import { createRateLimit } from '../rate-limit.ts';
import { type Page, type PageCall, type PageReply, pathTo } from './page.ts';

/** The queue and the page on which a person decides. */
export function approvalPages({ approvals, store, now }: HttpDeps): readonly Page[] {
  const limit = createRateLimit({ most: 60, windowMs: 60_000, now });

  const approvalPage = async (
    { session, params }: PageCall,
    { problem, edit }: { readonly problem?: GatehouseError; readonly edit?: EditPreview | undefined } = {},
  ): Promise<PageReply> => {
    const { proposal } = await approvals.inspect(params.id ?? '');
    // A failure of the action itself is told as the proposal's outcome.
    const isOutcome = proposal.state === 'failed' && proposal.error?.error.code === problem?.code;
    const told = isOutcome ? undefined : problem;
    const body = approvalView({
      proposal,
      csrf: session.csrf,
      mayDecide: roleHolds(session.role, 'DECIDE_PROPOSALS'),
      nowMs: now(),
      problem: told,
      edit: proposal.state === 'pending' ? edit : undefined,
      records: await approvals.heldRecords(proposal.id),
      corrected: proposal.state === 'pending' ? [] : await correctedArgs(store, proposal.id),
    });
    return { title: proposal.action, body, here: 'approvals', ...(told === undefined ? {} : { status: told.status }) };
  };

  return [
    {
      method: 'GET',
      path: '/approvals',
      permission: 'READ_LOGS',
      async handle() {
        const [waiting, latest] = await Promise.all([
          approvals.list({ pending: true, limit: 100 }),
          approvals.list({ limit: 40 }),
        ]);
        const settled = latest.filter((proposal) => !isOpen(proposal)).slice(0, 20);
        return { title: 'Approvals', body: approvalsView(waiting, settled, now()), here: 'approvals' };
      },
    },
    { method: 'GET', path: '/approvals/{id}', permission: 'READ_LOGS', handle: (call) => approvalPage(call) },
    {
      method: 'POST',
      path: '/approvals/{id}',
      permission: 'DECIDE_PROPOSALS',
      async handle(call) {
        const { session, params, form } = call;
        limit.consume(session.name);
        const answer = form.get('answer');
        if (answer !== 'approve' && answer !== 'reject')
          throw new GatehouseError('invalid_input', 'The form came without an answer.', {
            next: 'Press Approve or Decline on the page of the proposal.',
          });
        const id = params.id ?? '';
        const { proposal } = await approvals.inspect(id);
        const choice = form.get('choice');
        const values = answer === 'approve' ? editedValues(proposal, form) : undefined;
        const seen = form.get('seen');
        try {
          // What an edit would change is looked at before it is approved; nobody approves what they have not seen.
          if (values !== undefined && seen === null)
            return await approvalPage(call, { edit: await approvals.previewEdit(id, values) });
          await approvals.decide(id, {
            answer,
            by: `operator:${session.name}`,
            via: 'console',
            assurance: 'session',
            ...(choice === null ? {} : { choice }),
            ...(values === undefined || seen === null ? {} : { values, seen }),
          });
        } catch (error) {
          if (!(error instanceof GatehouseError)) throw error;
          const isOutdated = error.code === 'conflict' && values !== undefined;
          const edit = isOutdated ? await approvals.previewEdit(id, values).catch(() => undefined) : undefined;
          return approvalPage(call, { problem: error, edit });
        }
        return { goTo: pathTo('approvals', id) };
      },
    },
  ];
}

const correction = z.looseObject({ edited: z.array(z.string()).default([]) });

/** The proposal holds what was approved; that it differs from what was asked stands in the audit alone. */
async function correctedArgs({ audit }: HttpDeps['store'], proposal: string): Promise<readonly string[]> {
  const [row] = await audit.find({ proposal, event: 'approved', limit: 1 });
  return row === undefined ? [] : correction.parse(JSON.parse(row.detail)).edited;
}
