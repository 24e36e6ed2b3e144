import type { ActionPermission } from '../../permissions/catalog.ts';
import { type Answering, policyFor, unanswered } from '../../permissions/decide.ts';
import { closedTo, whereClosed } from '../../permissions/field-access.ts';
import { type Policy, parsePolicy } from '../../permissions/policy.ts';
import { grantWarnings } from '../../permissions/profiles.ts';
import { policyWarnings } from '../../permissions/warnings.ts';
import type { Audit, AuditInput, Setter } from '../audit/audit.ts';
import { actionsOf } from '../declared/actions-of.ts';
import type { Action } from '../domain/action.ts';
import { type FieldProblem, GatehouseError, listProblems } from '../domain/errors.ts';
import { isRecord } from '../domain/is-record.ts';
import type { Access } from '../ports/access.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { checkNames } from './names.ts';
import { tooLong, wordProblems } from './words.ts';

/** What operators set for a bot. A save and its audit row are one transaction: neither is ever there without the other. */

export interface SaveDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly now: () => number;
}

/** A policy from outside: every mistake is named with its place, also an action that there is not. */
export function checkedPolicy(value: unknown, actions: readonly Answering[]): Policy {
  // First of all: each name costs a look at the org.
  const many = tooMany(value);
  if (many !== undefined) throw refusedPolicy([many]);
  const parsed = parsePolicy(
    value,
    actions.map(({ name }) => name),
  );
  const problems =
    'policy' in parsed
      ? [
          ...rightsOfAll(value),
          ...closedIds(parsed.policy),
          ...neverHolding(parsed.policy, actions),
          ...wordProblems(parsed.policy),
        ]
      : parsed.problems;
  if ('policy' in parsed && problems.length === 0) return parsed.policy;
  throw refusedPolicy(problems);
}

/** Ten times what the largest policy that we know of holds. */
const MOST_ENTRIES = 5_000;
const MOST_OBJECTS = 300;

function tooMany(value: unknown): FieldProblem | undefined {
  const { objects } = isRecord(value) ? value : {};
  const named = isRecord(objects) ? Object.keys(objects).length : 0;
  if (named > MOST_OBJECTS)
    return {
      name: 'objects',
      problem: `names ${named} objects, at most ${MOST_OBJECTS}; one that is not named is closed`,
    };
  const entries = entriesOf(value);
  if (entries <= MOST_ENTRIES) return undefined;
  return {
    name: '(top)',
    problem: `holds ${entries} names and settings, at most ${MOST_ENTRIES}; allowFields says in few names what denyFields says in many`,
  };
}

function entriesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, inner: unknown) => sum + 1 + entriesOf(inner), 0);
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

/** Answers, links and writes name a record by its Id, whatever a policy says of it. */
function closedIds({ objects }: Policy): FieldProblem[] {
  return Object.entries(objects).flatMap(([object, rules]) =>
    (['denyFields', 'maskFields'] as const).flatMap((list) =>
      (rules[list] ?? []).flatMap((field, at) =>
        field.trim().toLowerCase() === 'id'
          ? [
              {
                name: `objects.${object}.${list}[${at}]`,
                problem:
                  'Id cannot be closed: every answer names its record by it; close the object (leave it out, or read: false) instead',
              },
            ]
          : [],
      ),
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
export async function checkedPolicyOf(deps: CheckDeps, bot: string, value: unknown): Promise<CheckedPolicy> {
  const row = await deps.store.bots.get(bot);
  const actions = row === undefined ? deps.actions : actionsOf(deps.actions, row);
  const policy = checkedPolicy(value, actions);
  const long = tooLong(policy, deps.actions);
  if (long.length > 0) throw refusedPolicy(long);
  const meant = row === undefined ? [] : policyWarnings(policy, row.audience);
  const { warnings, unchecked } = await nameWarnings({ ...deps, actions }, bot, policy);
  return { policy, warnings: [...meant, ...warnings, ...unchecked], unchecked };
}

export interface CheckedPolicy {
  readonly policy: Policy;
  readonly warnings: readonly string[];
  /** Of the warnings, those about names that could not be looked up: kept with the policy, and told in its status. */
  readonly unchecked: readonly string[];
}

/** Throws for a name that the org does not know. */
async function nameWarnings(
  { store, connections, actions }: CheckDeps,
  bot: string,
  policy: Policy,
): Promise<Pick<CheckedPolicy, 'warnings' | 'unchecked'>> {
  const nothing = (why: string) => ({ warnings: [], unchecked: [why] });
  const connection = await store.connections.get(bot);
  if (connection === undefined || connection.state === 'disconnected')
    return nothing(
      `${bot} is not connected, so the names of objects and fields were not checked. Save once more when it is.`,
    );
  const signal = AbortSignal.timeout(CHECK_MS);
  const opened = await connections.open(bot, { signal }).catch((error: unknown) => {
    if (error instanceof GatehouseError) return error;
    throw error;
  });
  if (opened instanceof GatehouseError)
    return nothing(`The names of objects and fields were not checked: ${opened.message}`);
  const check = (isFresh: boolean) => checkNames(policy, actions, (object) => opened.describe(object, { isFresh }));
  const remembered = await check(false);
  // Describes are remembered for an hour: a field that an admin made since shows in a fresh one.
  const { problems, warnings, unchecked } = remembered.problems.length > 0 ? await check(true) : remembered;
  if (problems.length > 0) throw refusedPolicy(problems);
  const told = (found: readonly FieldProblem[]) => found.map(({ name, problem }) => `${name}: ${problem}.`);
  const more = unchecked.length - MOST_TOLD;
  return {
    warnings: told(warnings),
    unchecked: [...told(unchecked.slice(0, MOST_TOLD)), ...(more > 0 ? [`${more} more names were not checked.`] : [])],
  };
}

const MOST_TOLD = 20;

const UNCHECKED = 'policy.unchecked';

/** What of a bot's policy was saved although it could not be looked up in its org. */
export async function uncheckedOf(
  { store, now }: Pick<SaveDeps, 'now'> & { readonly store: Pick<Store, 'values'> },
  bot: string,
): Promise<readonly string[]> {
  const kept = await store.values.get(UNCHECKED, bot, now());
  return kept === undefined ? [] : JSON.parse(kept);
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
  { policy, unchecked, from, by }: Omit<CheckedPolicy, 'warnings'> & { readonly from: number; readonly by: Setter },
): Promise<number> {
  const revision = await trySave(deps, bot, policy, from, by, unchecked);
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
export async function switchAction(
  deps: SaveDeps & { readonly actions: readonly Action[] },
  bot: string,
  { action, isOn }: { readonly action: string; readonly isOn: boolean },
  by: Setter,
) {
  const row = await deps.store.bots.get(bot);
  const actions = row === undefined ? deps.actions : actionsOf(deps.actions, row);
  if (!actions.some(({ name }) => name === action))
    throw new GatehouseError('not_found', `There is no action named ${JSON.stringify(action.slice(0, 80))}.`, {
      next: `Use one of: ${actions.map(({ name }) => name).join(', ')}.`,
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
  const notes = actionsOf(actions, bot)
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
  await store.values.remove(UNCHECKED, bot);
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
  /** Left out where no name changed: what was unchecked stays so. */
  unchecked?: readonly string[],
): Promise<number | undefined> {
  const saved = await store.atomically(async (inside) => {
    const revision = await inside.bots.savePolicy(bot, policy, principal, now(), from);
    if (revision === undefined) return undefined;
    if (unchecked?.length === 0) await inside.values.remove(UNCHECKED, bot);
    else if (unchecked !== undefined) await inside.values.set(UNCHECKED, bot, JSON.stringify(unchecked), null);
    const { mode, off } = policy;
    const entry: AuditInput = {
      bot,
      principal,
      channel,
      action: 'policy',
      event: 'policy_saved',
      policyRevision: revision,
      detail: { mode, off, ...(unchecked === undefined || unchecked.length === 0 ? {} : { unchecked }) },
    };
    return { revision, row: await audit.append(entry, inside) };
  });
  if (saved === undefined) return undefined;
  await audit.keep(saved.row);
  return saved.revision;
}
