import { OPEN_TO_READ } from '../../../permissions/policy.ts';
import { KINDS, type Mapping, type Rule } from '../../domain/mapping.ts';
import type { SyncUse } from '../../ports/sync.ts';
import type { SyncStore } from '../../ports/sync-store.ts';
import { defaultMapping, isShippedRule } from '../mapping/defaults.ts';
import { ACTION_OF, ROLE, ROLE_FIELDS } from '../remote/policy-bounds.ts';

/** What the sync of a bot reaches, from what is kept here: the org is not asked, so where a custom relationship leads is not known. */
export async function syncUse(
  { store }: { readonly store: Pick<SyncStore, 'hosts' | 'log' | 'mappings' | 'subscriptions'> },
  bot: string,
  since: number,
): Promise<readonly SyncUse[]> {
  const kinds = KINDS.map(async (kind) => {
    const saved = await store.mappings.get(bot, kind);
    const [[record], [logged]] = await Promise.all([
      store.hosts.newest(bot, kind, 1),
      store.log.find(bot, { kind, limit: 1 }),
    ]);
    const isUsed = saved !== undefined || record !== undefined || (logged?.at ?? 0) >= since;
    return { action: ACTION_OF[kind], isUsed, ...reachOf(saved?.mapping ?? defaultMapping(kind)) };
  });
  const subscribed = (await store.subscriptions.list(bot)).map(({ object, fields, when }) => ({
    action: null,
    isUsed: true,
    objects: [{ object, isWritten: false }],
    fields: [...new Set([...fields, ...(when ? [when.field] : [])])].map((field) => `${object}.${field}`),
    writes: [],
    optional: [],
    unknown: [],
  }));
  return [...(await Promise.all(kinds)), ...subscribed];
}

function reachOf(mapping: Mapping): Omit<SyncUse, 'action' | 'isUsed'> {
  const { object, rules, lookup, kind, roles, onHostDelete } = mapping;
  const hasRoles = kind === 'case' && object === 'Opportunity' && Object.keys(roles).length > 0;
  const parents = rules.flatMap((rule) => parentOf(object, rule) ?? []);
  return {
    objects: [
      { object, isWritten: true, isDeleted: onHostDelete === 'delete' },
      ...(hasRoles ? [{ object: ROLE, isWritten: true, isDeleted: true }] : []),
      ...parents.flatMap(({ objects, isWritten }) =>
        objects.map((one) => ({ object: one, isWritten, isMade: isWritten })),
      ),
    ],
    fields: [
      ...rules.flatMap(({ remote }) => remote.filter((name) => !name.includes('.')).map((name) => `${object}.${name}`)),
      ...parents.flatMap(({ lookup: id, objects, field }) => [
        `${object}.${id}`,
        ...(objects.length > 0 ? objects : ['*']).map((one) => `${one}.${field}`),
      ]),
      ...(lookup === null ? [] : [`${object}.${lookup.remote}`]),
      ...(hasRoles ? ROLE_FIELDS.map((field) => `${ROLE}.${field}`) : []),
    ],
    writes: [
      ...rules
        .filter(({ direction }) => direction !== 'from_crm')
        .flatMap(({ remote }) => remote.filter((name) => !name.includes('.')).map((name) => `${object}.${name}`)),
      ...parents.flatMap(({ lookup: id, isSet, isWritten, objects, field }) => [
        ...(isSet ? [`${object}.${id}`] : []),
        ...(isWritten ? objects.map((one) => `${one}.${field}`) : []),
      ]),
      ...(hasRoles ? ROLE_FIELDS.map((field) => `${ROLE}.${field}`) : []),
    ],
    optional: rules
      .filter((rule) => isShippedRule(mapping, rule))
      .flatMap(({ remote }) => remote.filter((name) => name.endsWith('__c')).map((name) => `${object}.${name}`)),
    unknown: parents.flatMap(({ path, objects }) => (objects.length > 0 ? [] : [`${object}.${path}`])),
  };
}

/** The record behind a relationship; no objects where its name alone does not say which. */
function parentOf(object: string, { remote: [path = ''], parent, parentObject, direction }: Rule) {
  const [relationship = '', field] = path.split('.');
  if (field === undefined) return undefined;
  const isCustom = relationship.endsWith('__r');
  const named = isCustom ? [] : (BEHIND[relationship.toLowerCase()] ?? byItsName(relationship));
  return {
    path,
    field,
    lookup: isCustom ? `${relationship.slice(0, -1)}c` : `${relationship}Id`,
    objects: parentObject !== undefined ? [parentObject] : relationship.toLowerCase() === 'parent' ? [object] : named,
    isWritten: parent === 'find_or_create',
    isSet: parent !== undefined && direction !== 'from_crm',
  };
}

const BEHIND: Readonly<Record<string, readonly string[]>> = {
  owner: ['User', 'Group'],
  createdby: ['User'],
  lastmodifiedby: ['User'],
  reportsto: ['Contact'],
  recordtype: ['RecordType'],
};

const byItsName = (relationship: string) =>
  OPEN_TO_READ.filter((object) => object.toLowerCase() === relationship.toLowerCase());
