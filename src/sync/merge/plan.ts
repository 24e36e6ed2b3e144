import type { Fields, FieldValue } from '../../domain/action.ts';
import type { ErrorBody, SalesforceSaid } from '../../domain/errors.ts';
import type { Intent, Link, WaitedFor } from '../../domain/link.ts';
import type { LogChange } from '../../domain/log-change.ts';
import { foldedName } from '../../domain/stored-value/text.ts';
import type { FieldClock, HostRecord } from '../../ports/sync-store.ts';
import type { CompiledMapping, CompiledRule, Onto, ParentRule, RemoteRecord } from '../mapping/compile.ts';
import { causeOf } from '../remote/trouble.ts';
import { type FieldVerdict, mergeField } from './merge.ts';
import { ROLES_KEY } from './roles.ts';

/** What we know of the Salesforce side when we decide. */
export type RemoteState =
  | { readonly kind: 'record'; readonly record: RemoteRecord; readonly modifiedAt: number }
  /** Not read: known and fresh, so it still holds what both sides agreed on. */
  | { readonly kind: 'assumed' }
  /** There is none yet. */
  | { readonly kind: 'absent' };

/** Accounts and other parents by folded name. */
export type ParentIndex = ReadonlyMap<string, ParentAnswer>;

export type ParentAnswer =
  | { readonly id: string }
  | { readonly waitsFor: WaitedFor }
  | { readonly later: ErrorBody['error'] }
  /** An operator said that nothing is to be sent for this name. */
  | { readonly leftOut: true };

/** What one look at one record leads to. Nothing in here has happened yet. */
export interface Plan {
  /** API names and values to send; empty when there is nothing to send. */
  readonly send: Readonly<Record<string, FieldValue>>;
  readonly sent: Readonly<Record<string, Pick<Intent, 'value' | 'before'>>>;
  readonly pushed: readonly LogChange[];
  /** Host fields to take over. */
  readonly toHost: Readonly<Record<string, FieldValue>>;
  readonly clocks: Readonly<Record<string, FieldClock>>;
  readonly pulled: readonly LogChange[];
  /** Our own earlier pushes, found in the record: agreed now, and not logged yet. */
  readonly landed: readonly LogChange[];
  readonly landedKeys: readonly string[];
  readonly base: Link['base'];
  /** A field changed on both sides and ours won: write this record alone and conditionally. */
  readonly isContested: boolean;
  readonly problems: readonly PlanProblem[];
  /** Parents that were not found, or found several times: a question about the company, no error of the record. */
  readonly waitsFor: readonly WaitedFor[];
  /** A parent could not be looked up just now: the whole record waits, or it would never get that parent. */
  readonly later: ErrorBody['error'] | undefined;
}

/** One field that does not follow, while the others do. */
export interface PlanProblem {
  /** `invalid_input`: the field cannot hold the host's value. Else Salesforce refused it. */
  readonly code: ErrorBody['error']['code'];
  readonly message: string;
  readonly next?: string;
  readonly salesforce?: SalesforceSaid | undefined;
}

export interface PlanInput {
  readonly link: Link;
  readonly host: HostRecord;
  readonly mapping: CompiledMapping;
  readonly remote: RemoteState;
  readonly parents: ParentIndex;
  /** When a field changed in Salesforce, where field history tells; by rule key. */
  readonly fieldTimes?: ReadonlyMap<string, number> | undefined;
}

export function planRecord(input: PlanInput): Plan {
  const { link, mapping } = input;
  const keys = new Set(mapping.rules.map((rule) => rule.key));
  // A field that nobody looks at (policy closed it) may move unseen: it starts afresh when it is back.
  const base = Object.fromEntries(Object.entries(link.base).filter(([key]) => keys.has(key) || key === ROLES_KEY));
  const draft: Draft = { ...emptyDraft(), base };
  for (const rule of mapping.rules) {
    const own: Draft = { ...emptyDraft(), base: { ...draft.base } };
    try {
      planRule(rule, input, own);
    } catch (thrown) {
      // One value stops its own field and nothing else.
      const message = `${rule.key} was left out: a value of it cannot be worked on (${causeOf(thrown)}).`;
      draft.problems.push({ code: 'invalid_input', message });
      continue;
    }
    addTo(draft, own);
  }
  return draft;
}

/** The rules on which both sides differ from what was agreed: where field history is worth asking. */
export function contestedRules(input: PlanInput): readonly CompiledRule[] {
  const { pushed, pulled } = planRecord(input);
  const keys = new Set(
    [...pushed, ...pulled].filter((change) => change.winner !== undefined).map((change) => change.field),
  );
  return input.mapping.rules.filter((rule) => rule.direction === 'both' && keys.has(rule.key));
}

export function emptyDraft(): Draft {
  return {
    send: {},
    sent: {},
    toHost: {},
    clocks: {},
    base: {},
    pushed: [],
    pulled: [],
    landed: [],
    landedKeys: [],
    problems: [],
    waitsFor: [],
    isContested: false,
    later: undefined,
  };
}

function addTo(draft: Draft, own: Draft): void {
  for (const part of ['send', 'sent', 'toHost', 'clocks'] as const) Object.assign(draft[part], own[part]);
  draft.base = own.base;
  draft.pushed.push(...own.pushed);
  draft.pulled.push(...own.pulled);
  draft.landed.push(...own.landed);
  draft.landedKeys.push(...own.landedKeys);
  draft.problems.push(...own.problems);
  draft.waitsFor.push(...own.waitsFor);
  draft.isContested ||= own.isContested;
  draft.later ??= own.later;
}

type Draft = { -readonly [K in keyof Plan]: K extends 'isContested' | 'later' ? Plan[K] : Mutable<Plan[K]> };
type Mutable<T> = T extends readonly (infer E)[] ? E[] : { -readonly [K in keyof T]: T[K] };

function planRule(
  rule: CompiledRule,
  { link, host, mapping, remote, parents, fieldTimes }: PlanInput,
  draft: Draft,
): void {
  const base = link.base[rule.key];
  const localRaw = rule.fromHost(host);
  const remoteRaw =
    remote.kind === 'record'
      ? rule.fromRemote(remote.record)
      : remote.kind === 'assumed'
        ? base
        : rule.direction === 'from_crm'
          ? undefined
          : null;
  const fold = (value: FieldValue | undefined) => (value === undefined ? undefined : rule.fold(value, host));
  const local = fold(localRaw);
  // Nothing there is nothing: a default fills gaps of the host, not of Salesforce.
  const remoteValue = remote.kind === 'assumed' ? base : remoteRaw === null ? null : fold(remoteRaw);
  const intents = link.intents[rule.key] ?? [];
  const remoteAt = remote.kind === 'record' ? timeOf(rule, remote.modifiedAt, fieldTimes) : 0;
  const verdict = mergeField({
    direction: rule.direction,
    tie: mapping.mapping.tie,
    local,
    isSaid: rule.isSaid(host),
    remote: remoteValue,
    base: remote.kind === 'absent' ? undefined : base,
    intents: remote.kind === 'record' ? intents.map((intent) => intent.value) : [],
    localAt: Math.max(0, ...rule.local.map((name) => host.clocks[name]?.at ?? 0)),
    remoteAt,
  });
  if (verdict.hasLanded && remoteValue !== undefined) {
    draft.landedKeys.push(rule.key);
    // It was agreed on before it was sent again, so its log row exists.
    const intent = intents.find((one) => one.value === remoteValue);
    if (intent && remoteValue !== base) draft.landed.push(change(rule, intent.before, remoteValue));
  }
  if (verdict.base === undefined) delete draft.base[rule.key];
  else draft.base[rule.key] = verdict.base;
  carryOut(rule, verdict, { host, parents, localRaw, remoteRaw, local, remoteAt, base, remote }, draft);
}

interface Sides {
  readonly host: HostRecord;
  readonly parents: ParentIndex;
  readonly localRaw: FieldValue | undefined;
  readonly remoteRaw: FieldValue | undefined;
  readonly local: FieldValue | undefined;
  readonly remoteAt: number;
  readonly base: FieldValue | undefined;
  readonly remote: RemoteState;
}

function carryOut(rule: CompiledRule, { action, winner }: FieldVerdict, sides: Sides, draft: Draft): void {
  const { host, parents, localRaw = null, remoteRaw = null, local = null, remoteAt } = sides;
  if (action === 'pull') {
    Object.assign(draft.toHost, rule.toHost(remoteRaw, host));
    for (const name of rule.local) draft.clocks[name] = { at: remoteAt, origin: 'salesforce' };
    draft.pulled.push({
      ...change(rule, localRaw, remoteRaw),
      ...inCrm(rule, rule.toRemote(remoteRaw, host), remoteRaw),
      ...(winner ? { winner, lost: localRaw } : {}),
    });
  }
  if (action !== 'push') return;
  const onto = ontoOf(sides.remote);
  // A create has nothing to clear, and nothing that is missing to explain.
  if (sides.remote.kind === 'absent' && local === null) return;
  const misfit = rule.misfit(localRaw, host, onto);
  if (misfit !== undefined) {
    draft.problems.push({ code: 'invalid_input', message: misfit });
    return;
  }
  const fields = rule.parent ? parentField(rule, local, parents, draft) : rule.toRemote(localRaw, host, onto);
  if (!fields || Object.keys(fields).length === 0) return;
  // A create has nothing to clear.
  if (sides.remote.kind === 'absent' && Object.values(fields).every((value) => value === null)) return;
  Object.assign(draft.send, fields);
  draft.sent[rule.key] = { value: local, before: remoteRaw };
  const note = rule.isCut(localRaw, host) ? { note: 'cut to the length of the Salesforce field' } : {};
  draft.pushed.push({
    ...change(rule, remoteRaw, localRaw),
    ...inCrm(rule, fields, localRaw),
    ...(winner ? { winner, lost: remoteRaw } : {}),
    ...note,
  });
  if (winner) draft.isContested = true;
}

function ontoOf(remote: RemoteState): Onto {
  if (remote.kind === 'absent') return { operation: 'create' };
  return { operation: 'update', record: remote.kind === 'record' ? remote.record : undefined };
}

function parentField(
  { parent, key }: CompiledRule,
  name: FieldValue,
  parents: ParentIndex,
  draft: Draft,
): Record<string, FieldValue> | undefined {
  if (!parent?.write) return undefined;
  if (name === null) return { [parent.idField]: null };
  const found = parents.get(parentKey(parent, name));
  if (found && 'id' in found) return { [parent.idField]: found.id };
  if (found && 'later' in found) {
    draft.later = found.later;
    return undefined;
  }
  if (found && 'leftOut' in found) return undefined;
  const message = `${key}: not looked up yet`;
  draft.waitsFor.push(found?.waitsFor ?? { object: kindsOf(parent), name: String(name), ids: [], message });
  return undefined;
}

/** One parent that is asked for: two rules may find the same object by different fields. */
export const parentKey = ({ objects, field }: Pick<ParentRule, 'objects' | 'field'>, name: FieldValue): string =>
  `${objects.join('|')}.${field}:${foldedName(name)}`;

export const kindsOf = ({ objects }: Pick<ParentRule, 'objects'>): string => objects.join(' or ');

/** Per field where the org's history tells; else the record's own stamp, which is never too early. No message is asked. */
function timeOf(rule: CompiledRule, modifiedAt: number, fieldTimes: ReadonlyMap<string, number> | undefined): number {
  return Math.min(modifiedAt, fieldTimes?.get(rule.key) ?? Number.POSITIVE_INFINITY);
}

/** A parent is named by what people call it, not by the Id that is sent. */
function inCrm({ parent, remote }: CompiledRule, fields: Fields, after: FieldValue): Pick<LogChange, 'crm'> {
  const isPlain = remote.length === 1 && fields[remote[0] ?? ''] === after;
  return parent || isPlain || Object.keys(fields).length === 0 ? {} : { crm: fields };
}

function change(rule: CompiledRule, before: FieldValue, after: FieldValue): LogChange {
  return { field: rule.key, local: rule.local, before, after };
}
