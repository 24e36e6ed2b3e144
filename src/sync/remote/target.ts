import { createHash } from 'node:crypto';
import type { ObjectDescribe } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { EXTERNAL_ID, externalIdOf } from '../../domain/external-id.ts';
import type { Link, LinkSet, NewLink, Scope } from '../../domain/link.ts';
import { type Kind, type Mapping, ruleKey } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { HostRecord, SyncStore } from '../../ports/sync-store.ts';
import {
  type CompiledMapping,
  type CompiledRule,
  columnsOfRules,
  compileMapping,
  findField,
  narrowParent,
} from '../mapping/compile.ts';
import { defaultMapping } from '../mapping/defaults.ts';
import { boundMapping, closedRoles, type Opened, openedBy, stopOf } from './policy-bounds.ts';

/** One kind of host record, and the Salesforce object it goes to in one org. */
export interface Target {
  readonly scope: Scope;
  readonly org: SyncOrg;
  readonly kind: Kind;
  readonly object: string;
  readonly describe: ObjectDescribe;
  /** As far as the bot's policy opens it. */
  readonly compiled: CompiledMapping;
  readonly opened: Opened;
  /** Of the policy and mapping that all of this comes from. */
  readonly revision: string;
  /** Set where policy closes the whole of it: nothing is read or written then. */
  readonly refusal: GatehouseError | undefined;
  /** Set where a person has to be asked first. */
  readonly held: GatehouseError | undefined;
  /** Fields of the mapping that the org does not have or show; those of the shipped mapping that few orgs have are no loss. */
  readonly lost: readonly string[];
  /** What policy leaves out. */
  readonly warnings: readonly string[];
  /** The org has our unique external-id field: creates are upserts by it. */
  readonly externalId: string | undefined;
  /** That field takes "ab" and "AB" for one, which Salesforce offers first when a field is made. */
  readonly foldsCase: boolean;
  /** A case's people are written as contact roles. */
  readonly hasRoles: boolean;
  /** The field a record is known by before it is linked; `problem` where this org does not let it be asked. */
  readonly lookup: {
    readonly field: string | undefined;
    readonly problem: GatehouseError | undefined;
    /** Set where policy lets the bot ask nothing by it: the mapping matches by it, and no answer to the bot rests on that. */
    readonly hidden: GatehouseError | undefined;
  };
  /** What a person calls the record. */
  readonly nameField: string;
}

/** The links that a target may touch. */
export const ofTarget = ({ scope, kind, object }: Target): Required<LinkSet> => ({ ...scope, kind, object });

export async function mappingOf(store: SyncStore, bot: string, kind: Kind): Promise<Mapping> {
  return (await store.mappings.get(bot, kind))?.mapping ?? defaultMapping(kind);
}

export async function openTarget(
  { store, policyOf }: Pick<SyncDeps, 'store' | 'policyOf'>,
  bot: string,
  org: SyncOrg,
  kind: Kind,
): Promise<Target> {
  // First: what is saved while the rest is read is then noticed before the first write.
  const revision = await store.mappings.revision(bot, kind);
  const mapping = await mappingOf(store, bot, kind);
  const { describe, missing } = await describeOf(org, mapping.object);
  const policy = await policyOf(bot);
  const opened = openedBy(policy);
  const stop = stopOf(bot, policy, kind);
  const compiled = await withVisibleParents(org, compileMapping(mapping, describe));
  const bounded = boundMapping(compiled, describe, opened);
  const hasRoles = kind === 'case' && mapping.object === 'Opportunity' && Object.keys(mapping.roles).length > 0;
  const noRoles = hasRoles ? (closedRoles(opened) ?? hiddenRoles(describe)) : undefined;
  return {
    scope: { bot, orgId: org.orgId },
    org,
    kind,
    object: mapping.object,
    describe,
    ...bounded,
    ...(missing ? { refusal: missing } : stop?.is === 'closed' ? { refusal: stop.error } : {}),
    held: stop?.is === 'held' ? stop.error : undefined,
    opened,
    revision,
    lost: missing ? [] : lostFields(mapping, compiled),
    warnings: noRoles === undefined ? bounded.warnings : [...bounded.warnings, noRoles],
    externalId: keyFieldOf(describe, opened),
    foldsCase: foldsCaseOf(describe),
    hasRoles: hasRoles && noRoles === undefined,
    lookup: { ...lookupIn(mapping, missing ? undefined : describe), hidden: hiddenLookup(mapping, opened) },
    nameField:
      ['Name', 'CaseNumber', 'Subject'].find(
        (name) => findField(describe, name) && opened.isOpen(mapping.object, name),
      ) ?? 'Id',
  };
}

/** Whether policy and mapping are still those that the target was opened by: asked before every write. */
export async function isStanding(
  { store }: Pick<SyncDeps, 'store'>,
  { scope, kind, revision }: Pick<Target, 'scope' | 'kind' | 'revision'>,
): Promise<boolean> {
  return (await store.mappings.revision(scope.bot, kind)) === revision;
}

/** Our external-id field, where creates of this object go by it. */
export function keyFieldOf(describe: ObjectDescribe, opened: Opened): string | undefined {
  const field = externalIdOf(describe);
  return field !== undefined && !opened.isDenied(describe.name, field) ? field : undefined;
}

const foldsCaseOf = ({ fields }: ObjectDescribe): boolean =>
  fields.some(({ name, foldsCase }) => name.toLowerCase() === EXTERNAL_ID.toLowerCase() && foldsCase === true);

/** A read names only what the org shows: of a parent's kinds those that have the field, and let it be asked where it is written. */
async function withVisibleParents(org: SyncOrg, compiled: CompiledMapping): Promise<CompiledMapping> {
  const rules: CompiledRule[] = [];
  for (const rule of compiled.rules) {
    const { parent } = rule;
    if (!parent) {
      rules.push(rule);
      continue;
    }
    const objects: string[] = [];
    const skipped: string[] = [];
    const prefixes: Record<string, string> = {};
    for (const object of parent.objects) {
      const { describe, missing } = await describeOf(org, object);
      const field = findField(describe, parent.field);
      if (describe.keyPrefix) prefixes[object] = describe.keyPrefix;
      if (missing) skipped.push(`${object} is not there, or the connected user may not see it.`);
      else if (!field) skipped.push(`${object}.${parent.field} is not there, or the connected user may not see it.`);
      else if (parent.write && !field.filterable)
        skipped.push(`${object}.${parent.field} cannot be looked up in this org.`);
      else objects.push(object);
    }
    // Only read, a parent of several kinds shows the fields that all of them share.
    const isReadable = !parent.write && parent.isOfKinds;
    if (objects.length === 0 && !isReadable) continue;
    rules.push(narrowParent(rule, { ...parent, prefixes, skipped, ...(objects.length > 0 ? { objects } : {}) }));
  }
  return { ...compiled, rules, select: columnsOfRules(rules) };
}

const hiddenRoles = ({ childRelationships }: ObjectDescribe): string | undefined =>
  childRelationships.some(({ relationshipName }) => relationshipName === 'OpportunityContactRoles')
    ? undefined
    : 'Contact roles are left out: the connected user may not see OpportunityContactRole.';

/** A field that is encrypted (Shield) or hidden cannot be looked up; only records that need the look-up wait. */
function lookupIn({ lookup, object }: Mapping, describe: ObjectDescribe | undefined): Omit<Target['lookup'], 'hidden'> {
  if (!lookup || !describe) return { field: undefined, problem: undefined };
  const field = findField(describe, lookup.remote);
  if (field?.filterable) return { field: field.name, problem: undefined };
  const why = field
    ? 'Salesforce does not let it be filtered'
    : 'it is not there, or the connected user may not see it';
  const problem = new GatehouseError(
    'salesforce_error',
    `${object}.${lookup.remote} cannot be looked up in this org: ${why}.`,
    {
      next: `${field ? 'Encryption (Shield) closes a field so. ' : ''}Let the mapping know people by another field ("lookup"), or make the external-id field ${EXTERNAL_ID}: with it they go on, and nobody is found by ${lookup.remote}.`,
      salesforce: { code: 'INVALID_FIELD', fields: [lookup.remote], quote: '' },
    },
  );
  return { field: undefined, problem };
}

/** That a record is found by a field tells what the field holds: which one it is, is then for the operator's mapping to use, and not for the bot to know. */
function hiddenLookup({ lookup, object, kind }: Mapping, opened: Opened): GatehouseError | undefined {
  if (!lookup || opened.isOpen(object, lookup.remote)) return undefined;
  return new GatehouseError(
    'permission_denied',
    `Which ${object} this ${kind} is, is found by ${object}.${lookup.remote}, which is not open to this bot.`,
    {
      next: `Tell the user that this ${kind} has to be linked first. The background sync does it by the mapping, or an operator by hand (gatehouse link); an operator can also open ${object}.${lookup.remote} in the policy of the bot.`,
    },
  );
}

function lostFields(mapping: Mapping, { rules }: CompiledMapping): readonly string[] {
  const shipped = defaultMapping(mapping.kind).rules.map(ruleKey);
  const isOptional = (key: string) => key.endsWith('__c') && shipped.includes(key);
  const kept = new Set(rules.map(({ key }) => key));
  return mapping.rules.map(ruleKey).filter((key) => !kept.has(key) && !isOptional(key));
}

/** An object that the org lacks closes its own kind alone: the other one goes on. */
export async function describeOf(
  org: SyncOrg,
  object: string,
): Promise<{ readonly describe: ObjectDescribe; readonly missing?: GatehouseError }> {
  try {
    return { describe: await org.describe(object) };
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code !== 'not_found') throw error;
    const missing = new GatehouseError(
      'not_found',
      `The mapping names ${object}, which the org does not have or show.`,
      {
        next: 'Save the mapping with an object that the org has, or let the connected user see this one.',
      },
    );
    return { describe: { name: object, label: object, keyPrefix: null, fields: [], childRelationships: [] }, missing };
  }
}

/** At most 64 characters, unique per bot, kind and record, the same for ever. */
export function externalKey(bot: string, kind: string, localId: string): string {
  const plain = `${bot}:${kind}:${localId}`;
  if (plain.length <= 64) return plain;
  return `${kind}:${createHash('sha256').update(plain).digest('base64url').slice(0, 43)}`;
}

/**
 * The marks of a record, the one to write first. Where the org folds case, "ab" and "AB" are two people with one mark: the
 * upsert of the second would overwrite the first one's record. What was marked so before is still known, letter for letter.
 */
export function marksOf(
  { foldsCase, kind }: Pick<Target, 'foldsCase' | 'kind'>,
  { extKey, localId }: Pick<Link, 'extKey' | 'localId'>,
): readonly [string, ...string[]] {
  if (!foldsCase || localId === localId.toLowerCase()) return [extKey];
  return [`${kind}:${createHash('sha256').update(extKey).digest('hex').slice(0, 48)}`, extKey];
}

export const isMarkOf = (
  target: Pick<Target, 'foldsCase' | 'kind'>,
  link: Pick<Link, 'extKey' | 'localId'>,
  mark: string | undefined,
): boolean => mark !== undefined && marksOf(target, link).includes(mark);

/** Whose mark it is; undefined for another bot's, and for one that was too long to be read back. */
export function localIdOf(bot: string, kind: string, extKey: string | undefined): string | undefined {
  const own = `${bot}:${kind}:`;
  return extKey?.startsWith(own) ? extKey.slice(own.length) : undefined;
}

/** The value by which a person is known before there is a link: the email, without case. */
export function lookupValue({ lookup }: Mapping, host: Pick<HostRecord, 'fields'>): string | undefined {
  const value = lookup && host.fields[lookup.local];
  return typeof value === 'string' && value.trim() !== '' ? value.trim().toLowerCase() : undefined;
}

/** The same of what Salesforce holds; empty where it holds none, or does not show it. */
export function lookupOf({ lookup }: Mapping, record: Readonly<Record<string, unknown>>): string {
  const value = lookup && record[lookup.remote];
  return typeof value === 'string' ? value.trim().toLowerCase() : '';
}

export function newLink(
  scope: Scope,
  mapping: Mapping,
  host: HostRecord,
  id: string,
  reason: string,
  now: number,
): NewLink {
  const { kind, object } = mapping;
  return {
    id,
    ...scope,
    kind,
    object,
    localId: host.id,
    extKey: externalKey(scope.bot, kind, host.id),
    matchKey: mapping.allowDuplicates ? null : (lookupValue(mapping, host) ?? null),
    createdAt: now,
    reason,
  };
}
