import { openObjects } from '../../permissions/field-access.ts';
import { sourcesOf } from '../../permissions/mirrors.ts';
import { type Policy, setsOf } from '../../permissions/policy.ts';
import { type PolicyChange, policyChanges } from '../../permissions/policy-changes.ts';
import type { Audit } from '../audit/audit.ts';
import { actionsOf } from '../declared/actions-of.ts';
import type { Action, Preview } from '../domain/action.ts';
import { breathe } from '../domain/breath.ts';
import type { AuditRow, BotRow, Store } from '../ports/store.ts';
import type { SyncUse } from '../ports/sync.ts';
import { LOOKUP_KEYS, LOOKUPS } from './lookups.ts';

/**
 * What a bot holds and nothing used: grants, objects and listed fields that were open for 30 days. Calls, queries, sync, mappings,
 * lookups and what waits for a person count as use. Nothing leaves for Salesforce, and whatever is in doubt counts as used.
 */

export interface NeverUsed {
  readonly since: number;
  /** The bot is younger than that: nothing is said of it. */
  readonly isYoung: boolean;
  /** Rows of the log that were counted. */
  readonly rows: number;
  readonly grants: readonly { readonly permission: string; readonly actions: readonly string[] }[];
  readonly places: readonly UnusedPlace[];
  /** Every field of these is open, but for those that are denied; the ones that were read or written. */
  readonly open: readonly { readonly object: string; readonly used: readonly string[] }[];
  readonly unknown: {
    /** Granted or opened less than 30 days ago. */
    readonly young: readonly string[];
    /** Relationships of a mapping that may lead to any object: none is said to be unused. */
    readonly paths: readonly string[];
    /** Listed fields that a relationship may have followed, in rows whose query is not kept any more. */
    readonly fields: readonly string[];
  };
}

export interface UnusedPlace {
  readonly object: string;
  /** Never read nor written; never written; or some of the fields that are listed. */
  readonly what: 'object' | 'write' | 'fields';
  readonly fields: readonly string[];
  /** What would narrow it. */
  readonly changes: readonly PolicyChange[];
}

export interface NeverUsedDeps {
  readonly store: Pick<Store, 'audit' | 'bots' | 'proposals'>;
  readonly audit: Pick<Audit, 'unsealed'>;
  readonly actions: readonly Action[];
  readonly syncUse: (bot: string, since: number) => Promise<readonly SyncUse[]>;
  readonly now: () => number;
}

const DAYS_MS = 30 * 86_400_000;
const PAGE = 250;
const MOST_GRANTS = 10_000;
const MOST_WAITING = 10_000;

export async function neverUsed(given: NeverUsedDeps, bot: BotRow): Promise<NeverUsed> {
  const deps = { ...given, actions: actionsOf(given.actions, bot) };
  const since = deps.now() - DAYS_MS;
  const unknown = { young: [], paths: [], fields: [] };
  if (bot.createdAt > since) return { since, isYoung: true, rows: 0, grants: [], places: [], open: [], unknown };
  const use = await useOf(deps, bot, since);
  const after = await deps.store.audit.startOf(since);
  const granted = await deps.store.audit.find({ bot: bot.name, event: 'granted', since, after, limit: MOST_GRANTS });
  const youngGrants = new Set(granted.map(({ action }) => action));
  const unusedGrants = bot.grants.filter(
    (permission) => !namesUnder(deps, permission).some((name) => use.actions.has(name)),
  );
  const { places, ...judged } = placesOf(bot.policy, await policiesSince(deps, bot, since), use);
  return {
    since,
    isYoung: false,
    rows: use.rows,
    grants: unusedGrants
      .filter((permission) => !youngGrants.has(permission))
      .map((permission) => ({ permission, actions: namesUnder(deps, permission) })),
    places,
    open: Object.entries(bot.policy.objects)
      .filter(([object, { read, allowFields }]) => object !== '*' && read && allowFields === undefined)
      .map(([object]) => ({ object, used: use.fieldsOf(object) }))
      .filter(({ object, used }) => use.isRead(object) && used.length > 0),
    unknown: {
      young: [...unusedGrants.filter((permission) => youngGrants.has(permission)), ...judged.young],
      paths: use.paths,
      fields: judged.fields,
    },
  };
}

/** The policy without these. */
export function narrowed(policy: Policy, places: readonly Pick<UnusedPlace, 'object' | 'what' | 'fields'>[]): Policy {
  const objects = { ...policy.objects };
  for (const { object, what, fields } of places) {
    const of = objects[object];
    if (of === undefined) continue;
    objects[object] =
      what === 'fields'
        ? { ...of, allowFields: (of.allowFields ?? []).filter((field) => !fields.includes(field)) }
        : { ...of, write: false, ...(what === 'object' ? { read: false } : {}) };
  }
  return { ...policy, objects };
}

const namesUnder = ({ actions }: Pick<NeverUsedDeps, 'actions'>, permission: string) =>
  actions.filter((action) => action.permission === permission).map(({ name }) => name);

/** Every policy that held at some time since. */
async function policiesSince({ store }: NeverUsedDeps, bot: BotRow, since: number): Promise<readonly Policy[]> {
  const history = (await store.bots.policyHistory(bot.name)).toSorted((one, other) => one.revision - other.revision);
  const first = history.findLastIndex(({ at }) => at <= since);
  return history.slice(Math.max(0, first)).map(({ policy }) => policy);
}

function placesOf(policy: Policy, policies: readonly Policy[], use: Use) {
  const places: UnusedPlace[] = [];
  const young: string[] = [];
  const unsure: string[] = [];
  const add = (object: string, what: UnusedPlace['what'], fields: readonly string[] = []) => {
    const place = { object, what, fields };
    places.push({ ...place, changes: policyChanges(policy, narrowed(policy, [place])) });
  };
  const wasOpen = (object: string, way: 'read' | 'write') =>
    policies.every(({ objects }) => openObjects(objects, way).has(object.toLowerCase()));
  for (const [object, { read, write, allowFields = [] }] of Object.entries(policy.objects)) {
    const isReadUnused = object !== '*' && read && !use.isRead(object) && use.paths.length === 0;
    const isWriteUnused = object !== '*' && write && !use.isWritten(object) && use.paths.length === 0;
    if (isReadUnused) {
      if (wasOpen(object, 'read')) add(object, 'object');
      else young.push(object);
      continue;
    }
    if (isWriteUnused) {
      if (wasOpen(object, 'write')) add(object, 'write');
      else young.push(`${object}, to write`);
    }
    const unused = allowFields.filter((field) => !use.hasField(object, field));
    const old = unused.filter((field) => policies.every((one) => isListed(one, object, field)));
    young.push(...unused.filter((field) => !old.includes(field)).map((field) => `${object}.${field}`));
    const sure = old.filter((field) => !use.mayBeFollowed(field));
    unsure.push(...old.filter((field) => !sure.includes(field)).map((field) => `${object}.${field}`));
    if (sure.length > 0) add(object, 'fields', sure);
  }
  return { places, young, fields: unsure };
}

const isListed = ({ objects }: Policy, object: string, field: string) => {
  const list = objects[object]?.allowFields;
  return list === undefined || list.some((one) => one.toLowerCase() === field.toLowerCase());
};

interface Use {
  readonly rows: number;
  readonly actions: ReadonlySet<string>;
  readonly paths: readonly string[];
  isRead(object: string): boolean;
  isWritten(object: string): boolean;
  hasField(object: string, field: string): boolean;
  /** It may be the lookup of a relationship, and not every query is kept that may have followed it. */
  mayBeFollowed(field: string): boolean;
  /** As they were written down. */
  fieldsOf(object: string): readonly string[];
}

async function useOf(deps: NeverUsedDeps, bot: BotRow, since: number): Promise<Use> {
  const { lookups } = bot.policy;
  const actions = new Set<string>();
  const read = new Set<string>();
  const written = new Set<string>();
  const fields = new Map<string, string>();
  /** Relationships that kept queries followed: a row names the fields at their ends, not the lookups on the way. */
  const followed = new Set<string>();
  let isUnkept = false;
  let rows = 0;
  const addField = (name: string) => {
    const key = name.toLowerCase();
    if (fields.has(key)) return;
    fields.set(key, name);
    const [object = '', field = ''] = key.split('.');
    for (const source of sourcesOf(object, field)) addField(`${source.object}.${source.field}`);
  };
  const addWrite = (object: string) => {
    read.add(object.toLowerCase());
    written.add(object.toLowerCase());
  };
  const addAction = (name: string) => {
    if (actions.has(name)) return;
    actions.add(name);
    const touches = deps.actions.find((one) => one.name === name)?.touches ?? {};
    const { creates = [], edits = [], deletes = [], mapped = false } = touches;
    if (mapped) return;
    for (const object of deletes) addWrite(object);
    const exposed = Object.hasOwn(bot.policy.actions, name) ? bot.policy.actions[name]?.expose : undefined;
    for (const object of [...creates, ...edits]) {
      addWrite(object);
      for (const field of [...(setsOf(touches, object) ?? []), ...(exposed ?? []).map((one) => one.field)])
        addField(`${object}.${field}`);
    }
  };
  const addReads = ({ objects, fields: named }: Reads) => {
    for (const object of listOf(objects)) read.add(object.toLowerCase());
    for (const field of listOf(named)) addField(field);
  };
  const addQuery = (text: unknown) => {
    for (const [, path = ''] of String(text).matchAll(/\b((?:\w+\.)+)\w/g))
      for (const step of path.toLowerCase().split('.')) if (step !== '') followed.add(step);
  };
  const addShown = (preview: Preview | null) => {
    if (preview?.query !== undefined) {
      addReads(preview.query);
      addQuery(preview.query.send);
    }
    if (preview?.target === undefined) return;
    addWrite(preview.target.object);
    for (const { field } of preview.changes) addField(`${preview.target.object}.${field}`);
  };
  const isKnown = new Set(['session_context', ...deps.actions.map(({ name }) => name)]);
  const hasLists = Object.values(bot.policy.objects).some(({ allowFields }) => allowFields !== undefined);

  for (let after = await deps.store.audit.startOf(since); ; ) {
    const page: readonly AuditRow[] = await deps.store.audit.find({ bot: bot.name, since, after, limit: PAGE });
    for (const row of page) {
      // A try of an operator is no use by the bot.
      if (!isKnown.has(row.action) || row.channel === 'playground' || row.event === 'tried') continue;
      rows += 1;
      if (row.action !== 'session_context') addAction(row.action);
      if (row.object !== null) addWrite(row.object);
      const reads = JSON.parse(row.detail) as Reads; // ours
      addReads(reads);
      if (!hasLists || reads.objects === undefined) continue;
      const query = deps.audit.unsealed(row)?.query;
      if (query === undefined) isUnkept = true;
      else addQuery(query);
    }
    const [newest] = page;
    if (newest === undefined || page.length < PAGE) break;
    after = newest.seq;
    await breathe();
  }
  for (const { action, preview } of await deps.store.proposals.list({
    bot: bot.name,
    isOpen: true,
    limit: MOST_WAITING,
  })) {
    addAction(action);
    addShown(preview);
  }
  for (const key of LOOKUP_KEYS) addField(`${LOOKUPS[key].object}.${lookups[key]}`);
  const paths: string[] = [];
  for (const one of await deps.syncUse(bot.name, since)) {
    if (!one.isUsed && !(one.action !== null && actions.has(one.action))) continue;
    if (one.action !== null) actions.add(one.action);
    for (const { object, isWritten } of one.objects)
      (isWritten ? addWrite : (name: string) => read.add(name.toLowerCase()))(object);
    for (const field of one.fields) addField(field);
    paths.push(...one.unknown);
  }
  return {
    rows,
    actions,
    paths,
    isRead: (object) => read.has(object.toLowerCase()),
    isWritten: (object) => written.has(object.toLowerCase()),
    hasField(object, field) {
      const [of, name] = [object.toLowerCase(), field.toLowerCase()];
      if (name === 'id' || followed.has(relationshipOf(name))) return true;
      return [...fields.keys()].some((key) => {
        const [holder = '', called = ''] = key.split('.');
        const isSame = called === name || called.startsWith('fields(');
        return isSame && (of === '*' || holder === '*' || holder === of);
      });
    },
    mayBeFollowed: (field) => isUnkept && relationshipOf(field.toLowerCase()) !== '',
    fieldsOf: (object) =>
      [...fields]
        .filter(([key]) => key.startsWith(`${object.toLowerCase()}.`))
        .map(([, name]) => name.slice(name.indexOf('.') + 1))
        .sort(),
  };
}

/** The relationship whose lookup a field may be, by its name; '' where it can be none. */
function relationshipOf(field: string): string {
  if (field.endsWith('__c')) return `${field.slice(0, -1)}r`;
  return field.endsWith('id') ? field.slice(0, -2) : '';
}

interface Reads {
  readonly objects?: unknown;
  readonly fields?: unknown;
}

const listOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
