import type { FieldValue } from '../../domain/action.ts';
import { type GatehouseError, toErrorBody } from '../../domain/errors.ts';
import { foldedName, plainName } from '../../domain/stored-value/text.ts';
import type { ParentRule } from '../mapping/compile.ts';
import { isAboutFields, type LookedUp, type Lookup } from '../remote/look-up.ts';
import { quote } from '../remote/soql-read.ts';
import { kindsOf, type ParentAnswer, type ParentIndex } from './plan.ts';

/** A parent that a host record names: its account by name, its owner by email. */
export interface AskedParent {
  readonly parent: ParentRule;
  readonly name: FieldValue;
}

export type AskedParents = ReadonlyMap<string, AskedParent>;

/** What was made or chosen by hand, by key; null where an operator leaves it out. */
export type ChosenParents = ReadonlyMap<string, string | null>;

export interface FoundParent extends AskedParent {
  readonly ids: readonly string[];
  /** The org did not answer for one of the objects that it may be. */
  readonly refused: GatehouseError | undefined;
}

/** One look-up per object and field, whichever rules ask. */
export function lookupsOf(asked: AskedParents): readonly Lookup[] {
  const groups = new Map<string, { object: string; field: string; values: string[] }>();
  for (const { parent, name } of asked.values())
    for (const object of parent.objects) {
      const key = `${object}.${parent.field}`;
      const group = groups.get(key) ?? { object, field: parent.field, values: [] };
      groups.set(key, group);
      // Salesforce tells two spaces from one: both spellings are asked for.
      group.values.push(...new Set([String(name), plainName(String(name))]));
    }
  return [...groups.values()].map(({ object, field, values }) => ({ object, select: ['Id', field], field, values }));
}

export function foundParents(
  asked: AskedParents,
  lookups: readonly Lookup[],
  answers: readonly LookedUp[],
): ReadonlyMap<string, FoundParent> {
  const at = new Map(lookups.map(({ object, field }, index) => [`${object}.${field}`, answers[index]]));
  return new Map(
    [...asked].map(([key, { parent, name }]) => {
      const found = parent.objects.map((object) => at.get(`${object}.${parent.field}`));
      const ids = found.flatMap((answer) =>
        (answer?.records ?? []).flatMap((record) => {
          const said = record[parent.field];
          return typeof said === 'string' && foldedName(said) === foldedName(name) ? [String(record.Id)] : [];
        }),
      );
      const refused = found.map((answer) => answer?.refused.get(String(name))).find((error) => error !== undefined);
      return [key, { parent, name, ids: [...new Set(ids)], refused }];
    }),
  );
}

/** What the plan needs of the parents: an id, or why there is none. */
export function toParentIndex(found: ReadonlyMap<string, FoundParent>, chosen: ChosenParents): ParentIndex {
  const index = new Map<string, ParentAnswer>();
  for (const [key, one] of found) {
    const [only] = one.ids;
    if (only !== undefined && one.ids.length === 1) index.set(key, { id: only });
    else if (one.ids.length === 0 && one.refused && !isAboutFields(one.refused))
      index.set(key, { later: toErrorBody(one.refused).error });
    else {
      const message = one.ids.length === 0 ? noParent(one) : manyParents(one);
      const { parent, name, ids } = one;
      index.set(key, { waitsFor: { object: kindsOf(parent), name: String(name), ids: ids.slice(0, 5), message } });
    }
  }
  for (const [key, id] of chosen) index.set(key, id === null ? { leftOut: true } : { id });
  return index;
}

/** Parents that nobody has and the mapping would make. */
export function missingParents(found: ReadonlyMap<string, FoundParent>): readonly {
  readonly object: string;
  readonly name: string;
  readonly key: string;
}[] {
  return [...found].flatMap(([key, { parent, name, ids, refused }]) =>
    parent.write === 'find_or_create' && ids.length === 0 && !refused
      ? [{ object: parent.objects[0] ?? '', name: String(name), key }]
      : [],
  );
}

/** For a preview or trial: a parent that would be created stands in the plan as the id `new`. */
export function pretendedParents(found: ReadonlyMap<string, FoundParent>, chosen: ChosenParents): ParentIndex {
  const missing = missingParents(found).map(({ key }) => [key, NEW] as const);
  return toParentIndex(found, new Map<string, string | null>([...chosen, ...missing]));
}

export const NEW = 'new';

function noParent({ parent, name, refused }: FoundParent): string {
  const unseen = [...parent.skipped, ...(refused ? [refused.message] : [])].join(' ');
  const cure = `create it in Salesforce, choose one by hand, leave it out, or set "parent" to "find_or_create".`;
  return `No ${kindsOf(parent)} is called ${quote(String(name))}: ${cure}${unseen === '' ? '' : ` ${unseen}`}`;
}

const manyParents = ({ parent, name, ids }: FoundParent): string =>
  `${ids.length} records of ${kindsOf(parent)} are called ${quote(String(name))} (${ids.slice(0, 5).join(', ')}): choose the right one by hand.`;
