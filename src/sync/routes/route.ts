import type { z } from 'zod';
import type { OperatorPermission } from '../../../permissions/catalog.ts';
import { GatehouseError, listProblems } from '../../domain/errors.ts';
import type { Kind } from '../../domain/mapping.ts';
import { inWords, problemsIn } from '../../domain/validation.ts';
import type { ConnectionStatus } from '../../ports/salesforce.ts';
import type { SyncOrg } from '../../ports/sync-store.ts';
import type { SyncRoom } from '../create-sync.ts';
import type { ConnectionOf } from '../host/hosts.ts';
import type { DeliveryDeps } from '../webhooks/deliver.ts';

/** One route, free of any HTTP library: the door proves the key, reads the body and mounts it. */
export interface SyncRoute {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** `{id}` names a part; operators name the bot in the path, a host key is one bot's. */
  readonly path: `/${string}`;
  readonly key: 'host' | 'operator' | 'webhook';
  /** What the operator's role must hold. */
  readonly permission?: OperatorPermission;
  readonly summary: string;
  /** What the door checks and the OpenAPI document shows; the handler checks again, for it may be called by others. */
  readonly input?: z.ZodType;
  readonly query?: z.ZodObject;
  /** Before the body is read: an answer that refuses, or undefined. */
  admit?(request: Pick<RouteRequest, 'params'>): Promise<RouteAnswer | undefined>;
  handle(request: RouteRequest): Promise<RouteAnswer>;
}

export interface RouteRequest {
  /** The bot of the host key; empty for operators and webhooks, who name it in the path. */
  readonly bot: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  /** Parsed JSON; undefined where there was none. */
  readonly body: unknown;
  /** The body as it came, for webhooks. */
  readonly text: string;
  /** `operator:ada`, `host:KEYID` */
  readonly principal: string;
  readonly signal: AbortSignal;
}

export type RouteAnswer = { readonly status: number } & (
  | { readonly body: unknown; readonly contentType?: undefined }
  /** Text, in parts where it is long. */
  | { readonly body: string | AsyncIterable<string>; readonly contentType: string }
);

export interface HostDeed {
  readonly bot: string;
  readonly principal: string;
  readonly event: 'linked' | 'unlinked';
  readonly object: string;
  readonly recordId: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface RouteDeps extends DeliveryDeps {
  readonly sync: SyncRoom;
  readonly connectionOf: ConnectionOf;
  readonly connectorOf: (bot: string) => Promise<string | undefined>;
  readonly connectionStatus: (bot: string) => Promise<ConnectionStatus>;
  readonly noteEvent?: (bot: string, at: number) => Promise<void>;
  readonly openOrg: (bot: string, signal: AbortSignal) => Promise<SyncOrg>;
  readonly onChange: (bot: string) => void;
  /** What the host app decided, in the audit. */
  readonly audit: (entry: HostDeed) => Promise<void>;
  readonly hasBot: (bot: string) => Promise<boolean>;
  /** Base of the address that Salesforce posts to. */
  readonly publicUrl: string;
}

/** Throws `invalid_input` naming every bad field at once; `whole` is what the input itself is called. */
export function parse<T extends z.ZodType>(schema: T, input: unknown, whole = 'body'): z.output<T> {
  const parsed = schema.safeParse(input, { error: inWords });
  if (parsed.success) return parsed.data;
  const fields = listProblems(problemsIn(parsed.error, whole));
  throw new GatehouseError(
    'invalid_input',
    `The input is not usable: ${fields.map((field) => field.name).join(', ')}.`,
    {
      next: 'Correct the named fields and send it again.',
      fields,
    },
  );
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

/** The bot that an operator named. */
export async function namedBot({ hasBot }: RouteDeps, { params }: RouteRequest): Promise<string> {
  const bot = params.bot ?? '';
  if (await hasBot(bot)) return bot;
  throw new GatehouseError('not_found', `There is no bot ${JSON.stringify(bot.slice(0, 64))}.`, {
    next: 'List the bots to see their names.',
  });
}

export function missing(kind: Kind, id: string): GatehouseError {
  return new GatehouseError('not_found', `There is no ${kind} ${JSON.stringify(id)}.`, {
    next: 'Check the id, or send the record first.',
  });
}

export const ok = (body: unknown, status = 200): RouteAnswer => ({ status, body });
