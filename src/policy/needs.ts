import { policyFor } from '../../permissions/decide.ts';
import { filterAccess, openObjects } from '../../permissions/field-access.ts';
import { setsOf } from '../../permissions/policy.ts';
import { actionsOf } from '../declared/actions-of.ts';
import type { Action, ObjectDescribe } from '../domain/action.ts';
import { EXTERNAL_ID } from '../domain/external-id.ts';
import type { NeededField, NeededObject } from '../domain/rights.ts';
import type { BotRow } from '../ports/store.ts';
import type { SyncUse } from '../ports/sync.ts';
import { LOOKUP_KEYS, LOOKUPS } from './lookups.ts';
import { DEFAULT_LOOKUPS } from './names.ts';

/**
 * The least that a Salesforce user must be allowed for a bot to work: what its granted actions (those that an operator declared, too), its mappings and its policy name, as far
 * as policy opens it. Pure: `describes` are the objects as far as the org shows them, by name in lower case.
 */
export function needsOf(
  bot: Pick<BotRow, 'grants' | 'policy' | 'declared'>,
  inCode: readonly Action[],
  uses: readonly SyncUse[],
  describes: ReadonlyMap<string, ObjectDescribe> = new Map(),
): readonly NeededObject[] {
  const { grants, policy } = bot;
  const actions = actionsOf(inCode, bot);
  const found = new Map<string, Draft>();
  const [readable, writable] = [openObjects(policy.objects, 'read'), openObjects(policy.objects, 'write')];
  const { canRead } = filterAccess(policy.objects);
  const spelled = new Map(Object.keys(policy.objects).map((name) => [name.toLowerCase(), name]));

  const at = (object: string, because: string): Draft | undefined => {
    const key = object.toLowerCase();
    if (!readable.has(key)) return undefined;
    const name = describes.get(key)?.name ?? spelled.get(key) ?? object;
    const draft = found.get(key) ?? { object: name, ways: new Set(), fields: new Map(), because: new Set() };
    found.set(key, draft);
    draft.because.add(because);
    return draft;
  };
  const allow = (object: string, because: string, ...ways: readonly Way[]) => {
    const draft = at(object, because);
    if (draft && writable.has(object.toLowerCase())) for (const way of ways) draft.ways.add(way);
  };
  const name = (path: string, because: string, { isEdited = false, isOptional = false } = {}) => {
    const [object = '', field = ''] = path.split('.');
    if (field === '' || ALWAYS.has(field.toLowerCase()) || !canRead(object, field)) return;
    const draft = at(object, because);
    if (!draft) return;
    const key = field.toLowerCase();
    const known = describes.get(object.toLowerCase())?.fields.find((one) => one.name.toLowerCase() === key);
    const before = draft.fields.get(key);
    draft.fields.set(key, {
      name: known?.name ?? before?.name ?? field,
      isEdited: (isEdited && writable.has(object.toLowerCase())) || before?.isEdited === true,
      isOptional: isOptional && before?.isOptional !== false,
    });
  };
  /** Queries may ask for whatever is open: nothing fails for one of them that is not there. */
  const nameAll = (object: string, because: string) => {
    at(object, because);
    const listed = Object.entries(policy.objects).find(([of]) => of.toLowerCase() === object.toLowerCase())?.[1];
    const fields = listed?.allowFields ?? describes.get(object.toLowerCase())?.fields.map((field) => field.name) ?? [];
    for (const field of fields) name(`${object}.${field}`, because, { isOptional: true });
  };

  for (const action of actions.filter(({ permission }) => grants.includes(permission))) {
    const { reads = [], creates = [], edits = [], deletes = [], fields, mapped } = action.touches;
    // Its mapping says what it touches.
    if (mapped === true) continue;
    const objects = reads.includes('*') ? [...readable] : reads;
    for (const object of objects) {
      if (fields === undefined) nameAll(object, action.name);
      else at(object, action.name);
    }
    for (const field of fields ?? []) name(field, action.name);
    for (const object of creates) allow(object, action.name, 'create');
    for (const object of edits) allow(object, action.name, 'edit');
    for (const object of deletes) allow(object, action.name, 'edit', 'delete');
    const exposed = policyFor(policy, action.name).expose.map(({ field }) => field);
    for (const object of [...creates, ...edits])
      for (const field of [...(setsOf(action.touches, object) ?? []), ...exposed])
        name(`${object}.${field}`, action.name, { isEdited: true });
    for (const key of LOOKUP_KEYS) {
      const { object } = LOOKUPS[key];
      const isOptional = policy.lookups[key] === DEFAULT_LOOKUPS[key];
      if (reads.includes(object)) name(`${object}.${policy.lookups[key]}`, action.name, { isOptional });
    }
    for (const object of creates) name(`${object}.${EXTERNAL_ID}`, action.name, { isEdited: true, isOptional: true });
  }
  for (const use of uses) {
    const isGranted = actions.some((action) => action.name === use.action && grants.includes(action.permission));
    if (!use.isUsed && !isGranted) continue;
    const because = use.action ?? 'subscription';
    for (const { object, isWritten, isMade, isDeleted } of use.objects)
      allow(
        object,
        because,
        ...(isMade ? (['create'] as const) : []),
        ...(isWritten && !isMade ? (['create', 'edit'] as const) : []),
        ...(isDeleted ? (['edit', 'delete'] as const) : []),
      );
    for (const field of use.fields) {
      const isOptional = use.optional.includes(field);
      name(field, because, { isEdited: use.writes.includes(field), isOptional });
    }
    for (const { object, isWritten } of use.objects)
      if (isWritten) name(`${object}.${EXTERNAL_ID}`, because, { isEdited: true, isOptional: true });
  }
  return [...found.values()]
    .map(({ object, ways, fields, because }) => ({
      object,
      create: ways.has('create'),
      edit: ways.has('edit'),
      delete: ways.has('delete'),
      fields: [...fields.values()].sort(byName),
      because: [...because].sort(),
    }))
    .sort((a, b) => (a.object < b.object ? -1 : 1));
}

type Way = 'create' | 'edit' | 'delete';

interface Draft {
  readonly object: string;
  readonly ways: Set<Way>;
  readonly fields: Map<string, NeededField>;
  readonly because: Set<string>;
}

/** They come with their object. */
const ALWAYS: ReadonlySet<string> = new Set(['id', 'systemmodstamp', 'lastmodifieddate', 'createddate', 'isdeleted']);

const byName = (a: NeededField, b: NeededField) => (a.name < b.name ? -1 : 1);
