import type { ActionPermission } from '../../permissions/catalog.ts';
import { type Answering, policyFor, unanswered } from '../../permissions/decide.ts';
import { closedTo, whereClosed } from '../../permissions/field-access.ts';
import { type Policy, parsePolicy } from '../../permissions/policy.ts';
import { grantWarnings } from '../../permissions/profiles.ts';
import { policyWarnings } from '../../permissions/warnings.ts';
import type { Audit, AuditInput, Setter } from '../audit/audit.ts';
import type { Action } from '../domain/action.ts';
import { type FieldProblem, GatehouseError, listProblems } from '../domain/errors.ts';
import type { Access } from '../ports/access.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { checkNames } from './names.ts';

/** What operators set for a bot. A save and its audit row are one transaction: neither is ever there without the other. */

export interface SaveDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly now: () => number;
}

/** A policy from outside: every mistake is named with its place, also an action that there is not. */
export function checkedPolicy(value: unknown, actions: readonly Answering[]): Policy {
  const parsed = parsePolicy(
    value,
    actions.map(({ name }) => name),
  );
  const problems =
    'policy' in parsed ? [...rightsOfAll(value), ...neverHolding(parsed.policy, actions)] : parsed.problems;
  if ('policy' in parsed && problems.length === 0) return parsed.policy;
  throw refusedPolicy(problems);
}

/** A rule that can never hold protects nothing, and looks as if it did. */
function neverHolding(policy: Policy, actions: readonly Answering[]): FieldProblem[] {
  return actions.flatMap((action) =>
    policyFor(policy, action.name).rules.flatMap((rule, at) =>
      unanswered(rule.if, action).map((key) => ({
        name: `actions.${action.name}.rules[${at}].if.${key}`,
        problem: `never holds: ${action.name} has nothing that it looks at; take the rule out, or put it at an action that has`,
      })),
    ),
  );
}

/** `*` has rules for fields alone. The pair that every policy had written out once says nothing. */
function rightsOfAll(value: unknown): FieldProblem[] {
  // What was parsed is a policy: `objects`, if any, holds objects.
  const { read, write } =
    (value as { objects?: Record<string, { read?: boolean; write?: boolean }> }).objects?.['*'] ?? {};
  const said = [
    ...(read === false ? ['read'] : []),
    ...(write === true || (write === false && read !== true) ? ['write'] : []),
  ];
  return said.map((way) => ({
    name: `objects.*.${way}`,
    problem: `opens and closes nothing: * holds rules for fields; set ${way} at each object (one that is not listed is closed)`,
  }));
}

/** The same for one bot: where it is connected, also the names that its org does not know. Warnings stop nothing. */
export async function checkedPolicyOf(
  deps: CheckDeps,
  bot: string,
  value: unknown,
): Promise<{ readonly policy: Policy; readonly warnings: readonly string[] }> {
  const policy = checkedPolicy(value, deps.actions);
  const row = await deps.store.bots.get(bot);
  const meant = row === undefined ? [] : policyWarnings(policy, row.audience);
  return { policy, warnings: [...meant, ...(await nameWarnings(deps, bot, policy))] };
}

/** Throws for a name that the org does not know. */
async function nameWarnings(
  { store, connections, actions }: CheckDeps,
  bot: string,
  policy: Policy,
): Promise<readonly string[]> {
  const connection = await store.connections.get(bot);
  if (connection === undefined || connection.state === 'disconnected')
    return [`${bot} is not connected, so the names of objects and fields were not checked. Save once more when it is.`];
  const signal = AbortSignal.timeout(CHECK_MS);
  const opened = await connections.open(bot, { signal }).catch((error: unknown) => {
    if (error instanceof GatehouseError) return error;
    throw error;
  });
  if (opened instanceof GatehouseError) return [`The names of objects and fields were not checked: ${opened.message}`];
  const check = (isFresh: boolean) => checkNames(policy, actions, (object) => opened.describe(object, { isFresh }));
  const remembered = await check(false);
  // Describes are remembered for an hour: a field that an admin made since shows in a fresh one.
  const { problems, warnings } = remembered.problems.length > 0 ? await check(true) : remembered;
  if (problems.length > 0) throw refusedPolicy(problems);
  return warnings.map(({ name, problem }) => `${name}: ${problem}.`);
}

interface CheckDeps {
  readonly store: Pick<Store, 'bots' | 'connections'>;
  readonly connections: Pick<Connections, 'open'>;
  readonly actions: readonly Action[];
}

const CHECK_MS = 20_000;

export function refusedPolicy(problems: readonly FieldProblem[]): GatehouseError {
  const fields = listProblems(problems);
  return new GatehouseError(
    'invalid_input',
    `The policy was not saved: ${fields.map(({ name }) => name).join(', ')}.`,
    {
      next: `Correct and save again: ${fields.map(({ name, problem }) => `${name}: ${problem}`).join('; ')}.`,
      fields,
    },
  );
}

/** The new revision; `conflict` when `from` is not the current one any more. */
export async function savePolicy(
  deps: SaveDeps,
  bot: string,
  { policy, from, by }: { readonly policy: Policy; readonly from: number; readonly by: Setter },
): Promise<number> {
  const revision = await trySave(deps, bot, policy, from, by);
  if (revision !== undefined) return revision;
  throw new GatehouseError('conflict', 'Somebody saved this policy since you read it.', {
    next: 'Read it again, repeat your change and save.',
  });
}

/** From the next call of every process on. */
export function setMode(deps: SaveDeps, bot: string, mode: Policy['mode'], by: Setter) {
  return changePolicy(deps, bot, (policy) => (policy.mode === mode ? policy : { ...policy, mode }), by);
}

/** The kill switch of one action: off from the next call of every process on, until it is switched on again. */
export function switchAction(
  deps: SaveDeps & { readonly actions: readonly Pick<Action, 'name'>[] },
  bot: string,
  { action, isOn }: { readonly action: string; readonly isOn: boolean },
  by: Setter,
) {
  if (!deps.actions.some(({ name }) => name === action))
    throw new GatehouseError('not_found', `There is no action named ${JSON.stringify(action.slice(0, 80))}.`, {
      next: `Use one of: ${deps.actions.map(({ name }) => name).join(', ')}.`,
      fields: [{ name: 'action', problem: 'unknown' }],
    });
  return changePolicy(
    deps,
    bot,
    (policy) => {
      if (policy.off.includes(action) !== isOn) return policy;
      const others = policy.off.filter((one) => one !== action);
      return { ...policy, off: isOn ? others : [...others, action] };
    },
    by,
  );
}

/** A change that holds whatever else is saved at the same moment: a kill switch must not lose a race. What changes nothing is no revision. */
export async function changePolicy(
  deps: SaveDeps,
  name: string,
  change: (policy: Policy) => Policy,
  by: Setter,
): Promise<{ readonly revision: number; readonly policy: Policy }> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const bot = await deps.store.bots.get(name);
    if (bot === undefined) break;
    const policy = change(bot.policy);
    if (policy === bot.policy) return { revision: bot.policyRevision, policy };
    const revision = await trySave(deps, name, policy, bot.policyRevision, by);
    if (revision !== undefined) return { revision, policy };
  }
  throw new GatehouseError('conflict', `The policy of ${name} is being saved by others all the time.`, {
    next: 'Do it again.',
    retryable: true,
  });
}

export async function changeGrants(
  { store, audit }: SaveDeps,
  bot: BotRow,
  { grant, revoke }: { readonly grant: readonly string[]; readonly revoke: readonly string[] },
  { principal, channel }: Setter,
): Promise<void> {
  const rows = await store.atomically(async (inside) => {
    const row = (action: string, event: string) =>
      audit.append({ bot: bot.name, principal, channel, action, event }, inside);
    const made = [];
    for (const permission of grant) {
      await inside.bots.grant(bot.name, permission);
      made.push(await row(permission, 'granted'));
    }
    for (const permission of revoke) {
      await inside.bots.revoke(bot.name, permission);
      made.push(await row(permission, 'revoked'));
    }
    return made;
  });
  const last = rows.at(-1);
  if (last !== undefined) await audit.keep(last);
}

/** What whoever grants should know: a grant alone says nothing about when a person is asked, nor what is open. */
export function grantNotes(actions: readonly Action[], bot: BotRow, permission: ActionPermission): string[] {
  const change = `gatehouse policy get ${bot.name} policy.json, then gatehouse policy set ${bot.name} policy.json`;
  const notes = actions
    .filter((action) => action.permission === permission)
    .flatMap((action) => {
      const { decision } = policyFor(bot.policy, action.name);
      const shut = closedTo(action.touches, bot.policy.objects);
      const isNamed = Object.hasOwn(bot.policy.actions, action.name);
      return [
        ...(isNamed
          ? []
          : [
              `${action.name} is not in the policy of ${bot.name}: every call waits for a person. Add actions.${action.name} to change that: ${change}.`,
            ]),
        ...(decision === 'never' || decision === 'deny'
          ? [
              `The policy of ${bot.name} still says "${decision}" to ${action.name}. Change actions.${action.name}.decision: ${change}.`,
            ]
          : []),
        ...(shut === undefined
          ? []
          : [
              `${action.name} writes ${shut}, which the policy of ${bot.name} closes. Set ${whereClosed(bot.policy.objects, shut, 'write')} to true: ${change}.`,
            ]),
      ];
    });
  return [...grantWarnings(bot.audience, permission), ...notes];
}

/** A further agent or host key, in the clear this once; with `replace` every earlier one of its kind ends. */
export async function issueBotKey(
  { access, audit }: Pick<SaveDeps, 'audit'> & { readonly access: Pick<Access, 'issueKey' | 'revokeKeys'> },
  bot: string,
  { kind, replace }: { readonly kind: 'agent' | 'host'; readonly replace: boolean },
  { principal, channel }: Setter,
): Promise<{ readonly kind: 'agent' | 'host'; readonly key: string; readonly revoked: number }> {
  const revoked = replace ? await access.revokeKeys(kind, bot) : 0;
  const key = await access.issueKey(kind, bot);
  await audit.record({ bot, principal, channel, action: 'bot key', event: 'key_issued', detail: { kind, revoked } });
  return { kind, key, revoked };
}

/** Ends its connection first, so that nothing of it is under way; its audit stays. */
export async function deleteBot(
  {
    store,
    audit,
    connections,
  }: Pick<SaveDeps, 'store' | 'audit'> & { readonly connections: Pick<Connections, 'disconnect'> },
  bot: string,
  { principal, channel }: Setter,
): Promise<{ readonly revoked: boolean }> {
  const ended = await connections.disconnect(bot);
  await store.bots.remove(bot);
  await audit.record({ bot, principal, channel, action: 'bot delete', event: 'bot_deleted', detail: ended });
  return ended;
}

const MOST_ATTEMPTS = 20;

async function trySave(
  { store, audit, now }: SaveDeps,
  bot: string,
  policy: Policy,
  from: number,
  { principal, channel }: Setter,
): Promise<number | undefined> {
  const saved = await store.atomically(async (inside) => {
    const revision = await inside.bots.savePolicy(bot, policy, principal, now(), from);
    if (revision === undefined) return undefined;
    const { mode, off } = policy;
    const entry: AuditInput = {
      bot,
      principal,
      channel,
      action: 'policy',
      event: 'policy_saved',
      policyRevision: revision,
      detail: { mode, off },
    };
    return { revision, row: await audit.append(entry, inside) };
  });
  if (saved === undefined) return undefined;
  await audit.keep(saved.row);
  return saved.revision;
}
