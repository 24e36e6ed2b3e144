import type { z } from 'zod';
import { GatehouseError } from '../../domain/errors.ts';
import type { Kind } from '../../domain/mapping.ts';
import { parseOrThrow } from '../../domain/validation.ts';
import type { Caller } from '../../ports/route.ts';
import type { ConnectionStatus } from '../../ports/salesforce.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import type { SyncRoom } from '../create-sync.ts';
import type { ConnectionOf } from '../host/hosts.ts';
import type { SyncProblem } from '../jobs/problem.ts';
import type { DeliveryDeps } from '../webhooks/deliver.ts';

/** What was done to a link by hand, or set for a bot's sync. */
export interface HostDeed {
  readonly bot: string;
  readonly principal: string;
  readonly channel?: 'rest' | 'console';
  readonly action: 'salesforce-link' | 'sync';
  readonly event: string;
  readonly object?: string;
  readonly recordId?: string | null;
  /** No values of records, no address that is a secret. */
  readonly detail: Readonly<Record<string, unknown>>;
}

type OperatorCaller = Extract<Caller, { kind: 'operator' }>;

/** Who sets something, as the audit names them. */
export const by = ({ principal, by }: OperatorCaller) =>
  ({ principal, channel: by === 'session' ? 'console' : 'rest' }) as const;

/** What an operator set, written down before it is answered. */
export const noteOf =
  ({ audit }: Pick<RouteDeps, 'audit'>) =>
  (caller: OperatorCaller, bot: string, event: string, detail: HostDeed['detail'] = {}): Promise<void> =>
    audit({ ...by(caller), bot, action: 'sync', event, detail });

export interface RouteDeps extends DeliveryDeps {
  readonly sync: SyncRoom;
  readonly connectionOf: ConnectionOf;
  readonly connectorOf: (bot: string) => Promise<string | undefined>;
  readonly connectionStatus: (bot: string) => Promise<ConnectionStatus>;
  /** What is wrong around the sync of a bot: clocks, and what its org has changed. */
  readonly problemsAround: (bot: string) => Promise<readonly SyncProblem[]>;
  readonly noteEvent?: (bot: string, at: number) => Promise<void>;
  readonly openOrg: (bot: string, signal: AbortSignal) => Promise<SyncOrg>;
  readonly onChange: (bot: string) => void;
  /** What the host app or an operator decided about links or set for the sync, in the audit. */
  readonly audit: (entry: HostDeed) => Promise<void>;
  /** The name that an operator's path has, once there is such a bot. */
  readonly requireBot: (name: string) => Promise<string>;
  /** Base of the address that Salesforce posts to. */
  readonly publicUrl: string;
}

/** A part of the path as its schema has it; the door checks bodies and queries. */
export function parsePart<S extends z.ZodType>(schema: S, value: string, name: string): z.output<S> {
  return parseOrThrow(schema, value, { what: 'The path', whole: name });
}

export async function scopeOf(
  { connectionOf }: RouteDeps,
  bot: string,
): Promise<{ readonly bot: string; readonly orgId: string }> {
  const connection = await connectionOf(bot);
  if (connection) return { bot, orgId: connection.orgId };
  throw new GatehouseError('not_connected', `The bot ${JSON.stringify(bot)} is not connected to Salesforce.`, {
    next: 'An operator connects it first (console, or gatehouse connect).',
  });
}

export function missing(kind: Kind, id: string): GatehouseError {
  return new GatehouseError('not_found', `There is no ${kind} ${JSON.stringify(id)}.`, {
    next: 'Check the id, or send the record first.',
  });
}
