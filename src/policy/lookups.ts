import { filterAccess, openObjects, whereClosed } from '../../permissions/field-access.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { FieldDescribe, ObjectDescribe } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { BotRow } from '../ports/store.ts';

/** The fields of an org by which people name records: the host's key of an account, a reference like OPP-123. */

export type LookupKey = keyof Policy['lookups'];

export const LOOKUPS = {
  accountKey: { object: 'Account', means: "the host app's key of an account" },
  opportunityReference: { object: 'Opportunity', means: 'references like OPP-123' },
} as const satisfies Record<LookupKey, { object: string; means: string }>;

export const LOOKUP_KEYS = Object.keys(LOOKUPS) as readonly LookupKey[]; // its own keys

/** The field as the org spells it; undefined where it has none of that name. */
export function fieldOf(describe: ObjectDescribe, name: string): string | undefined {
  return describe.fields.find((field) => field.name.toLowerCase() === name.toLowerCase())?.name;
}

/** What this org has instead, the fittest first: external ids, numbers that count themselves, unique texts named like one. */
export function fitting(key: LookupKey, { fields }: ObjectDescribe): readonly string[] {
  return fields
    .map((field) => ({ name: field.name, fit: fitOf(key, field) }))
    .filter(({ fit }) => fit > 0)
    .sort((a, b) => b.fit - a.fit || a.name.localeCompare(b.name, 'en'))
    .slice(0, 3)
    .map(({ name }) => name);
}

function fitOf(key: LookupKey, field: FieldDescribe): number {
  if (!field.filterable || !['string', 'double', 'int'].includes(field.type) || field.name === 'Name') return 0;
  const isNamed = NAMES[key].test(`${field.name} ${field.label}`.replaceAll('_', ' '));
  const isKey = field.externalId || field.unique || field.isAutoNumber === true;
  if (!isKey && !(isNamed && field.custom)) return field.name === 'AccountNumber' && key === 'accountKey' ? 1 : 0;
  return (
    (isNamed ? 4 : 0) + (field.externalId ? 2 : 0) + (field.isAutoNumber === true ? 2 : 0) + (field.unique ? 1 : 0)
  );
}

const NAMES = {
  accountKey: /\b(?:key|number|no|nr|code|customer|account ?id|external)\b/i,
  opportunityReference: /\b(?:ref|reference|number|no|nr|code|deal|opp)\b/i,
} as const;

export function missingLookup(
  bot: Pick<BotRow, 'name' | 'policy'>,
  key: LookupKey,
  describe: ObjectDescribe,
): GatehouseError {
  const { name, problem, next } = noteOf(bot, key, describe);
  return new GatehouseError('invalid_input', problem, {
    next: `Ask the user for the Id or the exact name instead. ${next}`,
    fields: [{ name, problem }],
  });
}

/** What may be no filter is no key either: an answer would tell that the guess was right. */
export function isClosedLookup({ objects, lookups }: Pick<Policy, 'objects' | 'lookups'>, key: LookupKey): boolean {
  const { object } = LOOKUPS[key];
  // A closed object is refused as such, with its own place in the policy.
  const isOpen = openObjects(objects, 'read').has(object.toLowerCase());
  return isOpen && !filterAccess(objects).canRead(object, lookups[key]);
}

export function closedLookup({ policy }: Pick<BotRow, 'policy'>, key: LookupKey): GatehouseError {
  const { object, means } = LOOKUPS[key];
  const problem = `${object}.${policy.lookups[key]} is not open to this bot, so ${means} cannot be looked up.`;
  const place = whereClosed(policy.objects, object, 'read').replace(/\.read$/, '');
  return new GatehouseError('permission_denied', problem, {
    next: `Ask the user for the Id or the exact name instead. An operator can open the field in the policy of the bot, under ${place} (denyFields, maskFields, allowFields) or objects.*.`,
    fields: [{ name: `lookups.${key}`, problem }],
  });
}

export interface LookupNote {
  /** `lookups.opportunityReference` */
  readonly name: string;
  readonly problem: string;
  readonly next: string;
  readonly fitting: readonly string[];
}

/** The lookups that do not work on the org of this bot, with what to set; one note where the org cannot be asked now. */
export async function lookupNotes(
  connections: Pick<Connections, 'open'>,
  bot: Pick<BotRow, 'name' | 'policy'>,
): Promise<readonly LookupNote[]> {
  try {
    const org = await connections.open(bot.name, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const notes = await Promise.all(
      LOOKUP_KEYS.map(async (key) => {
        const describe = await org.describe(LOOKUPS[key].object);
        return fieldOf(describe, bot.policy.lookups[key]) === undefined ? [noteOf(bot, key, describe)] : [];
      }),
    );
    return notes.flat();
  } catch (error) {
    if (error instanceof GatehouseError) return [notAsked(error)];
    throw error;
  }
}

const PATIENCE_MS = 5_000;

function notAsked({ message, next }: GatehouseError): LookupNote {
  return {
    name: 'lookups',
    problem: `Whether the org has the fields by which people name records could not be asked: ${message}`,
    next,
    fitting: [],
  };
}

function noteOf(
  { name, policy }: Pick<BotRow, 'name' | 'policy'>,
  key: LookupKey,
  describe: ObjectDescribe,
): LookupNote {
  const { object, means } = LOOKUPS[key];
  const found = fitting(key, describe);
  const choose = found.length > 0 ? `to ${found.join(' or ')}` : 'to the API name of a field that holds it';
  return {
    name: `lookups.${key}`,
    problem: `${object} has no field ${policy.lookups[key]} in this org, so ${means} cannot be looked up.`,
    next: `An operator sets lookups.${key} in the policy ${choose}: gatehouse policy get ${name} policy.json, then gatehouse policy set ${name} policy.json.`,
    fitting: found,
  };
}
