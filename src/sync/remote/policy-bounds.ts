import { fieldSet, filterAccess, openObjects, taggedFields } from '../../../permissions/field-access.ts';
import type { Policy } from '../../../permissions/policy.ts';
import type { ObjectDescribe } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Kind } from '../../domain/mapping.ts';
import type { SyncPolicy } from '../../ports/sync.ts';
import { type CompiledMapping, type CompiledRule, findField, narrowParent } from '../mapping/compile.ts';

/** What a bot's policy opens (P5). */
export interface Opened {
  /** Open to write and to read: a write is compared with what stands there. */
  mayWrite(object: string): boolean;
  /** The object is open to read, and the field neither denied, masked nor missing among those that alone are open. */
  isOpen(object: string, field: string): boolean;
  /** Denied or masked by its name. */
  isDenied(object: string, field: string): boolean;
}

/** A bot that is gone has nothing open. */
export function openedBy(policy: Pick<Policy, 'objects'> | undefined): Opened {
  const objects = policy?.objects ?? {};
  const read = openObjects(objects, 'read');
  const write = openObjects(objects, 'write');
  const closed = [...taggedFields(objects, 'denyFields'), ...taggedFields(objects, 'maskFields')];
  const { canRead } = filterAccess(objects);
  return {
    mayWrite: (object) => [read, write].every((open) => open.has(object.toLowerCase())),
    isOpen: (object, field) => canRead(object, field),
    isDenied: fieldSet(closed).has,
  };
}

/** The modes in which nothing is written (P5). A bot that is gone writes nothing either. */
export const isSwitchedOff = (policy: Pick<Policy, 'mode'> | undefined): boolean =>
  policy === undefined || policy.mode === 'off' || policy.mode === 'read-only';

export function requireWriting(bot: string, policy: Pick<Policy, 'mode'> | undefined): void {
  if (!isSwitchedOff(policy)) return;
  const mode = policy?.mode ?? 'off';
  throw new GatehouseError('off', `The bot is in the mode ${mode}; nothing is synced.`, {
    next: `An operator switches it on again: gatehouse policy mode ${bot} automatic. Nothing is lost meanwhile.`,
    retryAfterMs: 10_000,
  });
}

/** The action of a kind: what policy says of it binds whoever syncs, not the model alone. */
export const ACTION_OF: Readonly<Record<Kind, string>> = { party: 'SyncParty', case: 'SyncCase' };

export interface Stop {
  /** `closed`: nothing of the kind is synced. `held`: nothing that nobody was asked about. */
  readonly is: 'closed' | 'held';
  readonly error: GatehouseError;
}

/** What policy says of a kind as a whole: a kill switch, a denial, or that a person is asked before anything is written. */
export function stopOf(bot: string, policy: SyncPolicy | undefined, kind: Kind): Stop | undefined {
  const action = ACTION_OF[kind];
  const waits = 'What changes meanwhile waits, and nothing is lost.';
  if (policy === undefined || policy.off.includes(action))
    return closedKind('off', `${action} is switched off for this bot; no ${kind} is synced.`, {
      next: `An operator switches it on again: gatehouse policy on ${bot} ${action}. ${waits}`,
    });
  const own = Object.hasOwn(policy.actions, action) ? policy.actions[action] : undefined;
  if (own === undefined || own.decision === 'deny' || own.decision === 'never')
    return closedKind('permission_denied', `Policy denies ${action} for this bot; no ${kind} is synced.`, {
      next: `An operator can let it (actions.${action} in the policy). ${waits}`,
    });
  const asks =
    policy.mode === 'ask'
      ? 'This bot is in the mode "ask"'
      : own.decision === 'confirm'
        ? `Policy has ${action} confirmed by a person`
        : // What a rule would say of each record is known only when it is looked at: until somebody is asked, none is written.
          own.rules.some((rule) => rule.then !== 'auto')
          ? `A rule of the policy may stop or ask about ${action}`
          : undefined;
  if (asks === undefined) return undefined;
  const error = new GatehouseError('off', `${asks}, so no ${kind} is synced without a person's word.`, {
    next: `An operator approves what waits as one list (console, Approvals), or changes the policy. ${waits}`,
    retryAfterMs: 10_000,
  });
  return { is: 'held', error };
}

function closedKind(code: 'off' | 'permission_denied', message: string, { next }: { next: string }): Stop {
  return { is: 'closed', error: new GatehouseError(code, message, { next, retryAfterMs: 10_000 }) };
}

/** What is left of a mapping for a bot. */
export interface Bounded {
  readonly compiled: CompiledMapping;
  /** Set where nothing may be synced at all. */
  readonly refusal: GatehouseError | undefined;
  /** What is left out, one sentence each. */
  readonly warnings: readonly string[];
}

/** Rules that touch a closed field go: they neither send nor take. Where a record cannot be without one, sync is refused. */
export function boundMapping(compiled: CompiledMapping, describe: ObjectDescribe, opened: Opened): Bounded {
  const { object, lookup } = compiled.mapping;
  if (!opened.mayWrite(object)) return { compiled, refusal: closedObject(object), warnings: [] };
  const rules: CompiledRule[] = [];
  const warnings: string[] = [];
  let refusal: GatehouseError | undefined;
  for (const rule of compiled.rules) {
    const narrowed = withOpenKinds(rule, opened);
    const closed = closedFields(narrowed, object, opened);
    const [first] = closed;
    if (first === undefined) {
      const bounded = withoutCreating(narrowed, opened);
      if (bounded !== narrowed)
        warnings.push(`No ${narrowed.parent?.objects[0]} is created: it is not open to this bot to write.`);
      rules.push(bounded);
    } else if (rule.direction !== 'from_crm' && rule.remote.some((name) => isRequired(describe, name))) {
      refusal ??= closedField(object, first);
    } else warnings.push(`${rule.key} is left out: ${closed.join(', ')} is not open to this bot.`);
  }
  const columns = rules.flatMap((rule) => [...rule.remote, ...rule.also.filter((name) => opened.isOpen(object, name))]);
  // People are found by this column even where it is hidden: it is compared, and neither taken nor shown.
  const known = lookup && findField(describe, lookup.remote);
  const select = [...new Set([...columns, ...(known ? [known.name] : [])])];
  return { compiled: { ...compiled, rules, select }, refusal, warnings };
}

export const ROLE = 'OpportunityContactRole';
export const ROLE_FIELDS = ['OpportunityId', 'ContactId', 'Role', 'IsPrimary'];

/** Why no contact role may be written; undefined where they may. */
export function closedRoles(opened: Opened): string | undefined {
  if (!opened.mayWrite(ROLE)) return `Contact roles are left out: ${ROLE} is not open to this bot to write.`;
  const closed = ROLE_FIELDS.find((field) => !opened.isOpen(ROLE, field));
  return closed && `Contact roles are left out: ${ROLE}.${closed} is not open to this bot.`;
}

function closedFields({ parent, remote }: CompiledRule, object: string, opened: Opened): readonly string[] {
  // To follow a relationship is to read the lookup behind it.
  const names = parent
    ? [`${object}.${parent.idField}`, ...parent.objects.map((one) => `${one}.${parent.field}`)]
    : remote.map((field) => `${object}.${field}`);
  return names.filter((name) => !opened.isOpen(name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)));
}

/** Of a parent of several kinds, those that are open; where none is, the rule stays as it is and is closed. */
function withOpenKinds(rule: CompiledRule, opened: Opened): CompiledRule {
  const { parent } = rule;
  if (!parent?.isOfKinds) return rule;
  const open = parent.objects.filter((object) => opened.isOpen(object, parent.field));
  if (open.length === 0 || open.length === parent.objects.length) return rule;
  const shut = parent.objects.filter((object) => !open.includes(object));
  const skipped = [...parent.skipped, ...shut.map((object) => `${object}.${parent.field} is not open to this bot.`)];
  return narrowParent(rule, { ...parent, objects: open, skipped });
}

function withoutCreating(rule: CompiledRule, opened: Opened): CompiledRule {
  const { parent } = rule;
  if (parent?.write !== 'find_or_create' || parent.objects.every((object) => opened.mayWrite(object))) return rule;
  return { ...rule, parent: { ...parent, write: 'find' } };
}

function isRequired(describe: ObjectDescribe, name: string): boolean {
  const field = findField(describe, name);
  return field?.createable === true && !field.nillable && !field.defaultedOnCreate;
}

function closedObject(object: string): GatehouseError {
  return new GatehouseError('permission_denied', `${object} is not open to this bot to write; nothing was synced.`, {
    next: `Tell the user that this is not possible here; an operator can open ${object} in the bot's policy.`,
  });
}

function closedField(object: string, field: string): GatehouseError {
  return new GatehouseError(
    'permission_denied',
    `${field} is not open to this bot, and no ${object} can be without it.`,
    {
      next: `Tell the user that this is not possible here; an operator can open ${field} in the bot's policy.`,
      fields: [{ name: field.slice(field.indexOf('.') + 1), problem: 'not open to this bot' }],
    },
  );
}
