import type { ObjectDescribe } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { listedAs } from '../../domain/stored-value/choices.ts';
import { isEventObject, type SubscriptionWish, subscriptionWish, type Transition } from '../../domain/subscription.ts';
import { parseOrThrow } from '../../domain/validation.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { Subscription } from '../../ports/sync-store.ts';
import { findField } from '../mapping/compile.ts';
import { type Opened, openedBy } from '../remote/policy-bounds.ts';
import { readHolders } from './transitions.ts';

export interface Subscribed {
  readonly object: string;
  readonly fields: readonly string[];
  readonly when?: Transition;
  readonly channel?: string;
  readonly recordIdField?: string;
  /** Records that hold one of the values already, and are not told. */
  readonly held?: number;
}

/** The same for every door. */
export interface Subscriptions {
  list(bot: string): Promise<readonly Subscribed[]>;
  /** Checks what is wished, which may be anything, and saves it. */
  set(bot: string, org: SyncOrg, object: string, wish: unknown): Promise<Subscribed>;
  /** False where there was none. */
  remove(bot: string, object: string): Promise<boolean>;
}

export function createSubscriptions(deps: Pick<SyncDeps, 'store' | 'policyOf'>): Subscriptions {
  const { store } = deps;
  return {
    list: async (bot) => (await store.subscriptions.list(bot)).map(shown),
    set: async (bot, org, object, wish) =>
      subscribe(
        deps,
        bot,
        org,
        object,
        parseOrThrow(subscriptionWish, wish, { what: 'The subscription', whole: 'subscription' }),
      ),
    remove: (bot, object) =>
      store.atomically(async (inside) => {
        // It is kept by the org's own name, whatever letters somebody types.
        const isThis = (one: string) => one.toLowerCase() === object.toLowerCase();
        const name = (await inside.subscriptions.list(bot)).find((one) => isThis(one.object))?.object ?? object;
        await inside.transitions.forget(bot, name);
        return inside.subscriptions.remove(bot, name);
      }),
  };
}

/**
 * Saves what the host app is told of an object, by the names of the org. With a transition it reads who holds such a value
 * already (a call for 2,000): from then on each record is told once whenever it becomes so.
 */
async function subscribe(
  deps: Pick<SyncDeps, 'store' | 'policyOf'>,
  bot: string,
  org: SyncOrg,
  object: string,
  { fields, when, channel, recordIdField }: SubscriptionWish,
): Promise<Subscribed> {
  const describe = await org.describe(object);
  const { name } = describe;
  const found = fields.map((field) => findField(describe, field)?.name);
  refuse(
    describe,
    'fields',
    fields.filter((_, at) => found[at] === undefined),
  );
  const names = [...new Set(found.flatMap((field) => field ?? []))];
  const isEvent = isEventObject(name);
  if (isEvent && when)
    throw wrong('when', `${name} is a platform event, and becomes nothing.`, 'Leave when out: each event is told.');
  const kindOfChannel = isEvent ? '/event/' : '/data/';
  if (channel !== undefined && !channel.startsWith(kindOfChannel))
    throw wrong(
      'channel',
      `${name} is ${isEvent ? 'a' : 'no'} platform event.`,
      `Name a custom channel that begins with ${kindOfChannel}.`,
    );
  if (!isEvent && recordIdField !== undefined)
    throw wrong('recordIdField', `${name} is no platform event (…__e).`, 'Leave recordIdField out.');
  const hint = recordIdField && findField(describe, recordIdField)?.name;
  if (recordIdField !== undefined && hint === undefined) throw refusal(describe, 'recordIdField', [recordIdField]);
  const transition = when && transitionIn(describe, when);
  const opened = openedBy(await deps.policyOf(bot));
  requireOpen(opened, name, 'fields', names);
  if (transition) requireOpen(opened, name, 'when.field', [transition.field]);
  if (hint) requireOpen(opened, name, 'recordIdField', [hint]);
  const wish: Subscription = {
    ...{ bot, object: name, fields: names },
    ...{ when: transition ?? null, channel: channel ?? null, recordIdField: hint ?? null },
  };
  const scope = { bot, orgId: org.orgId };
  const isKept =
    transition !== undefined && (await deps.store.transitions.looks(scope, name, transition)) !== undefined;
  const holders = transition && !isKept ? await readHolders(org, name, transition) : undefined;
  await deps.store.atomically(async (inside) => {
    await inside.subscriptions.put(wish);
    if (transition && holders) await inside.transitions.begin(scope, name, transition, holders);
    if (!transition) await inside.transitions.forget(bot, name);
  });
  return {
    ...{ object: name, fields: names },
    ...(transition ? { when: transition } : {}),
    ...(channel === undefined ? {} : { channel }),
    ...(hint ? { recordIdField: hint } : {}),
    ...(holders ? { held: holders.size } : {}),
  };
}

const shown = ({ object, fields, when, channel, recordIdField }: Subscription): Subscribed => ({
  ...{ object, fields },
  ...(recordIdField ? { recordIdField } : {}),
  ...(when ? { when } : {}),
  ...(channel ? { channel } : {}),
});

/** The field and its values as the org names them. Only what lists its values can be waited for: all else is a guess at a spelling. */
function transitionIn(
  describe: ObjectDescribe,
  { field: given, becomes }: NonNullable<SubscriptionWish['when']>,
): Transition {
  const field = findField(describe, given);
  if (!field) throw refusal(describe, 'when.field', [given]);
  const { name, type } = field;
  if ((type !== 'picklist' && type !== 'boolean') || !field.filterable)
    throw wrong(
      'when.field',
      `${describe.name}.${name} is no picklist or checkbox that can be filtered.`,
      'Name a picklist or a checkbox, such as StageName or IsWon.',
    );
  const values = becomes.map((value) => {
    if (type === 'boolean') return typeof value === 'boolean' ? value : undefined;
    return listedAs(field, String(value));
  });
  const unknown = becomes.filter((_, at) => values[at] === undefined);
  const listed = field.picklistValues.flatMap(({ value, active }) => (active ? [value] : []));
  if (unknown.length > 0)
    throw wrong(
      'when.becomes',
      `${describe.name}.${name} has no value ${unknown.map((value) => JSON.stringify(value)).join(', ')}.`,
      type === 'boolean' ? 'Send true or false.' : `Take values of: ${listed.slice(0, 50).join(', ')}.`,
    );
  const known = [...new Set(values.flatMap((value) => value ?? []))];
  if (type === 'boolean' && known.length > 1)
    throw wrong('when.becomes', 'Every record is one of both.', 'Send true or false, not both.');
  return { field: name, becomes: known };
}

function refuse(describe: ObjectDescribe, part: string, unknown: readonly string[]): void {
  if (unknown.length > 0) throw refusal(describe, part, unknown);
}

function refusal({ name }: ObjectDescribe, part: string, unknown: readonly string[]): GatehouseError {
  return new GatehouseError('invalid_input', `${name} has no field ${unknown.join(', ')}.`, {
    next: 'Take the API names from Setup, Object Manager.',
    fields: unknown.map((field) => ({ name: part, problem: `no field ${field}` })),
  });
}

function wrong(part: string, problem: string, next: string): GatehouseError {
  return new GatehouseError('invalid_input', problem, { next, fields: [{ name: part, problem }] });
}

function requireOpen(opened: Opened, object: string, part: string, names: readonly string[]): void {
  const closed = names.filter((name) => !opened.isOpen(object, name));
  if (closed.length === 0) return;
  throw new GatehouseError('permission_denied', `The bot's policy does not open ${object}: ${closed.join(', ')}.`, {
    next: 'Subscribe to fields that the policy opens to read, neither denied nor masked; or change the policy first.',
    fields: closed.map((name) => ({ name: part, problem: `${name} is not open to this bot` })),
  });
}
