import type { Facts, Verdict } from '../../permissions/decide.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { RunDeps } from '../confirm/run-proposal.ts';
import type { Action, Answered } from '../domain/action.ts';
import { BY_POLICY, callerOf, type Proposal } from '../domain/proposal.ts';
import { anotherOrg, denied, hasRate, judge, noteRun } from '../policy/judge.ts';
import { botNamed, type Permitted, permitted } from '../policy/permit.ts';
import type { Store } from '../ports/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { parseStored } from './parse-args.ts';
import { createReadLog } from './read-log.ts';

export interface PrepareRunDeps {
  readonly context: ContextDeps;
  readonly actions: readonly Action[];
  /** Undo and SyncHeld: in no bot's list, only operators ask for them. */
  readonly operatorActions: readonly Action[];
  readonly store: Pick<Store, 'audit' | 'bots' | 'counters'>;
  readonly now: () => number;
}

/** Before an approved proposal runs: bot, grant, policy and org are asked once more, as they are now; the arguments stay as approved. */
export function createPrepareRun(deps: PrepareRunDeps): RunDeps['prepareRun'] {
  return async (proposal, record, { signal, seen }) => {
    const bot = await botNamed(deps.store, proposal.bot);
    const ofOperators = deps.operatorActions.find(({ name }) => name === proposal.action);
    const permit = ofOperators ? byOperators(ofOperators) : permitted(deps.actions, bot, proposal.action);
    const { action, actionPolicy } = permit;
    // A list of sync holds up to 1,000 records, more than a caller may send.
    const { input, extra } = ofOperators
      ? { input: action.input.parse(proposal.args), extra: {} }
      : parseStored(permit, bot.policy, proposal.args);
    const verdictIn = (environment: Facts['environment']) => judge(bot, permit, proposal.preview, environment);
    const reads = createReadLog(deps.now, proposal.conversation);
    const run = await contextFor(deps.context, bot, callerOf(proposal), extra, signal, reads, seen, {
      proposal,
      record,
      answered: (environment) => answeredBy(proposal, verdictIn(environment)),
    });
    // A run that policy decided was counted when it was judged, a visitor's request when it came.
    const isCounted = proposal.visitor !== null || (proposal.decidedBy === BY_POLICY && hasRate(actionPolicy));
    if (!isCounted && !(await isTried(deps.store, proposal))) await noteRun(deps, bot, action);
    if (proposal.orgId !== run.orgId) throw anotherOrg();
    const prepared = { action, input, context: run.context, read: reads.audited, lookUp: run.lookUp };
    if (ofOperators) return prepared;
    // Policy or org may have changed since the yes: the verdict of now counts, where it is stricter.
    const verdict = verdictIn(run.environment);
    if (verdict.decision === 'deny') throw denied(action, verdict);
    const isStricter =
      (proposal.decidedBy === BY_POLICY && verdict.decision === 'confirm') ||
      (proposal.assurance === 'client' && verdict.assurance === 'session');
    return isStricter
      ? { ...prepared, stricter: { assurance: verdict.assurance, reasons: verdict.reasons } }
      : prepared;
  };
}

/** An operator asked for it at the playground: none of the bot's runs. No agent's principal begins so. */
async function isTried({ audit }: PrepareRunDeps['store'], { id, principal }: Proposal): Promise<boolean> {
  if (!principal.startsWith('operator:')) return false;
  const [first] = await audit.find({ proposal: id, after: 0, limit: 1 });
  return first?.channel === 'playground';
}

/** No policy speaks of these: a signed-in operator always decides. */
export function byOperators(action: Action): Permitted {
  return { action, actionPolicy: BY_OPERATORS };
}

const BY_OPERATORS: ActionPolicy = { decision: 'confirm', assurance: 'session', rules: [], autoFields: [], expose: [] };

/** What the person who let this proposal run said yes to; undefined where policy did. */
function answeredBy(proposal: Proposal, { asks }: Verdict): Answered | undefined {
  if (proposal.decidedBy === null || proposal.decidedBy === BY_POLICY) return undefined;
  const isSignedIn = proposal.decidedVia === 'console' || proposal.decidedVia === 'cli';
  return { assurance: isSignedIn ? 'session' : proposal.assurance, asks };
}
