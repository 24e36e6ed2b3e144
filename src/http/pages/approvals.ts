import { holds, isWithin } from '../../../permissions/catalog.ts';
import type { Policy } from '../../../permissions/policy.ts';
import { approvalView } from '../../console/approval.ts';
import { editedValues } from '../../console/edit-values.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Proposal } from '../../domain/proposal.ts';
import { changePolicy } from '../../policy/save.ts';
import { isOwn, mayApproveOwn } from '../../policy/self-approval.ts';
import type { BrowserSession, Operator } from '../../ports/access.ts';
import type { EditPreview } from '../../ports/gate.ts';
import type { HttpDeps } from '../deps.ts';
import { createRateLimit } from '../rate-limit.ts';
import { correctedArgs } from '../routes/proposals.ts';
import { type Page, type PageCall, type PageReply, pathTo } from './page.ts';

/** The page on which a person decides: plain forms, so that it works without a script. */
export function approvalPages(deps: HttpDeps): readonly Page[] {
  const { approvals, store, access, audit, now } = deps;
  const limit = createRateLimit({ most: 60, windowMs: 60_000, now });

  const approvalPage = async (
    { session, params, query, form }: PageCall,
    { problem, edit }: { readonly problem?: GatehouseError; readonly edit?: EditPreview | undefined } = {},
  ): Promise<PageReply> => {
    const { proposal, records, isMasked } = await approvals.look(params.id ?? '', lookerOf(session));
    // A failure of the action itself is told as the proposal's outcome.
    const isOutcome = proposal.state === 'failed' && proposal.error?.error.code === problem?.code;
    const told = isOutcome ? undefined : problem;
    const { policy } = (await store.bots.get(proposal.bot)) ?? {};
    const body = approvalView({
      proposal,
      csrf: session.csrf,
      mayDecide: holds(session, 'DECIDE_PROPOSALS'),
      nowMs: now(),
      problem: told,
      edit: proposal.state === 'pending' ? edit : undefined,
      reason: form.get('reason') ?? undefined,
      tellsReason: policy?.proposals.tellReason === true,
      own: await ownOf(session, proposal),
      isWatched: query.has(WATCHED) && proposal.decidedBy !== by(session),
      records,
      isMasked,
      corrected: proposal.state === 'pending' ? [] : await correctedArgs(store, proposal.id),
    });
    return { title: proposal.action, body, here: 'approvals', ...(told === undefined ? {} : { status: told.status }) };
  };

  const ownOf = async (viewer: BrowserSession, proposal: Proposal) => {
    if (!isOwn(proposal, by(viewer)) || (await mayApproveOwn(store, proposal.bot))) return undefined;
    const deciding = (await access.operators()).filter(
      (one) => holds(one, 'DECIDE_PROPOSALS') && isWithin(one, proposal.bot),
    );
    return { isAlone: deciding.length === 1, mayChange: holds(viewer, 'MANAGE_POLICY') };
  };

  const allowOwn = async ({ session, params }: PageCall): Promise<PageReply> => {
    const { proposal } = await approvals.look(params.id ?? '', lookerOf(session));
    access.require(session, 'MANAGE_POLICY', proposal.bot);
    const allow = (policy: Policy) => ({ ...policy, proposals: { ...policy.proposals, selfApproval: true } });
    await changePolicy({ store, audit, now }, proposal.bot, allow, { principal: by(session), channel: 'console' });
    return { goTo: pathTo('approvals', proposal.id) };
  };

  return [
    { method: 'GET', path: '/approvals/{id}', permission: 'READ_LOGS', handle: (call) => approvalPage(call) },
    {
      method: 'POST',
      path: '/approvals/{id}',
      permission: 'DECIDE_PROPOSALS',
      async handle(call) {
        const { session, params, form } = call;
        limit.consume(session.name);
        const answer = form.get('answer');
        if (answer === 'allow-own') return allowOwn(call);
        if (answer !== 'approve' && answer !== 'reject')
          throw new GatehouseError('invalid_input', 'The form came without an answer.', {
            next: 'Press Approve or Decline on the page of the proposal.',
          });
        const id = params.id ?? '';
        const { proposal } = await approvals.look(id, lookerOf(session));
        const choice = form.get('choice');
        const values = answer === 'approve' ? editedValues(proposal, form) : undefined;
        const seen = form.get('seen');
        try {
          // What an edit would change is looked at before it is approved; nobody approves what they have not seen.
          if (values !== undefined && seen === null)
            return await approvalPage(call, { edit: await approvals.previewEdit(id, values, session) });
          await approvals.decide(id, {
            answer,
            by: by(session),
            bots: session.bots,
            via: 'console',
            assurance: 'session',
            ...(choice === null ? {} : { choice }),
            ...(answer === 'reject' ? { reason: form.get('reason') ?? undefined } : {}),
            ...(values === undefined || seen === null ? {} : { values, seen }),
          });
        } catch (error) {
          if (!(error instanceof GatehouseError)) throw error;
          const isOutdated = error.code === 'conflict' && values !== undefined;
          const edit = isOutdated ? await approvals.previewEdit(id, values, session).catch(() => undefined) : undefined;
          return approvalPage(call, { problem: error, edit });
        }
        return { goTo: pathTo('approvals', id) };
      },
    },
  ];
}

/** In the address of a page that was loaded anew because somebody else decided. */
const WATCHED = 'watched';

const by = ({ name }: Operator) => `operator:${name}`;
const lookerOf = (session: BrowserSession) =>
  ({ rights: session, principal: by(session), channel: 'console' }) as const;
