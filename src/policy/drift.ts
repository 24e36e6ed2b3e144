import { policyFor } from '../../permissions/decide.ts';
import { type Policy, policySchema, setsOf } from '../../permissions/policy.ts';
import { actionsOf } from '../declared/actions-of.ts';
import { orgProblems } from '../declared/check-org.ts';
import { toAction } from '../declared/to-action.ts';
import type { Action, ObjectDescribe } from '../domain/action.ts';
import { type Declaration, permissionOf, RUNS_ORG_CODE } from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';
import { compareRights } from '../domain/rights.ts';
import type { BotRow } from '../ports/store.ts';
import type { SyncUse } from '../ports/sync.ts';
import { checkNames } from './names.ts';
import { needsOf } from './needs.ts';

/**
 * What of a bot does not fit its org any more, though it did when it was saved: names that the org has lost, fields that may not be
 * written now, and fields that every new record must have since. One sentence each, before a write fails by it. What operators declared is
 * checked as it was at the save, but for what policy closes, and what no describe shows: flows, classes, events and texts of queries.
 */
export async function driftOf(
  bot: Pick<BotRow, 'grants' | 'policy' | 'declared'>,
  inCode: readonly Action[],
  uses: readonly SyncUse[],
  describe: (object: string) => Promise<ObjectDescribe>,
): Promise<readonly string[]> {
  const actions = actionsOf(inCode, bot);
  const { problems } = await checkNames(bot.policy, actions, describe);
  const describes = new Map<string, ObjectDescribe>();
  const gone: string[] = [];
  const named = new Set(Object.keys(bot.policy.objects).map((name) => name.toLowerCase()));
  // Each of those is told by its own check.
  const coded = { ...bot, declared: [] };
  for (const { object, because } of needsOf(coded, inCode, uses)) {
    const found = await describe(object).catch((error: unknown) => {
      if (error instanceof GatehouseError && error.code === 'not_found') return undefined;
      throw error;
    });
    if (found) describes.set(object.toLowerCase(), found);
    // One that the policy names is told as such.
    else if (!named.has(object.toLowerCase()))
      gone.push(`${object} (for ${because.join(', ')}) is not shown any more.`);
  }
  // What the sync leaves out by itself is told with its records.
  const synced = new Set(uses.flatMap(({ fields }) => fields.map((field) => field.toLowerCase())));
  const objects = [...describes.values()].map(({ name, fields }) => ({
    ...{ object: name, create: true, edit: true, delete: true, viewAll: false, modifyAll: false },
    fields: fields.map((field) => ({
      name: field.name,
      isEditable: field.createable || field.updateable,
      isPermissionable: false,
    })),
  }));
  const needs = needsOf(coded, inCode, uses, describes).filter(({ object }) => describes.has(object.toLowerCase()));
  const { tooLittle } = compareRights(needs, { objects, system: undefined });
  return [
    ...problems.map(({ name, problem }) => `${name}: ${problem}.`),
    ...gone,
    ...tooLittle.flatMap(({ object, readFields, editFields, because }) => [
      ...readFields
        .filter((name) => !synced.has(`${object}.${name}`.toLowerCase()))
        .map((name) => `${object}.${name} (for ${because.join(', ')}) is not there any more, or not shown.`),
      ...editFields.map((name) => `${object}.${name} (for ${because.join(', ')}) may not be written any more.`),
    ]),
    ...inCode
      .filter(({ permission }) => bot.grants.includes(permission))
      .flatMap((one) => unfilled(one, bot, describes)),
    ...(await declaredDrift(bot, describe)),
  ];
}

async function declaredDrift(
  { grants, policy, declared }: Pick<BotRow, 'grants' | 'policy' | 'declared'>,
  describe: (object: string) => Promise<ObjectDescribe>,
): Promise<readonly string[]> {
  const granted = declared.filter(({ declaration }) => grants.includes(permissionOf(declaration.name)));
  const told = granted.map(async ({ declaration }) => {
    if (
      RUNS_ORG_CODE.has(declaration.operation) ||
      (declaration.operation === 'query' && declaration.soql !== undefined)
    )
      return [];
    const ask = { describe, flow: async () => ({ inputs: [] }), judge: async () => undefined };
    const problems = await orgProblems(declaration, ask, opened(declaration, policy));
    return problems.map(({ name, problem }) => `${declaration.name}: ${name}: ${problem}.`);
  });
  return (await Promise.all(told)).flat();
}

/** What policy closes is no change of the org: each call says so. */
function opened(declaration: Declaration, { objects }: Policy): Policy['objects'] {
  const { touches } = toAction({ declaration, revision: 0 });
  const named = [touches.reads, touches.creates, touches.edits, touches.deletes].flatMap((one) => one ?? []);
  return policySchema.parse({
    objects: Object.fromEntries([...Object.keys(objects), ...named].map((name) => [name, { read: true, write: true }])),
  }).objects;
}

/** A new record cannot be without these, and no input of the action fills them. */
function unfilled(
  { name, touches }: Action,
  { policy }: Pick<BotRow, 'policy'>,
  describes: ReadonlyMap<string, ObjectDescribe>,
): readonly string[] {
  const { creates = [], sets, mapped } = touches;
  if (sets === undefined || mapped === true) return [];
  const exposed = policyFor(policy, name).expose.map(({ field }) => field);
  const filled = (object: string) =>
    new Set([...(setsOf(touches, object) ?? []), ...exposed].map((one) => one.toLowerCase()));
  return creates.flatMap((object) =>
    (describes.get(object.toLowerCase())?.fields ?? [])
      .filter((field) => field.createable && !field.nillable && !field.defaultedOnCreate && field.type !== 'boolean')
      .filter((field) => !filled(object).has(field.name.toLowerCase()))
      .map(
        (field) => `${name} cannot create ${object} any more: ${field.name} is required now, and no input fills it.`,
      ),
  );
}
