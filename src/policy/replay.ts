import { needsFacts, policyFor } from '../../permissions/decide.ts';
import { closedTo } from '../../permissions/field-access.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { Audit } from '../audit/audit.ts';
import { actionsOf } from '../declared/actions-of.ts';
import type { Action, Preview } from '../domain/action.ts';
import { breathe } from '../domain/breath.ts';
import type { Proposal } from '../domain/proposal.ts';
import type { AuditRow, BotRow, Store } from '../ports/store.ts';
import { hasRate, judge } from './judge.ts';
import { standingOf } from './standing.ts';

/**
 * What an unsaved policy would have said to the calls of the last 30 days: the real decision function, asked with what is kept of
 * each call. Nothing leaves for Salesforce, and what is not known is counted, never guessed.
 */

export type Outcome = 'runs' | 'asks' | 'denied';
/** Why a call cannot be judged: a rule counts by the hour, what the call met is not kept, or other fields are open. */
export type Unknown = 'rate' | 'facts' | 'fields';

export interface Replay {
  readonly since: number;
  readonly calls: number;
  readonly same: number;
  readonly unknown: Readonly<Record<Unknown, number>>;
  readonly changed: readonly { readonly from: Outcome; readonly to: Outcome; readonly count: number }[];
  /** Newest first, a part of those that changed. */
  readonly rows: readonly {
    readonly seq: number;
    readonly at: number;
    readonly action: string;
    readonly from: Outcome;
    readonly to: Outcome;
  }[];
}

export interface ReplayDeps {
  readonly store: Pick<Store, 'audit' | 'bots' | 'connections' | 'proposals'>;
  readonly audit: Pick<Audit, 'unsealed'>;
  readonly actions: readonly Action[];
  readonly now: () => number;
}

const DAYS_MS = 30 * 86_400_000;
const MOST_CALLS = 1_000;
const MOST_ROWS = 50;
const IN_ONE_TURN = 20;

export async function replay(deps: ReplayDeps, bot: BotRow, policy: Policy): Promise<Replay> {
  const { store, now } = deps;
  const actions = actionsOf(deps.actions, bot);
  const since = now() - DAYS_MS;
  const rows = await decidedCalls(store, bot.name, since);
  const held = new Map(
    (await store.proposals.list({ bot: bot.name, limit: 2 * MOST_CALLS })).map((one) => [one.id, one]),
  );
  const revisions = new Map((await store.bots.policyHistory(bot.name)).map((one) => [one.revision, one.policy]));
  const environment = (await store.connections.get(bot.name))?.environment ?? 'production';
  const unknown: Record<Unknown, number> = { rate: 0, facts: 0, fields: 0 };
  const changed: Replay['rows'][number][] = [];
  const ownFields = openFields(policy);
  const hadOthers = new Map([...revisions].map(([revision, before]) => [revision, openFields(before) !== ownFields]));
  let same = 0;
  for (const [at, row] of rows.entries()) {
    if (at % IN_ONE_TURN === 0) await breathe();
    const action = actions.find(({ name }) => name === row.action);
    const to =
      action === undefined
        ? 'facts'
        : outcomeOf(deps.audit, {
            action,
            row,
            bot: { ...bot, policy },
            proposal: row.proposal === null ? undefined : held.get(row.proposal),
            hasOtherFields: hadOthers.get(row.policyRevision ?? 0) ?? true,
            environment,
          });
    const from = FROM[row.event];
    if (to === 'rate' || to === 'facts' || to === 'fields') unknown[to] += 1;
    else if (from === to || from === undefined) same += 1;
    else changed.push({ seq: row.seq, at: row.at, action: row.action, from, to });
  }
  return {
    since,
    calls: rows.length,
    same,
    unknown,
    changed: counted(changed),
    rows: changed.slice(0, MOST_ROWS),
  };
}

const FROM: Readonly<Record<string, Outcome>> = {
  permitted: 'runs',
  done: 'runs',
  proposed: 'asks',
  refused: 'denied',
};
/** Refusals that policy made; bad arguments and unknown records are no decision. */
const BY_POLICY: ReadonlySet<unknown> = new Set(['permission_denied', 'off']);

async function decidedCalls(store: ReplayDeps['store'], bot: string, since: number): Promise<readonly AuditRow[]> {
  const found = await Promise.all(
    Object.keys(FROM).map((event) => store.audit.find({ bot, event, since, limit: MOST_CALLS })),
  );
  return found
    .flat()
    .filter(({ event, proposal }) => event !== 'done' || proposal === null)
    .filter(({ event, detail }) => event !== 'refused' || BY_POLICY.has(JSON.parse(detail).code))
    .filter(({ channel }) => channel !== 'playground')
    .sort((one, other) => other.seq - one.seq)
    .slice(0, MOST_CALLS);
}

interface Judged {
  readonly action: Action;
  readonly row: AuditRow;
  readonly bot: BotRow;
  readonly proposal: Proposal | undefined;
  /** Other fields were open when the call was decided: that decides what is read and what class a query is of, and is not kept. */
  readonly hasOtherFields: boolean;
  readonly environment: Parameters<typeof judge>[3];
}

function outcomeOf(audit: ReplayDeps['audit'], judged: Judged): Outcome | Unknown {
  const { action, bot, proposal, environment } = judged;
  const permit = { action, actionPolicy: policyFor(bot.policy, action.name) };
  const { word, policy } = standingOf(action, bot, environment);
  // No fact changes these.
  if (word === 'not_granted' || word === 'off') return 'denied';
  if (policy.decision === 'deny' || policy.decision === 'never') return 'denied';
  if (closedTo(action.touches, bot.policy.objects) !== undefined) return 'denied';
  const preview = previewOf(audit, judged);
  if (preview === null && action.preview !== undefined && needsFacts(policy, bot.policy)) {
    // A person is asked about everything, and nothing says more than that.
    if (policy.rules.length === 0 && policy.autoFields.length === 0 && word === 'asks') return 'asks';
    return 'facts';
  }
  if (judged.hasOtherFields) return 'fields';
  const visitor = proposal?.visitor ?? null;
  const decided = (runs: number) => judge(bot, permit, preview, environment, runs, visitor).decision;
  if (hasRate(policy) && visitor === null && decided(0) !== decided(Number.MAX_SAFE_INTEGER)) return 'rate';
  return ({ auto: 'runs', confirm: 'asks', deny: 'denied' } as const)[decided(0)];
}

/** What was shown to decide: of a proposal while its values are kept, of a query by its shape. */
function previewOf(audit: ReplayDeps['audit'], { action, row, proposal }: Judged): Preview | null {
  if (proposal !== undefined) return proposal.preview;
  const { detail } = row;
  const facts = audit.unsealed(row)?.facts;
  // As `factsOf` made it: the row is ours.
  if (facts !== undefined) return facts as Preview;
  const { class: kind, objects, fields } = JSON.parse(detail);
  if (action.preview === undefined || kind === undefined) return null;
  const query = { send: '', class: kind, objects, fields, reasons: [], rowCap: null };
  return { summary: '', changes: [], query };
}

const openFields = ({ objects, soql }: Policy) => JSON.stringify([objects, soql]);

function counted(changed: Replay['rows']): Replay['changed'] {
  const counts = new Map<string, { from: Outcome; to: Outcome; count: number }>();
  for (const { from, to } of changed) {
    const key = `${from} ${to}`;
    const one = counts.get(key) ?? { from, to, count: 0 };
    counts.set(key, { ...one, count: one.count + 1 });
  }
  return [...counts.values()];
}
