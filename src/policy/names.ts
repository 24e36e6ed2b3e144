import { policyFor } from '../../permissions/decide.ts';
import { fieldAccess, listedFields, shownAs, taggedFields } from '../../permissions/field-access.ts';
import { type ActionPolicy, OPEN_TO_READ, type Policy } from '../../permissions/policy.ts';
import type { Action, FieldDescribe, ObjectDescribe } from '../domain/action.ts';
import { breathe } from '../domain/breath.ts';
import { type FieldProblem, GatehouseError } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';

/**
 * The names of a policy against the org that it is for: one that Salesforce does not know stands for a rule that never holds.
 * What cannot be looked up is a warning, never a refusal.
 */
export interface NamesCheck {
  readonly problems: readonly FieldProblem[];
  readonly warnings: readonly FieldProblem[];
  /** What could not be looked up: it is saved, and said until it was. */
  readonly unchecked: readonly FieldProblem[];
}

type Describe = (object: string) => Promise<ObjectDescribe>;

export async function checkNames(policy: Policy, actions: readonly Action[], describe: Describe): Promise<NamesCheck> {
  const problems: FieldProblem[] = [];
  const warnings: FieldProblem[] = [];
  const unchecked: FieldProblem[] = [];
  const { org, failed } = createLookup(describe);
  /** So many are told; the nearest names of thousands would cost seconds. */
  const near = (name: string, known: () => readonly string[]) =>
    problems.length < MOST_NEAREST ? suggest(nearest(name, known())) : '';
  const listed = Object.keys(policy.objects).filter((name) => name !== '*');
  const known = new Map(await Promise.all(listed.map(async (name) => [name, await org(name)] as const)));

  for (const [name, found] of known) {
    if (found !== 'unknown') continue;
    const others = near(name, () => [...COMMON, ...listed.filter((one) => one !== name)]);
    problems.push({ name: `objects.${name}`, problem: `is no object of this org${others}` });
  }
  const describes = [...known.values()].filter(isDescribe);
  const say = async (place: string, name: string, of: readonly ObjectDescribe[]) => {
    // A policy names thousands of fields, an org has as many.
    await breathe();
    if (of.length === 0)
      unchecked.push({ name: place, problem: `${name} was not checked: no object of it could be looked up` });
    if (of.length === 0 || of.some((one) => hasField(one, name))) return;
    const others = near(name, () => of.flatMap(({ fields }) => fields.map((field) => field.name)));
    problems.push({
      name: place,
      problem: `${name} is no field of ${of.length === 1 ? of[0]?.name : 'any object of this policy'}${others}`,
    });
  };

  for (const [object, rules] of Object.entries(policy.objects)) {
    const found = known.get(object);
    // That it is unknown, or was not checked, is said of the object.
    if (object !== '*' && !isDescribe(found)) continue;
    const of = object === '*' ? describes : isDescribe(found) ? [found] : [];
    for (const key of ['allowFields', 'denyFields', 'sensitiveFields', 'maskFields'] as const)
      for (const [at, field] of (rules[key] ?? []).entries()) await say(`objects.${object}.${key}[${at}]`, field, of);
  }

  for (const action of actions) {
    if (!Object.hasOwn(policy.actions, action.name)) continue;
    const actionPolicy = policyFor(policy, action.name);
    const place = `actions.${action.name}`;
    // A mapping may name any object that is open.
    const names =
      action.touches.mapped === true ? [] : [...(action.touches.creates ?? []), ...(action.touches.edits ?? [])];
    const found = names.length === 0 ? describes : (await Promise.all(names.map(org))).filter(isDescribe);
    let changeable: ReadonlySet<string> | undefined;
    for (const [at, field] of actionPolicy.autoFields.entries()) await say(`${place}.autoFields[${at}]`, field, found);
    for (const [at, { field }] of actionPolicy.expose.entries()) {
      if (action.exposes === undefined)
        problems.push({ name: `${place}.expose[${at}]`, problem: `${action.name} takes no further fields` });
      else await say(`${place}.expose[${at}].field`, field, found);
    }
    for (const [at, rule] of actionPolicy.rules.entries()) {
      const inside = `${place}.rules[${at}].if`;
      for (const [n, field] of (rule.if.fieldIn ?? []).entries()) {
        await say(`${inside}.fieldIn[${n}]`, field, found);
        changeable ??= changeableBy(action, actionPolicy, found);
        if (found.some((one) => hasField(one, field)) && !changeable.has(plain(field)))
          problems.push({
            name: `${inside}.fieldIn[${n}]`,
            problem: `never holds: no call of ${action.name} changes ${field}, nor what it shows; expose it as an input, or take it out`,
          });
      }
      if (rule.if.stageIn === undefined) continue;
      const deals = await org('Opportunity');
      if (deals === 'unknown')
        unchecked.push({ name: `${inside}.stageIn`, problem: 'was not checked: the org shows no Opportunity' });
      problems.push(...stageProblems(`${inside}.stageIn`, rule.if.stageIn, deals));
    }
  }

  for (const [key, object] of [
    ['accountKey', 'Account'],
    ['opportunityReference', 'Opportunity'],
  ] as const) {
    const found = await org(object);
    if (!isDescribe(found) || hasField(found, policy.lookups[key])) continue;
    // Nobody chose the default name: an org that lacks it gets a warning and saves all the same.
    const isDefault = policy.lookups[key] === DEFAULT_LOOKUPS[key];
    const others = near(policy.lookups[key], () => found.fields.map(({ name }) => name));
    (isDefault ? warnings : problems).push({
      name: `lookups.${key}`,
      problem: `${policy.lookups[key]} is no field of ${found.name}${others}`,
    });
  }

  warnings.push(...(await formulasOver(policy, describes, org)));
  for (const [name, error] of failed)
    unchecked.push({ name: `objects.${name}`, problem: `was not checked: ${error.message}` });
  return { problems, warnings, unchecked };
}

const MOST_NEAREST = 20;

/** What a call can set, and the fields that show its data: the stage changes IsClosed. In lower case. */
function changeableBy(
  { touches }: Action,
  { expose }: ActionPolicy,
  found: readonly ObjectDescribe[],
): ReadonlySet<string> {
  const settable =
    touches.sets === undefined
      ? found.flatMap(({ fields }) => fields.filter((one) => one.createable || one.updateable).map(({ name }) => name))
      : [...touches.sets.map((name) => name.split('.').at(-1) ?? ''), ...expose.map((one) => one.field)];
  return new Set(settable.flatMap((name) => shownAs('*', name).map((shown) => plain(shown.field))));
}

const fieldsOf = new WeakMap<ObjectDescribe, ReadonlySet<string>>();

function hasField(describe: ObjectDescribe, name: string): boolean {
  const known = fieldsOf.get(describe) ?? new Set(describe.fields.map((field) => plain(field.name)));
  fieldsOf.set(describe, known);
  return known.has(plain(name));
}

export const DEFAULT_LOOKUPS = { accountKey: 'Account_Key__c', opportunityReference: 'Reference__c' } as const;
const COMMON = [...OPEN_TO_READ, 'CampaignMember', 'User', 'Asset', 'Contract', 'Order', 'Quote'];

/** An org that does not answer knows neither yes nor no. */
type Found = ObjectDescribe | 'unknown' | GatehouseError;

const isDescribe = (found: Found | undefined): found is ObjectDescribe =>
  typeof found === 'object' && 'fields' in found && 'childRelationships' in found;

function createLookup(describe: Describe) {
  const asked = new Map<string, Promise<Found>>();
  const failed = new Map<string, GatehouseError>();
  const org = (object: string): Promise<Found> => {
    const key = object.toLowerCase();
    const found =
      asked.get(key) ??
      describe(object).catch((error: unknown): Found => {
        if (!(error instanceof GatehouseError)) throw error;
        if (error.code === 'not_found' || error.code === 'invalid_input') return 'unknown';
        failed.set(object, error);
        return error;
      });
    asked.set(key, found);
    return found;
  };
  return { org, failed: failed as ReadonlyMap<string, GatehouseError> };
}

function stageProblems(place: string, stages: readonly string[], found: Found): FieldProblem[] {
  const field = isDescribe(found) ? found.fields.find(({ name }) => name === 'StageName') : undefined;
  const values = field?.picklistValues.map(({ value }) => value) ?? [];
  if (values.length === 0) return [];
  return stages.flatMap((stage, at) => {
    if (values.some((value) => isSame(value, stage))) return [];
    const labelled = field?.picklistValues.find(({ label }) => isSame(label, stage));
    const near = labelled === undefined ? nearest(stage, values) : [labelled.value];
    return [
      {
        name: `${place}[${at}]`,
        problem: `${JSON.stringify(stage.slice(0, 80))} is no stage of this org${suggest(near)}`,
      },
    ];
  });
}

/** Formulas that show what the policy closes. A policy cannot close them by itself: which ones matter is for its author to say. */
async function formulasOver(
  { objects }: Policy,
  describes: readonly ObjectDescribe[],
  org: (object: string) => Promise<Found>,
): Promise<FieldProblem[]> {
  const closed = [...taggedFields(objects, 'denyFields'), ...taggedFields(objects, 'maskFields')];
  const { canRead } = fieldAccess(closed, listedFields(objects));
  const named: FieldProblem[] = [];
  for (const object of describes) {
    for (const field of object.fields) {
      if (field.formula === undefined || !canRead(object.name, field.name)) continue;
      const hit = await firstClosed(field, object, org, canRead);
      if (hit !== undefined)
        named.push({
          name: `objects.${object.name}.denyFields`,
          problem: `${object.name}.${field.name} is a formula over ${hit}, which this policy closes: deny it too, or say so knowingly`,
        });
    }
  }
  return named;
}

/** Names and paths in a formula, its texts left out: `Account.AnnualRevenue * 2`, `$User.Email`. */
async function firstClosed(
  { formula = '' }: FieldDescribe,
  object: ObjectDescribe,
  org: (object: string) => Promise<Found>,
  canRead: (object: string, field: string) => boolean,
): Promise<string | undefined> {
  const code = formula.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, ' ').replace(/\/\*[\s\S]*?\*\//g, ' ');
  for (const path of new Set(code.match(/[A-Za-z]\w*(?:\s*\.\s*[A-Za-z]\w*)*/g) ?? [])) {
    const steps = path.split('.').map((step) => step.trim());
    const last = steps.pop() ?? '';
    let holders: readonly ObjectDescribe[] = [object];
    for (const step of steps) {
      const targets = holders.flatMap(({ fields }) =>
        fields
          .filter(({ relationshipName }) => relationshipName !== null && isSame(relationshipName, step))
          .flatMap(({ referenceTo }) => referenceTo),
      );
      const found = await Promise.all(targets.slice(0, MOST_TARGETS).map(org));
      holders = found.filter(isDescribe);
    }
    for (const { name, fields } of holders) {
      const hit = fields.find((one) => isSame(one.name, last));
      if (hit !== undefined && !canRead(name, hit.name)) return `${name}.${hit.name}`;
    }
  }
  return undefined;
}

const MOST_TARGETS = 5;

const plain = (name: string) => name.trim().toLowerCase();
const isSame = (a: string, b: string) => plain(a) === plain(b);
const suggest = (near: readonly string[]) => (near.length === 0 ? '' : `; nearest: ${near.join(', ')}`);
