import { createHash } from 'node:crypto';
import type { ObjectDescribe } from '../action.ts';
import { GatehouseError } from '../errors.ts';
import { type CompiledMapping, compileMapping, findField } from '../mapping/compile.ts';
import { defaultMapping } from '../mapping/defaults.ts';
import { type Kind, type Mapping, ruleKey } from '../mapping/mapping.ts';
import { boundMapping, closedRoles, type Opened, openedBy, stopOf } from './bounds.ts';
import type { LinkSet, NewLink, Scope } from './link.ts';
import type { HostRecord, SyncDeps, SyncOrg, SyncStore } from './ports.ts';

export const EXTERNAL_ID = 'Gatehouse_Id__c';

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
  /** A case's people are written as contact roles. */
  readonly hasRoles: boolean;
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
  const mapping = await mappingOf(store, bot, kind);
  const { describe, missing } = await describeOf(org, mapping.object);
  const mark = findField(describe, EXTERNAL_ID);
  const policy = await policyOf(bot);
  const opened = openedBy(policy);
  const stop = stopOf(bot, policy, kind);
  const compiled = compileMapping(mapping, describe);
  const bounded = boundMapping(compiled, describe, opened);
  const hasRoles = kind === 'case' && mapping.object === 'Opportunity' && Object.keys(mapping.roles).length > 0;
  const noRoles = hasRoles ? closedRoles(opened) : undefined;
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
    lost: missing ? [] : lostFields(mapping, compiled),
    warnings: noRoles === undefined ? bounded.warnings : [...bounded.warnings, noRoles],
    // Not unique means that an upsert could still find several.
    externalId:
      mark?.externalId && mark.unique && mark.createable && !opened.isDenied(mapping.object, mark.name)
        ? mark.name
        : undefined,
    hasRoles: hasRoles && noRoles === undefined,
    nameField:
      ['Name', 'CaseNumber', 'Subject'].find(
        (name) => findField(describe, name) && opened.isOpen(mapping.object, name),
      ) ?? 'Id',
  };
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
