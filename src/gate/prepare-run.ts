import type { Facts, Verdict } from '../../permissions/decide.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { RunDeps } from '../confirm/run-proposal.ts';
import { actionsOf } from '../declared/actions-of.ts';
import type { Action, ActionContext, Answered, Preview } from '../domain/action.ts';
import { digestOf } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { BY_POLICY, callerOf, digestOfCall, type Proposal } from '../domain/proposal.ts';
import { cleanShown } from '../domain/safe-text.ts';
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
  const prepare: RunDeps['prepareRun'] = async (proposal, record, { signal, seen }) => {
    const bot = await botNamed(deps.store, proposal.bot);
    const ofOperators = deps.operatorActions.find(({ name }) => name === proposal.action);
    const permit = ofOperators ? byOperators(ofOperators) : permitted(deps.actions, bot, proposal.action);
    const { action, actionPolicy } = permit;
    // It was asked and shown under another definition than the one that would run.
    if (action.revision !== undefined && proposal.digest !== digestOfCall(bot.name, action, proposal.args))
      throw definedAnew(action);
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
    const { context, userId, lookUp } = run;
    const prepared = { action, input, context, userId, read: reads.audited, lookUp };
    if (ofOperators) return prepared;
    // Policy or org may have changed since the yes: the verdict of now counts, where it is stricter.
    const verdict = verdictIn(run.environment);
    if (verdict.decision === 'deny') throw denied(action, verdict);
    const isStricter =
      (proposal.decidedBy === BY_POLICY && verdict.decision === 'confirm') ||
      (proposal.assurance === 'client' && verdict.assurance === 'session');
    if (isStricter) return { ...prepared, stricter: { assurance: verdict.assurance, reasons: verdict.reasons } };
    const since = await metSince(proposal, action, input, run.context);
    if (since === undefined) return prepared;
    const anew = judge(bot, permit, since, run.environment);
    if (anew.decision === 'deny') throw denied(action, anew);
    const assurance = proposal.assurance === 'session' ? proposal.assurance : anew.assurance;
    const reasons = [...anew.reasons, 'It would do something else by now than what was shown.'];
    return { ...prepared, stricter: { preview: since, userId, assurance, reasons } };
  };

  /** What was sent before is looked up whatever policy says by now: the read is ours, and nobody is told a value. */
  const prepareLookUp = async (
    proposal: Proposal,
    record: Parameters<RunDeps['prepareRun']>[1],
    signal: AbortSignal,
    refused: GatehouseError,
  ): ReturnType<RunDeps['prepareRun']> => {
    const bot = await deps.store.bots.get(proposal.bot);
    if (bot === undefined) throw refused;
    const all = [...deps.operatorActions, ...actionsOf(deps.actions, bot)];
    const action = all.find(({ name }) => name === proposal.action);
    if (action === undefined) throw refused;
    const reads = createReadLog(deps.now, proposal.conversation);
    const writing = { proposal, record, answered: () => undefined };
    const run = await contextFor(deps.context, bot, callerOf(proposal), {}, signal, reads, undefined, writing);
    if (proposal.orgId !== run.orgId) throw refused;
    const { context, userId, lookUp } = run;
    return { action, input: {}, context, userId, read: reads.audited, lookUp, refused };
  };

  return (proposal, record, within) =>
    prepare(proposal, record, within).catch((error: unknown) => {
      if (!(error instanceof GatehouseError) || proposal.effects.length === 0) throw error;
      return prepareLookUp(proposal, record, within.signal, error);
    });
}

/**
 * What it would do by now, where that is not what a person was shown: another plan or query, a look-alike that came. An update goes by the
 * record that was shown and looks at that itself; what policy let run was looked at a moment ago.
 */
async function metSince(
  { preview, decidedBy, effects, choice }: Proposal,
  action: Action,
  input: Readonly<Record<string, unknown>>,
  context: ActionContext,
): Promise<Preview | undefined> {
  if (action.preview === undefined || preview === null || decidedBy === BY_POLICY || effects.length > 0)
    return undefined;
  const { mapped, creates = [] } = action.touches;
  if (preview.target !== undefined && mapped !== true && creates.length === 0) return undefined;
  if (choice?.startsWith('use:')) return undefined;
  const now = cleanShown(await action.preview(input, context));
  const isNewChoice = now.choices?.some(({ id }) => !preview.choices?.some((one) => one.id === id)) ?? false;
  return isNewChoice || digestOf(shownIn(now)) !== digestOf(shownIn(preview)) ? now : undefined;
}

function definedAnew({ name }: Action): GatehouseError {
  return new GatehouseError('conflict', `${name} was declared anew after this was asked. Nothing was done.`, {
    next: 'Call it again as it is listed now, if it is still wanted.',
  });
}

/** What a yes is to. */
function shownIn({ changes, target, query }: Preview) {
  return [
    changes.map(({ field, record, before, after }) => [field, record ?? null, before, after]),
    target?.id ?? null,
    query?.send ?? null,
    query?.class ?? null,
  ];
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
