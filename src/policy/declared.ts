import { OPERATOR_PERMISSIONS, SALESFORCE_ACTIONS } from '../../permissions/catalog.ts';
import type { Audit, Setter } from '../audit/audit.ts';
import { readDeclaration } from '../declared/check.ts';
import { type OrgToAsk, orgProblems } from '../declared/check-org.ts';
import { toAction } from '../declared/to-action.ts';
import type { Action } from '../domain/action.ts';
import { type Declaration, meaningOf, permissionOf, RUNS_ORG_CODE } from '../domain/declaration.ts';
import { type FieldProblem, GatehouseError, listProblems } from '../domain/errors.ts';
import { GET_PROPOSAL } from '../domain/proposal.ts';
import { quoted } from '../domain/safe-text.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { AuditRow, BotRow, Store } from '../ports/store.ts';
import { botNamed } from './permit.ts';
import { MOST_TOOL_BYTES, toolBytes, wordsOf } from './words.ts';

/** What operators declare: checked, saved as a revision, and taken away again, each with its audit rows in one transaction. */

export interface DeclareDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly connections: Pick<Connections, 'open'>;
  readonly actions: readonly Action[];
  /** Judges the query of a definition as RunSOQL's would be for this bot, with a sample in each place. */
  readonly judgeDeclared: (bot: BotRow, declaration: Declaration) => Promise<unknown>;
  readonly now: () => number;
}

export interface CheckedDeclaration {
  readonly declaration: Declaration;
  readonly permission: string;
  /** What holds, and its author may not have meant. */
  readonly warnings: readonly string[];
  /** The bot holds its permission, and a save takes that away: it would do something else than what was granted. */
  readonly dropsGrant: boolean;
}

/** Throws with every mistake and its place. Nothing is saved and nothing of a record is read. */
export async function checkDeclared(
  deps: Omit<DeclareDeps, 'audit'>,
  bot: BotRow,
  value: unknown,
): Promise<CheckedDeclaration> {
  const name = nameIn(value);
  const others = bot.declared.filter(({ declaration }) => declaration.name !== name);
  const read = readDeclaration(value, { audience: bot.audience, taken: takenBy(deps.actions, others) });
  if ('problems' in read) throw refused(read.problems);
  const { declaration } = read;
  const room = budgetProblems(bot, declaration, others);
  if (room.length > 0) throw refused(room);
  const { problems, unchecked } = await askOrg(deps, bot, declaration);
  if (problems.length > 0) throw refused(problems);
  const before = bot.declared.find((one) => one.declaration.name === name);
  const permission = permissionOf(declaration.name);
  const dropsGrant =
    bot.grants.includes(permission) &&
    (before === undefined || meaningOf(before.declaration) !== meaningOf(declaration));
  return {
    declaration,
    permission,
    dropsGrant,
    warnings: [
      ...unchecked,
      ...(RUNS_ORG_CODE.has(declaration.operation)
        ? [
            `${declaration.name} runs code of the org, which the object policy of ${bot.name} does not bound: a person is asked every time, and it cannot be undone.`,
          ]
        : []),
      ...(dropsGrant
        ? [
            `It does something else than before: ${bot.name} loses ${permission}. Grant it again: gatehouse grant ${bot.name} ${permission}.`,
          ]
        : []),
    ],
  };
}

/** The declared actions of a bot with one more, or with another in the place of the one of that name; nothing is saved. */
export async function declaredWith(
  deps: Omit<DeclareDeps, 'audit'>,
  bot: BotRow,
  name: string,
  value: unknown,
): Promise<BotRow['declared']> {
  const { declaration } = await checkDeclared(deps, bot, named(value, name));
  return [...bot.declared.filter((one) => one.declaration.name !== name), { revision: 0, declaration }];
}

/** A definition of another name is a mistake: `name` says which action is meant. */
export function named(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !('name' in value) || value.name === name) return value;
  throw new GatehouseError('invalid_input', 'The definition has another name than the address.', {
    next: 'Send it to the address of its own name. A renamed action is another one: remove the old one.',
    fields: [{ name: 'name', problem: `is not ${name.slice(0, 80)}` }],
  });
}

/** A new revision; the grant goes where the meaning changed. `from`: over that revision alone, 0 where there may be none yet. */
export async function saveDeclared(
  deps: DeclareDeps,
  bot: BotRow,
  value: unknown,
  by: Setter,
  from?: number,
): Promise<CheckedDeclaration & { readonly revision: number; readonly isNew: boolean }> {
  const checked = await checkDeclared(deps, bot, value);
  requireRevision(bot, checked.declaration.name, from);
  const { declaration, permission, dropsGrant } = checked;
  const isNew = !bot.declared.some((one) => one.declaration.name === declaration.name);
  const revision = await change(deps, bot, { name: declaration.name, declaration, permission, by, dropsGrant });
  return { ...checked, revision, isNew };
}

/** With its grant, and with what the policy says of it: a later action of the same name starts with nothing. */
export async function removeDeclared(
  deps: Omit<DeclareDeps, 'connections' | 'judgeDeclared'>,
  bot: BotRow,
  name: string,
  by: Setter,
  from?: number,
) {
  const { declaration } = declaredNamed(bot, name);
  requireRevision(bot, name, from);
  const permission = permissionOf(declaration.name);
  const dropsGrant = bot.grants.includes(permission);
  const revision = await change(deps, bot, { name: declaration.name, declaration: null, permission, by, dropsGrant });
  return { revision, permission };
}

export function declaredNamed(bot: BotRow, name: string) {
  const found = bot.declared.find(({ declaration }) => declaration.name === name);
  if (found !== undefined) return found;
  const known = bot.declared.map(({ declaration }) => declaration.name).join(', ') || 'none';
  throw new GatehouseError('not_found', `${bot.name} has no declared action named ${quoted(name)}.`, {
    next: `It has: ${known}. See them with: gatehouse action list ${bot.name}.`,
    fields: [{ name: 'name', problem: 'unknown' }],
  });
}

function requireRevision(bot: BotRow, name: string, from: number | undefined): void {
  const now = bot.declared.find(({ declaration }) => declaration.name === name)?.revision;
  if (from === undefined || from === (now ?? 0)) return;
  const stands =
    now === undefined ? 'was removed' : `is at revision ${now} by now: somebody saved it since you read it`;
  throw new GatehouseError('conflict', `${name} of ${bot.name} ${stands}.`, {
    next: 'Read it again, repeat your change and save.',
  });
}

async function change(
  { store, audit, now }: Pick<DeclareDeps, 'store' | 'audit' | 'now'>,
  bot: BotRow,
  {
    by: { principal, channel },
    dropsGrant,
    ...what
  }: {
    readonly name: string;
    readonly declaration: Declaration | null;
    readonly permission: string;
    readonly by: Setter;
    readonly dropsGrant: boolean;
  },
): Promise<number> {
  const saved = await store.atomically(async (inside) => {
    const revision = await inside.bots.saveDeclared(bot.name, { ...what, by: principal, at: now() }, bot.declared);
    if (revision === undefined) return undefined;
    const rows: AuditRow[] = [];
    const note = async (action: string, event: string, detail: Record<string, unknown>) =>
      rows.push(await audit.append({ bot: bot.name, principal, channel, action, event, detail }, inside));
    const { name, declaration, permission } = what;
    if (declaration === null) {
      await forgetPolicy(inside, bot, name, principal, now());
      await note(name, 'action_removed', { revision });
    } else await note(name, 'action_declared', { revision, operation: declaration.operation });
    if (dropsGrant) {
      await inside.bots.revoke(bot.name, permission);
      await note(permission, 'revoked', { because: 'the action was declared anew' });
    }
    return { revision, last: rows.at(-1) };
  });
  if (saved === undefined)
    throw new GatehouseError('conflict', `Somebody changed the declared actions of ${bot.name} since you read them.`, {
      next: 'Read them again, repeat your change and save.',
    });
  if (saved.last !== undefined) await audit.keep(saved.last);
  return saved.revision;
}

/** As a revision of the policy, like every change of one. */
async function forgetPolicy(
  store: Store,
  { name: bot }: BotRow,
  action: string,
  by: string,
  at: number,
): Promise<void> {
  const { policy, policyRevision } = await botNamed(store, bot);
  if (!Object.hasOwn(policy.actions, action) && !policy.off.includes(action)) return;
  const actions = Object.fromEntries(Object.entries(policy.actions).filter(([name]) => name !== action));
  const off = policy.off.filter((name) => name !== action);
  await store.bots.savePolicy(bot, { ...policy, actions, off }, by, at, policyRevision);
}

/** What no other action may be called like, case and underscores aside. */
function takenBy(inCode: readonly Action[], others: BotRow['declared']): readonly string[] {
  return [
    ...inCode.flatMap(({ name, permission }) => [name, permission]),
    ...others.flatMap(({ declaration: { name } }) => [name, permissionOf(name)]),
    ...SALESFORCE_ACTIONS,
    ...OPERATOR_PERMISSIONS,
    GET_PROPOSAL,
  ];
}

const MOST_ACTIONS = 50;

function budgetProblems(bot: BotRow, declaration: Declaration, others: BotRow['declared']): FieldProblem[] {
  if (others.length >= MOST_ACTIONS)
    return [
      { name: '(top)', problem: `is one more than the ${MOST_ACTIONS} actions that ${bot.name} may have declared` },
    ];
  const bytes = [...others, { revision: 0, declaration }].reduce(
    (sum, one) => sum + toolBytes(wordsOf(toAction(one), bot.policy)),
    0,
  );
  if (bytes <= MOST_TOOL_BYTES) return [];
  return [
    {
      name: '(top)',
      problem: `makes the declared tools of ${bot.name} ${bytes} bytes long, at most ${MOST_TOOL_BYTES}: shorten descriptions, or remove one`,
    },
  ];
}

const CHECK_MS = 20_000;

async function askOrg(
  { connections, judgeDeclared }: Pick<DeclareDeps, 'connections' | 'judgeDeclared'>,
  bot: BotRow,
  declaration: Declaration,
): Promise<{ readonly problems: readonly FieldProblem[]; readonly unchecked: readonly string[] }> {
  try {
    const org = await connections.open(bot.name, { signal: AbortSignal.timeout(CHECK_MS) });
    const ask: OrgToAsk = {
      // An admin may have made the field a minute ago.
      describe: (object) => org.describe(object, { isFresh: true }),
      flow: (flow) => org.flow(flow),
      judge: (one) => judgeDeclared(bot, one),
    };
    return { problems: await orgProblems(declaration, ask, bot.policy.objects), unchecked: [] };
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code === 'internal') throw error;
    return {
      problems: [],
      unchecked: [
        `The names of objects, fields and flows were not checked: ${error.message} Save once more when ${bot.name} is connected.`,
      ],
    };
  }
}

function nameIn(value: unknown): string | undefined {
  const { name } = (typeof value === 'object' && value !== null ? value : {}) as { name?: unknown };
  return typeof name === 'string' ? name : undefined;
}

function refused(problems: readonly FieldProblem[]): GatehouseError {
  const fields = listProblems(problems);
  return new GatehouseError(
    'invalid_input',
    `The action was not saved: ${fields.map(({ name }) => name).join(', ')}.`,
    {
      next: `Correct and save again: ${fields.map(({ name, problem }) => `${name}: ${problem}`).join('; ')}.`,
      fields,
    },
  );
}
