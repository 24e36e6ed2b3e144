import { isOf } from '../confirm/answer.ts';
import type { Confirm, ProposalEdit } from '../confirm/confirm.ts';
import { alreadyDecided, unknownProposal } from '../confirm/refusals.ts';
import type { Action } from '../domain/action.ts';
import { digestOf } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { callerOf, digestOfCall } from '../domain/proposal.ts';
import { cleanShown } from '../domain/safe-text.ts';
import { anotherOrg, denied, judge } from '../policy/judge.ts';
import { botNamed, permitted } from '../policy/permit.ts';
import type { Approvals, HumanDecision } from '../ports/gate.ts';
import type { Store } from '../ports/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { parseArgs } from './parse-args.ts';
import { createReadLog } from './read-log.ts';

/** The approver's values instead of the bot's, for the same record. */

export interface EditDeps {
  readonly context: ContextDeps;
  readonly actions: readonly Action[];
  readonly store: Pick<Store, 'bots'>;
  readonly confirm: Pick<Confirm, 'refresh' | 'decide'>;
}

type Of = Pick<HumanDecision, 'bot' | 'bots'>;

export function createEdits(deps: EditDeps): Pick<Approvals, 'decide' | 'previewEdit'> {
  const { confirm } = deps;

  /** Parsed, previewed and judged like any call. */
  async function edited(id: string, values: Readonly<Record<string, unknown>>, of: Of): Promise<ProposalEdit> {
    const proposal = await confirm.refresh(id);
    if (proposal === undefined || !isOf(of, proposal)) throw unknownProposal();
    if (proposal.state !== 'pending') throw alreadyDecided(proposal);
    const bot = await botNamed(deps.store, proposal.bot);
    const permit = permitted(deps.actions, bot, proposal.action);
    const { action } = permit;
    const foreign = Object.keys(values).filter((key) => !Object.hasOwn(proposal.args, key));
    if (foreign.length > 0)
      throw new GatehouseError(
        'invalid_input',
        `Only values that the proposal sets can be edited: not ${foreign.join(', ')}.`,
        {
          next: `Edit some of: ${Object.keys(proposal.args).join(', ')}.`,
          fields: foreign.map((name) => ({ name, problem: 'is not set by this proposal' })),
        },
      );
    const { args, input, extra } = parseArgs(permit, bot.policy, { ...proposal.args, ...values });
    const run = await contextFor(
      checkingStrictly(deps.context, Object.keys(values)),
      bot,
      callerOf(proposal),
      extra,
      new AbortController().signal,
      createReadLog(deps.context.now),
    );
    const preview = cleanShown((await action.preview?.(input, run.context)) ?? null);
    if (run.orgId !== proposal.orgId) throw anotherOrg();
    if (preview?.target?.id !== proposal.preview?.target?.id)
      throw new GatehouseError('invalid_input', 'An edit may change values, never which record is meant.', {
        next: 'Decline this one and let the bot propose the other record.',
      });
    const verdict = judge(bot, permit, preview, run.environment);
    if (verdict.decision === 'deny') throw denied(action, verdict);
    const { assurance, reasons } = verdict;
    const { orgId, userId } = run;
    const digest = digestOfCall(bot.name, action, args);
    return { args, digest, preview, reasons, assurance, policyRevision: bot.policyRevision, orgId, userId };
  }

  return {
    async decide(id, decision) {
      const { values = {}, seen } = decision;
      const isEdit = Object.keys(values).length > 0;
      // `seen` alone counts, too: left without its values it once let the bot's own amount through, which nobody had seen.
      if (decision.answer === 'reject' || (!isEdit && seen === undefined)) return confirm.decide(id, decision);
      if (seen === undefined) throw notShown(id);
      const edit = await edited(id, values, decision);
      if (seen !== seenOf(edit))
        throw new GatehouseError('conflict', 'What this edit would change is not what you were shown any more.', {
          next: 'Look at the new change, and approve that one.',
        });
      return confirm.decide(id, decision, isEdit ? edit : undefined);
    },

    async previewEdit(id, values, of = {}) {
      const edit = await edited(id, values, of);
      const { preview, reasons, assurance } = edit;
      return { values, preview, reasons, assurance, seen: seenOf(edit) };
    },
  };
}

/** A typed value must be on the picklist where there is one: "Closed Wonn" is a slip, also where the org would store it. */
function checkingStrictly(deps: ContextDeps, typed: readonly string[]): ContextDeps {
  return {
    ...deps,
    async openOrg(...args) {
      const org = await deps.openOrg(...args);
      return {
        ...org,
        check: (object, operation, fields, names) => org.check(object, operation, fields, names, typed),
      };
    },
  };
}

/** Nobody approves what they were not shown: values that are typed say nothing of what they would do to the record. */
function notShown(id: string): GatehouseError {
  return new GatehouseError('invalid_input', 'These values were approved without a look at what they would do.', {
    next: `Nothing was decided. Send the values to POST /api/proposals/${id}/edit, show the answer, and approve with its "seen".`,
    fields: [{ name: 'seen', problem: 'is missing beside values' }],
  });
}

function seenOf({ digest, preview }: ProposalEdit): string {
  return digestOf([digest, preview]);
}
