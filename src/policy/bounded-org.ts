import {
  fieldAccess,
  fieldSet,
  filterAccess,
  listedFields,
  openObjects,
  taggedFields,
  whereClosed,
} from '../../permissions/field-access.ts';
import { PERSON_ACCOUNT } from '../../permissions/mirrors.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { Condition, Find, Salesforce, Search, SObject } from '../domain/action.ts';
import { GatehouseError, naming, tellsOfOthers, veiled } from '../domain/errors.ts';
import { keptFor } from '../domain/kept-for.ts';
import { searchedFields } from '../domain/searched.ts';
import { LOOKUPS } from './lookups.ts';
import { fieldAt, type RelationshipPaths, resolvePaths } from './relationship-paths.ts';

/**
 * The org as policy lets a bot see it (P5): closed objects are refused, hidden fields are never asked for, masked ones are
 * dotted out, and a write to a closed field stops before it leaves. A parent read through a path is an object like any other.
 */
export function boundByPolicy(
  org: Salesforce,
  { objects, lookups }: Policy,
  note: (read: BoundRead) => void = () => {},
  /** The customer's value of the account key, signed by the host. */
  ownKey?: string,
): Salesforce {
  const { open, canRead, asksForPersons, masked, filters } = boundsOf(objects);

  const must = (way: 'read' | 'write', object: string) => {
    if (!open[way].has(object.toLowerCase())) throw closed(objects, object, way);
  };
  /** Accounts of this org may be people, and policy says something about these. Asked only where it matters. */
  let hasPersons = false;
  const meet = async (found: Iterable<string>) => {
    if (!(asksForPersons || masked.touches(PERSON_ACCOUNT)) || ![...found].some(isAccount)) return;
    const { fields } = await org.describe('Account');
    hasPersons = fields.some(({ name }) => name.toLowerCase() === 'ispersonaccount');
  };
  const isPerson = (object: string) => hasPersons && isAccount(object);
  const isHidden = (object: string, field: string) =>
    !ALWAYS.has(field.toLowerCase()) && !canRead(object, field, isPerson(object));
  const isMasked = (object: string, field: string) =>
    masked.has(object, field) || (isPerson(object) && masked.has(PERSON_ACCOUNT, field));
  const isShut = (object: string, field: string) => isHidden(object, field) || isMasked(object, field);

  const isClosedFilter = (object: string, field: string) =>
    !ALWAYS.has(field.toLowerCase()) && !filters.canRead(object, field, isPerson(object));

  /** The objects behind a relationship: none where its lookup field or one of the objects is closed. */
  const parents = async (object: string, relationship: string) => {
    const { fields } = await org.describe(object);
    const lookup = fields.find(({ relationshipName }) => relationshipName?.toLowerCase() === relationship);
    if (lookup === undefined || isShut(object, lookup.name)) return [];
    return lookup.referenceTo.every((target) => open.read.has(target.toLowerCase())) ? lookup.referenceTo : [];
  };
  const isOpen = (paths: RelationshipPaths, path: string, isClosed = isHidden) => {
    const end = fieldAt(paths, path);
    return end.objects.length > 0 && !end.objects.some((object) => isClosed(object, end.field));
  };
  /** A customer's own account is found by a closed key too: what the host signed is nobody's guess. */
  const isOwnKey = (paths: RelationshipPaths, condition: Condition) => {
    const { objects: found, field } = fieldAt(paths, condition.field);
    const key = `${LOOKUPS.accountKey.object}.${lookups.accountKey}`.toLowerCase();
    return (
      ownKey !== undefined &&
      'is' in condition &&
      condition.is === ownKey &&
      `${found.join()}.${field}`.toLowerCase() === key
    );
  };
  /** Whoever may ask by a field reads it, guess by guess. */
  const mayFilter = (paths: RelationshipPaths, condition: Condition) =>
    isOpen(paths, condition.field, isClosedFilter) || isOwnKey(paths, condition);
  /**
   * Look-alikes that Salesforce names: not where the object, or a field by which one may be alike, is closed; a closed name is left out.
   * Where none of them may be seen, that there are any is not said either.
   */
  const bounded = (error: unknown, object: string, fields: Readonly<Record<string, unknown>>): unknown => {
    if (!(error instanceof GatehouseError)) return error;
    if (error.candidates === undefined)
      return tellsOfOthers(error) && !open.read.has(object.toLowerCase()) ? veiled(error) : error;
    const seen = error.candidates.filter(({ hint }) => {
      const of = hint || object;
      return open.read.has(of.toLowerCase()) && !Object.keys(fields).some((field) => isShut(of, field));
    });
    if (seen.length === 0 && tellsOfOthers(error)) return veiled(error);
    const named = seen.map((one) => (isShut(one.hint || object, 'Name') ? { ...one, name: one.id } : one));
    const isWhole = named.length === error.candidates.length && named.every((one, at) => one === seen[at]);
    return isWhole ? error : naming(error, named);
  };

  const bind = async (object: string, find: Find): Promise<{ find: Find; paths: RelationshipPaths }> => {
    must('read', object);
    const { fields, where, orderBy } = find;
    const named = [...where.map(({ field }) => field), ...(orderBy === undefined ? [] : [orderBy.field])];
    const paths = await resolvePaths(object, [...fields, ...named], parents);
    await meet([...paths.values()].flat());
    for (const condition of where)
      if (!mayFilter(paths, condition)) throw closedField(objects, object, condition.field);
    if (orderBy !== undefined && !isOpen(paths, orderBy.field, isShut))
      throw closedField(objects, object, orderBy.field);
    return { find: { ...find, fields: fields.filter((path) => isOpen(paths, path)) }, paths };
  };
  const dotted = (paths: RelationshipPaths, record: object, steps: readonly string[] = []): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(record).map(([field, value]: [string, unknown]) => {
        const path = [...steps, field.toLowerCase()];
        if (value === null) return [field, null];
        if (fieldAt(paths, path.join('.')).objects.some((object) => isMasked(object, field))) return [field, DOTS];
        return [field, typeof value === 'object' && paths.has(path.join('.')) ? dotted(paths, value, path) : value];
      }),
    );
  const mask = (paths: RelationshipPaths, record: SObject) => dotted(paths, record) as SObject; // the same keys, so Id is still there
  const mustWrite = async (object: string, fields: Readonly<Record<string, unknown>>) => {
    must('write', object);
    await meet([object]);
    for (const field of Object.keys(fields)) if (isShut(object, field)) throw closedField(objects, object, field);
  };
  /** By which objects and fields something was asked for. */
  const reached = (object: string, find: Find, paths: RelationshipPaths) => {
    const named = [...find.fields, ...find.where.map(({ field }) => field)];
    const ends = named.flatMap((path) => {
      const end = fieldAt(paths, path);
      return end.objects.map((one) => ({ object: one, field: `${one}.${end.field}` }));
    });
    return {
      objects: [...new Set([object, ...ends.map((end) => end.object)])],
      fields: [...new Set(ends.map((end) => end.field))],
    };
  };
  const noted = (object: string, find: Find, paths: RelationshipPaths, rows: number) =>
    note({ asked: { object, find }, ...reached(object, find, paths), rows });
  /** A search finds by fields that nobody named: all that it looks through must be open. */
  const mustBeSearchable = async (object: string, scope: Search['scope']) => {
    const { name, fields } = await org.describe(object);
    const shut = searchedFields(scope, fields).find((field) => isClosedFilter(name, field));
    if (shut !== undefined) throw closedToSearch(objects, name, shut, scope);
  };

  return {
    instanceUrl: org.instanceUrl,
    recordUrl: (id) => org.recordUrl(id),
    describe: (object) => org.describe(object),
    check: async (object, operation, fields, inputNames, mustBeListed) => {
      // Refused before the preview, so that no person is asked for a write that policy closes.
      await mustWrite(object, fields);
      // Suggestions for a mistyped name leave hidden fields out.
      return org.check(object, operation, fields, inputNames, mustBeListed, (field) => !isShut(object, field));
    },
    get: async (object, id, fields) => {
      const { find, paths } = await bind(object, { fields, where: [], limit: 1 });
      const record = await org.get(object, id, find.fields);
      noted(object, { ...find, where: [{ field: 'Id', is: id }] }, paths, 1);
      return mask(paths, record);
    },
    find: async (object, wanted) => {
      const { find, paths } = await bind(object, wanted);
      const records = await org.find(object, find);
      noted(object, find, paths, records.length);
      return records.map((record) => mask(paths, record));
    },
    findAll: async (finds) => {
      const bound = await Promise.all(
        finds.map(async ({ object, find }) => ({ object, ...(await bind(object, find)) })),
      );
      const answers = await org.findAll(bound);
      return answers.map((records, at) => {
        const { object, find, paths } = bound[at]!; // answers come in order
        noted(object, find, paths, records.length);
        return records.map((record) => mask(paths, record));
      });
    },
    search: async (search) => {
      const bindPlace = async ({ object, fields, limit }: Search['places'][number]) => {
        const { find, paths } = await bind(object, { fields, where: [], limit });
        await mustBeSearchable(object, search.scope);
        return { place: { object, fields: find.fields, limit }, paths, reached: reached(object, find, paths) };
      };
      const bound = await Promise.all(search.places.map(bindPlace));
      const sent = { ...search, places: bound.map(({ place }) => place) };
      const found = await org.search(sent);
      note({
        asked: { search: sent },
        objects: [...new Set(bound.flatMap((one) => one.reached.objects))],
        fields: [...new Set(bound.flatMap((one) => one.reached.fields))],
        rows: found.length,
      });
      return found.flatMap(({ object, record }) => {
        const place = bound.find((one) => one.place.object === object);
        return place === undefined ? [] : [{ object, record: mask(place.paths, record) }];
      });
    },
    graph: async (steps, options) => {
      for (const { object, fields } of steps) await mustWrite(object, fields);
      return org.graph(steps, options).catch((error: unknown) => {
        // Which of them was refused is not said: what one of the objects closes is not told of any.
        let told = error;
        for (const { object, fields } of steps) told = bounded(told, object, fields);
        throw told;
      });
    },
    create: async (object, fields, options) => {
      await mustWrite(object, fields);
      return org.create(object, fields, options).catch((error: unknown) => {
        throw bounded(error, object, fields);
      });
    },
    update: async (object, record, changes) => {
      await mustWrite(object, changes);
      return org.update(object, record, changes).catch((error: unknown) => {
        throw bounded(error, object, changes);
      });
    },
    remove: async (object, record) => {
      await mustWrite(object, {});
      return org.remove(object, record);
    },
    // What code of the org does no policy bounds: a person is asked every time.
    invoke: (call) => org.invoke(call),
  };
}

const boundsOf = keptFor((objects: Policy['objects']) => ({
  open: { read: openObjects(objects, 'read'), write: openObjects(objects, 'write') },
  masked: fieldSet(taggedFields(objects, 'maskFields')),
  filters: filterAccess(objects),
  ...fieldAccess(taggedFields(objects, 'denyFields'), listedFields(objects)),
}));

/** What stands for a value that policy masks. */
export const DOTS = '••••';

/** One question to the org, as it was sent, and how much came of it. */
export interface BoundRead {
  readonly asked: { readonly object: string; readonly find: Find } | { readonly search: Search };
  readonly objects: readonly string[];
  readonly fields: readonly string[];
  readonly rows: number;
}

const isAccount = (object: string) => object.toLowerCase() === 'account';

/** Fields that updates and ordering need: open on every object that may be read. */
const ALWAYS: ReadonlySet<string> = new Set(['id', 'lastmodifieddate', 'createddate']);

export function closed(objects: Policy['objects'], object: string, way: 'read' | 'write'): GatehouseError {
  const place = whereClosed(objects, object, way);
  return new GatehouseError(
    'permission_denied',
    `${object} is not open to this bot to ${way} (${place} in its policy).`,
    {
      next: `Tell the user that this is not possible here; an operator can open it: set ${place} in the policy of the bot.`,
      fields: [{ name: place, problem: `closes ${object} to ${way}` }],
    },
  );
}

function closedField(objects: Policy['objects'], object: string, field: string): GatehouseError {
  return new GatehouseError('permission_denied', `${object}.${field} is not open to this bot.`, {
    next: `Leave this field out; an operator can open it in the policy of the bot, under ${whereClosed(objects, object, 'read').replace(/\.read$/, '')} (denyFields, maskFields, allowFields) or objects.*.`,
    fields: [{ name: field, problem: 'not open to this bot' }],
  });
}

function closedToSearch(objects: Policy['objects'], object: string, field: string, scope: string): GatehouseError {
  return new GatehouseError(
    'permission_denied',
    `A search in ${scope} fields of ${object} would look through ${field}, which is not open to this bot.`,
    {
      next: `Tell the user that this search is not possible; an operator can narrow it ("in": "name", "email" or "phone") or open ${field} under ${whereClosed(objects, object, 'read').replace(/\.read$/, '')}.`,
      fields: [{ name: field, problem: 'not open to this bot' }],
    },
  );
}
