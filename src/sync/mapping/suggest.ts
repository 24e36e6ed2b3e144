import type { FieldDescribe, FieldValue, ObjectDescribe } from '../../domain/action.ts';
import { inTurns } from '../../domain/breath.ts';
import type { Kind, Rule } from '../../domain/mapping.ts';
import { defaultMapping } from './defaults.ts';

export interface Suggestion {
  readonly rule: Rule;
  /** 0 to 1. Nothing is saved by itself, however sure. */
  readonly confidence: number;
  readonly reason: string;
}

/** More names than anybody writes rules for; each is held against every field. */
const MOST_NAMES = 1_000;
/** Of a describe of 800 fields they take some milliseconds. */
const NAMES_A_TURN = 10;

/** Rules for host fields that no rule covers yet, best first, each with why. */
export async function suggestRules(
  kind: Kind,
  samples: Readonly<Record<string, FieldValue>>,
  describe: ObjectDescribe,
  taken: { readonly local: ReadonlySet<string>; readonly remote: ReadonlySet<string> },
): Promise<readonly Suggestion[]> {
  const free = describe.fields.filter((field) => !taken.remote.has(field.name) && isPlain(field));
  const targets = free.map(toTarget);
  const open = Object.entries(samples).filter(([name]) => !taken.local.has(name));
  const all = await inTurns(open.slice(0, MOST_NAMES), NAMES_A_TURN, ([name, sample]) =>
    suggestFor(kind, name, sample, targets, describe),
  );
  const found = all.flatMap((one) => one ?? []);
  const covered = new Set([...taken.remote, ...found.flatMap(({ rule }) => rule.remote)]);
  return [...found, ...fillers(free, describe, covered)].sort((a, b) => b.confidence - a.confidence);
}

const NOT_PROVIDED = { use: 'default', value: '[not provided]' } as const;

/** Text without which no record is made, and which no host field fills: a lead has a company. Nobody gets a made-up name. */
function fillers(
  fields: readonly FieldDescribe[],
  { name }: ObjectDescribe,
  covered: ReadonlySet<string>,
): readonly Suggestion[] {
  return fields
    .filter((field) => isRequiredText(field) && !covered.has(field.name) && !/Name$/.test(field.name))
    .map((field) => ({
      rule: { local: [], remote: [field.name], direction: 'to_crm', transforms: [NOT_PROVIDED] },
      confidence: 0.6,
      reason: `no ${name} is made without ${field.name}, and no host field fills it`,
    }));
}

const isRequiredText = ({ type, createable, nillable, defaultedOnCreate }: FieldDescribe): boolean =>
  type === 'string' && createable && !nillable && !defaultedOnCreate;

function suggestFor(
  kind: Kind,
  name: string,
  sample: FieldValue,
  targets: readonly Target[],
  describe: ObjectDescribe,
): Suggestion | undefined {
  const known = defaultMapping(kind).rules.find((rule) => rule.local[0] === name);
  const isHome = describe.name === defaultMapping(kind).object;
  const isThere = known?.remote.every((remote) =>
    remote.includes('.') ? isHome : targets.some(({ field }) => field.name === remote),
  );
  if (known && isThere) {
    const reason = isHome ? `the usual place of ${name}` : `where a ${defaultMapping(kind).object} has ${name}`;
    return { rule: known, confidence: isHome ? 0.95 : 0.9, reason };
  }
  const wanted = letters(name);
  const ranked = targets
    .map((target) => ({ field: target.field, ...likeness(wanted, sample, target) }))
    .filter((one) => one.confidence >= LEAST)
    .sort((a, b) => b.confidence - a.confidence || (a.field.name < b.field.name ? -1 : 1));
  const [best, next] = ranked;
  if (!best) return undefined;
  const gap = isRequiredText(best.field) && best.field.updateable ? [NOT_PROVIDED] : [];
  const isClose = next && best.confidence - next.confidence < 0.1;
  return {
    rule: {
      local: [name],
      remote: [best.field.name],
      direction: best.field.updateable ? 'both' : 'from_crm',
      transforms:
        best.field.type === 'date' || best.field.type === 'datetime' ? [{ use: 'date', form: best.field.type }] : gap,
    },
    confidence: isClose ? Math.min(best.confidence, 0.5) : best.confidence,
    reason: isClose ? `${best.reason}; ${next.field.name} fits nearly as well` : best.reason,
  };
}

const LEAST = 0.4;

const SYNONYMS: readonly (readonly string[])[] = [
  ['phone', 'telephone', 'tel', 'businessphone'],
  ['mobile', 'cell', 'mobilephone', 'cellphone'],
  ['email', 'mail', 'emailaddress'],
  ['jobtitle', 'title', 'position'],
  ['notes', 'description', 'comment', 'comments', 'summary'],
  ['city', 'town', 'location', 'mailingcity'],
  ['country', 'mailingcountry'],
  ['zip', 'postalcode', 'postcode', 'mailingpostalcode'],
  ['street', 'address', 'mailingstreet'],
  ['birthday', 'birthdate', 'dateofbirth', 'dob'],
  ['source', 'leadsource', 'channel'],
  ['reference', 'ref', 'number', 'trackingnumber'],
  ['amount', 'value', 'price', 'total'],
];
/** Each word stands in one group. */
const MEANINGS = new Map(SYNONYMS.flatMap((group) => group.map((word) => [word, group] as const)));

/** A field as names are compared with it: once for all of them, its label may be long. */
interface Target {
  readonly field: FieldDescribe;
  readonly api: string;
  readonly label: string;
}

const toTarget = (field: FieldDescribe): Target => ({ field, api: letters(field.name), label: letters(field.label) });

function likeness(wanted: string, sample: FieldValue, target: Target): { confidence: number; reason: string } {
  const { field } = target;
  const fit = typeFit(sample, field);
  if (fit === 'never') return { confidence: 0, reason: 'the type does not fit' };
  const [score, reason] = nameScore(wanted, target);
  const confidence = Math.round((fit === 'well' ? Math.min(1, score + 0.05) : score) * 100) / 100;
  return { confidence, reason: fit === 'well' ? `${reason}, and the sample fits a ${field.type}` : reason };
}

function nameScore(wanted: string, { field, api, label }: Target): [number, string] {
  if (wanted === api) return [0.9, `same name as ${field.name}`];
  if (wanted === label) return [0.85, `same as the label "${field.label}"`];
  const same = MEANINGS.get(wanted);
  if (same !== undefined && (same === MEANINGS.get(api) || same === MEANINGS.get(label))) {
    return [0.7, `${field.name} usually means the same`];
  }
  const shared = overlap(words(wanted, api), words(wanted, label));
  return [shared, `similar to ${field.name}`];
}

/** Length of the common part over the longer one. */
function words(a: string, b: string): number {
  if (a.length < 4 || b.length < 4) return 0;
  const share = (0.75 * Math.min(a.length, b.length)) / Math.max(a.length, b.length);
  // Too little even where the sample fits: most pairs end here.
  if (share < LEAST - 0.06) return 0;
  return b.includes(a) || a.includes(b) ? share : 0;
}
const overlap = (...scores: number[]): number => Math.max(...scores);

function typeFit(sample: FieldValue, { type }: FieldDescribe): 'well' | 'maybe' | 'never' {
  if (sample === null) return 'maybe';
  if (typeof sample === 'boolean') return type === 'boolean' ? 'well' : 'never';
  if (typeof sample === 'number') return NUMBERS.has(type) ? 'well' : TEXTS.has(type) ? 'maybe' : 'never';
  if (type === 'boolean') return 'never';
  if (NUMBERS.has(type)) return /^-?[\d\s.,]+$/.test(sample) ? 'maybe' : 'never';
  if (type === 'date' || type === 'datetime') return /^\d{4}-\d{2}-\d{2}/.test(sample) ? 'well' : 'never';
  if (type === 'email') return sample.includes('@') ? 'well' : 'never';
  if (type === 'url') return /^(https?:\/\/|www\.)|\.\w{2,}$/.test(sample) ? 'well' : 'maybe';
  return type === 'reference' || type === 'id' ? 'never' : 'maybe';
}

const NUMBERS = new Set(['int', 'double', 'currency', 'percent']);
const TEXTS = new Set(['string', 'textarea', 'phone', 'picklist', 'multipicklist', 'url']);

const isPlain = (field: FieldDescribe) =>
  field.type !== 'address' && field.type !== 'id' && !/^(IsDeleted|Gatehouse_Id__c)$/.test(field.name);
const letters = (text: string) =>
  text
    .toLowerCase()
    .replace(/__c$/, '')
    .replace(/[^a-z0-9]/g, '');
