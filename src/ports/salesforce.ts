import type { Connection } from 'jsforce';
import type { FieldValue, Invocation, Invoked, ObjectDescribe, Salesforce } from '../domain/action.ts';
import type { GatehouseError } from '../domain/errors.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { HeldRights } from '../domain/rights.ts';
import type { Bulk } from './bulk.ts';
import type { EventSource } from './events.ts';
import type { AdminSignIns } from './org-deploy.ts';
import type { ConnectionRow } from './store.ts';
import type { OAuthApp } from './tokens.ts';

/** Bots and their orgs: connect, use, look at, disconnect. */
export interface Connections {
  /** Where the browser goes next. Voids an older pending connect of the bot. */
  begin(bot: string, start: WebStart): Promise<{ readonly url: string }>;
  /** The return from Salesforce. `state` is single use and bound to the browser session that began. */
  finish(back: WebReturn): Promise<ConnectionStatus & { readonly bot: string }>;
  /** The flows without a browser, and the embedded simulated org. */
  connect(bot: string, how: HeadlessFlow): Promise<ConnectionStatus>;
  /** Revokes at Salesforce (best effort, said when it failed) and deletes the tokens; later calls answer `not_connected`. */
  disconnect(bot: string): Promise<{ readonly revoked: boolean }>;
  /** What is stored and cannot be used as this start is set (its org is not here) counts as `needs_reauth`, with the cure. */
  status(bot: string): Promise<ConnectionStatus>;
  /** Where its people log in unless they name another host: where they did, else as the settings say. */
  login(bot: string): Promise<string>;
  /** By which app the bot is signed in; undefined where it is not, and in the embedded org, which has none. */
  app(bot: string): Promise<ShownApp | undefined>;
  /** True once a real org was connected, also after Disconnect: keys and policy made for it are still there. */
  hadReal(): Promise<boolean>;
  /** How far Salesforce's clock is ahead of this process's, ms, as far as it is known here. */
  clockOffset(row: ConnectionRow): Promise<number>;
  /** The org behind a bot, for one call. Throws `not_connected` or `reconnect_needed`. */
  open(bot: string, call: OrgCall): Promise<Org>;
  /** What Salesforce tells of its own accord, through the bot's connection. */
  events(bot: string): Promise<EventSource>;
  /** For what the bot's own user must not do: administrators who sign in for it. */
  admins(): Promise<AdminSignIns>;
  /** Writes what is not written yet (successes are noted at most once a second). */
  close(): Promise<void>;
}

/** An app in an org as people may see it: its id is no secret. */
export interface ShownApp {
  readonly of: 'bot' | 'installation';
  readonly clientId: string;
  /** The installation has another one by now: when the session ends, nothing renews it. */
  readonly isFormer?: true;
}

export interface OrgCall {
  readonly signal: AbortSignal;
  readonly background?: boolean;
  /** Told of each request that goes out for this call, repeats too. */
  readonly sent?: (() => void) | undefined;
  /** What this call has read of its connection already. */
  readonly known?: ReadConnection | undefined;
}

/** A connection as it was when it was read: for a moment it need not be read again. */
export interface ReadConnection {
  readonly row: ConnectionRow;
  readonly readAt: number;
}

export interface WebStart {
  readonly sessionId: string;
  readonly redirectUri: string;
  readonly sandbox?: boolean;
  /** My Domain or extra host; refused unless Salesforce-owned or listed. */
  readonly loginUrl?: string | undefined;
  /** The bot's own app; default: the one by which it is connected, else the installation's. */
  readonly app?: OAuthApp | undefined;
}

export interface WebReturn {
  readonly sessionId: string;
  /** Those that the role of who comes back is for now; missing: every one. */
  readonly bots?: readonly string[] | undefined;
  readonly state: string | undefined;
  readonly code: string | undefined;
  readonly error: string | undefined;
  readonly errorDescription: string | undefined;
}

/** `app` as in a start on the web. */
export type HeadlessFlow = { readonly app?: OAuthApp | undefined } & HeadlessWay;

type HeadlessWay =
  | {
      readonly flow: 'jwt';
      readonly username: string;
      readonly privateKey: string;
      readonly loginUrl?: string | undefined;
      readonly sandbox?: boolean;
    }
  | { readonly flow: 'client-credentials'; readonly loginUrl: string }
  | {
      readonly flow: 'password';
      readonly username: string;
      readonly password: string;
      readonly loginUrl?: string | undefined;
      readonly sandbox?: boolean;
    }
  | { readonly flow: 'simulated' };

export interface ConnectionStatus {
  readonly state: 'connected' | 'needs_reauth' | 'disconnected' | 'never_connected';
  readonly id?: string;
  readonly flow?: string;
  readonly orgId?: string;
  readonly username?: string;
  readonly instanceUrl?: string;
  readonly environment?: 'production' | 'sandbox' | 'simulated';
  readonly scopes?: string;
  readonly connectedAt?: string;
  readonly breaker?: { readonly state: 'closed' | 'open' | 'half-open'; readonly nextTryAt?: string };
  readonly api?: { readonly used: number; readonly max: number; readonly at: string };
  readonly lastSuccessAt?: string;
  readonly lastFailure?: {
    readonly at: string;
    readonly code: string;
    readonly message: string;
    readonly next: string;
  };
  readonly lastSyncAt?: string;
  readonly lastEventAt?: string;
  readonly successes?: number;
  readonly failures?: number;
}

/** One org through one connection for one call: the port for actions, and the breadth that sync needs. */
export interface Org extends Omit<Salesforce, 'describe' | 'create' | 'update' | 'remove' | 'invoke' | 'graph'> {
  readonly orgId: string;
  readonly userId: string;
  readonly connectionId: string;
  /** What Salesforce's change events call us. */
  readonly clientName: string;
  readonly environment: 'production' | 'sandbox' | 'simulated';
  /** Remembered for an hour, unless `isFresh` asks for what the org says now. */
  describe(object: string, options?: { readonly isFresh?: boolean }): Promise<ObjectDescribe>;
  /** Plain create: POST, or upsert by `mark` where the org has our external-id field. */
  create(
    object: string,
    fields: Readonly<Record<string, unknown>>,
    options?: {
      readonly allowDuplicates?: boolean;
      readonly mark?: { readonly field: string; readonly value: string };
    },
  ): Promise<{ readonly id: string; readonly created: boolean }>;
  /** PATCH by Id; with `unmodifiedSince` (HTTP date or ISO) a changed record answers `conflict`. */
  patch(
    object: string,
    id: string,
    fields: Readonly<Record<string, unknown>>,
    unmodifiedSince?: string,
    options?: { readonly allowDuplicates?: boolean },
  ): Promise<void>;
  /** Upsert by an external-id or lookup field; several matches throw `ambiguous` with candidates. */
  upsert(
    object: string,
    key: { readonly field: string; readonly value: string },
    fields: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly id: string; readonly created: boolean }>;
  remove(object: string, id: string): Promise<void>;
  /** Sent once, whatever becomes of it. `key` goes along as `Idempotency-Key`, for classes that look at it. */
  invoke(call: Invocation, key: string): Promise<Invoked>;
  /** The inputs of an active flow; `not_found` where there is none of that name. */
  flow(name: string): Promise<{ readonly inputs: readonly FlowInput[] }>;
  /** One page; `next` continues it. Long text goes in a composite body by itself. `all` also sees deleted rows. */
  query(soql: string, options?: { readonly all?: boolean; readonly pageSize?: number }): Promise<QueryPage>;
  queryNext(next: string): Promise<QueryPage>;
  /** At most 25 subrequests, one API call. */
  composite(requests: readonly CompositeRequest[]): Promise<readonly CompositeAnswer[]>;
  /** Each graph all or nothing; at most 75 of them with 500 nodes, one API call. In their order, what became of each. */
  graph(graphs: readonly (readonly GraphNode[])[]): Promise<readonly GraphOutcome[]>;
  collections: {
    /** At most five parts, one API call. In their order, and in that of their rows: what became of each, or why a part was refused as a whole. */
    send(
      parts: readonly CollectionPart[],
      options?: { readonly allowDuplicates?: boolean },
    ): Promise<readonly (readonly RowOutcome[] | Refusal)[]>;
  };
  /** Many rows at once, worked off by Salesforce itself. */
  readonly bulk: Bulk;
  /** Values of every picklist of the object for one record type. */
  picklists(object: string, recordTypeId: string): Promise<Readonly<Record<string, readonly string[]>>>;
  limits(): Promise<Readonly<Record<string, { readonly max: number; readonly remaining: number }>>>;
  explain(
    soql: string,
  ): Promise<
    readonly { readonly cardinality: number; readonly leadingOperationType: string; readonly sobjectType: string }[]
  >;
  /** What the connected user may do in this org, but for fields: those a describe tells. Three calls. */
  rights(): Promise<HeldRights>;
  identity(): Promise<Readonly<Record<string, unknown>>>;
  /** A refused row or part of a batch, in its body's words; or what a call on one record threw. */
  refusal(from: { readonly status: number; readonly body: unknown } | GatehouseError): Refusal;
  /** Salesforce's clock now: ours, corrected by the Date headers seen. */
  clock(): number;
  /** Asks, without an API call, where this process has not heard that clock itself: another machine measured it by its own. */
  hearClock(): Promise<void>;
  /** jsforce on these same requests (session, limits, breaker, deadline are ours), for breadth that the port lacks. Slow to load: never on the first read. */
  jsforce(): Promise<Connection>;
}

export interface FlowInput {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
}

export interface QueryPage {
  readonly total: number;
  readonly done: boolean;
  readonly next: string | undefined;
  /** Raw records as Salesforce sent them, `attributes` included. */
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

export interface CompositeRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From `/services/data/vXX.0` on, version left out: `/sobjects/Contact/003...`. */
  readonly path: string;
  readonly id: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CompositeAnswer {
  readonly id: string;
  readonly status: number;
  readonly body: unknown;
}

/** One record of a graph. */
export interface GraphNode {
  /** Names it in its graph: letters, digits and underscores. */
  readonly id: string;
  readonly object: string;
  /** Upserted by this external id. */
  readonly key?: { readonly field: string; readonly value: string } | undefined;
  /** Updated, unless somebody changed it since; without `key` and `record` it is created. */
  readonly record?: { readonly id: string; readonly unmodifiedSince: string } | undefined;
  /** `from` names an earlier node, whose Id is meant. A text with `@{` is refused: Salesforce would read a reference in it. */
  readonly fields: Readonly<Record<string, FieldValue | { readonly from: string }>>;
  readonly allowDuplicates?: boolean | undefined;
}

export type GraphOutcome =
  /** In the order of the nodes. */
  | { readonly records: readonly { readonly id: string; readonly isCreated: boolean }[] }
  /** Nothing of it was written, because of this node. */
  | { readonly node: string; readonly failure: GatehouseError };

/** At most 200 rows of one kind, each for itself: one that fails stops no other. */
export interface CollectionPart {
  readonly method: 'create' | 'upsert' | 'update' | 'delete';
  readonly object: string;
  /** The external-id field by which an upsert goes. */
  readonly keyField?: string | undefined;
  /** `id`: the record's Id; of an upsert the value of its key; of a create nothing. */
  readonly rows: readonly { readonly id: string; readonly fields: Readonly<Record<string, unknown>> }[];
}

export interface RowOutcome {
  /** Of a row that failed, as it was sent. */
  readonly id: string;
  readonly isCreated: boolean;
  readonly failure: Refusal | undefined;
}
