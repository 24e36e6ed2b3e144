import type { z } from 'zod';
import type { ActionPermission } from '../../permissions/catalog.ts';
import type { InputDefault, Touches } from '../../permissions/policy.ts';
import type { Audience } from '../../permissions/profiles.ts';
import type { Fields, FieldValue, ObjectDescribe, SObject } from './record.ts';
import type { Session } from './session.ts';

export type { FieldDescribe, Fields, FieldValue, ObjectDescribe, SObject } from './record.ts';
/** Record text inside a sentence of an action's own. */
export { quoted } from './safe-text.ts';
export {
  CURRENCY_FIELD,
  hasCurrencies,
  inCurrency,
  isSumOfProducts,
  PRODUCTS_FIELD,
  SUM_OF_PRODUCTS,
} from './stored-value/answers.ts';
/** The one check of an email address. */
export { EMAIL } from './stored-value/email.ts';
export { isSame } from './stored-value/stored-value.ts';

/**
 * What an action is, and everything it may touch. One file in `actions/` holds one `defineAction({...})`;
 * the MCP tool, REST route, chat function, console form and docs are all derived from that object.
 */

/** `read` changes nothing; `write` adds; `destructive` overwrites what somebody else may have written. */
export type Risk = 'read' | 'write' | 'destructive';

export interface Action<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  /** 1-64 of A-Z a-z 0-9 _ -, verb and object, stable for ever. The file is its kebab form. */
  readonly name: string;
  readonly title: string;
  /** What it does to which Salesforce object, when to use it, when not. Static: never holds org data. */
  readonly description: string;
  readonly permission: ActionPermission;
  readonly risk: Risk;
  /** Of one that an operator declared: what was asked under another revision does not run under this one. */
  readonly revision?: number;
  /** Code of the org runs, outside of what policy bounds: no policy lets it go without a person. */
  readonly alwaysAsks?: true;
  /** Running it twice is the same as once, by its own doing; a crashed run is then simply run again. */
  readonly idempotent?: boolean;
  /** What it reads and writes of the org: the connect page, new policies and the first look at a call are derived from it. */
  readonly touches: Touches;
  /** The Salesforce object whose further fields an operator may expose as inputs (A2). */
  readonly exposes?: string;
  readonly input: I;
  /** Inputs that may be left out where the bot's policy says what stands for them. */
  readonly defaults?: Readonly<Partial<Record<keyof z.output<I> & string, InputDefault>>>;
  /** Inputs that people read alike however they are spelled (letter case, white space): a repeat in another spelling is the same wish (A4). */
  readonly readAlike?: readonly (keyof z.output<I> & string)[];
  readonly output: O;
  /** What would happen. Reads, never writes. Required wherever the policy may ask a human. */
  readonly preview?: (input: z.output<I>, context: ActionContext) => Promise<Preview>;
  /** What describe alone says of the values, the same for everybody: a visitor is told that, and nothing that a look-up found. */
  readonly check?: (input: z.output<I>, context: CheckContext) => Promise<unknown>;
  /** What a visitor of a public bot is told, whatever became of it: an answer must not tell who is known already (P6). */
  readonly receipt?: z.input<O>;
  readonly run: (input: z.output<I>, context: ActionContext) => Promise<z.input<O>>;
}

type Definition<I extends z.ZodObject, O extends z.ZodObject> = Action<I, O> &
  (
    | { readonly risk: 'read' }
    | { readonly risk: 'write' | 'destructive'; readonly preview: NonNullable<Action<I, O>['preview']> }
  );

const made = new WeakSet<object>();

/** Declares an action. The loader takes nothing else, so a stray file can never become a tool. */
export function defineAction<I extends z.ZodObject, O extends z.ZodObject>(definition: Definition<I, O>): Action<I, O> {
  const action = Object.freeze({ ...definition });
  made.add(action);
  return action;
}

export function isAction(value: unknown): value is Action {
  return typeof value === 'object' && value !== null && made.has(value);
}

/** Everything one call may use. Frozen, made for this call alone. */
export interface ActionContext {
  readonly bot: {
    readonly name: string;
    readonly audience: Audience;
  };
  /** The fields by which people name records: the host's key of an Account (O9), and what their `OPP-123` stands in. */
  readonly lookups: {
    /** The field of this org; undefined where it has none, or policy closes it. */
    field(key: 'accountKey' | 'opportunityReference'): Promise<string | undefined>;
    /** The same, or an error that says what an operator sets. */
    must(key: 'accountKey' | 'opportunityReference'): Promise<string>;
  };
  readonly caller: Caller;
  readonly salesforce: Salesforce;
  readonly soql: Soql;
  readonly sync: Sync;
  /** Values for the operator-exposed fields of `exposes`, by API name, already checked. */
  readonly extra: Readonly<Record<string, FieldValue>>;
  /** What the human chose where the preview offered choices; absent when nobody was asked. */
  readonly choice?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly log: { info(message: string, fields?: Record<string, unknown>): void };
}

/** What can be asked without reading a record. */
export interface CheckContext extends Pick<ActionContext, 'extra'> {
  readonly salesforce: Pick<Salesforce, 'describe' | 'check'>;
}

export interface Caller {
  readonly principal: string;
  readonly conversation?: string | undefined;
  /** The customer this chat session is about, signed by the host (O9, P6); never from the conversation. */
  readonly session?: Session | undefined;
}

/** One field that would change, as the record holds it and as it would be written. */
export interface Change {
  /** API name. */
  readonly field: string;
  /** Label from describe. */
  readonly label: string;
  readonly before: FieldValue;
  readonly after: FieldValue;
  /** Of an amount, where the org has several currencies: the record's. */
  readonly currency?: string;
  /** Which of several records it is of, where more than one is shown; `field` is `Object.Field` then. */
  readonly record?: string;
}

export interface Preview {
  /** One sentence in our words. Record text inside it is quoted with `quoted`. */
  readonly summary: string;
  readonly target?: { readonly object: string; readonly id: string; readonly name: string; readonly url: string };
  readonly changes: readonly Change[];
  readonly warnings?: readonly string[] | undefined;
  /** Offered to the human instead of a plain yes; the first is the safest. */
  readonly choices?: readonly { readonly id: string; readonly label: string }[];
  readonly query?: JudgedQuery;
}
export type Condition =
  /** `as`: of a field that holds a day or a moment, whose values SOQL writes otherwise than text. */
  | { readonly field: string; readonly is: FieldValue; readonly as?: 'date' | 'datetime' | undefined }
  | { readonly field: string; readonly in: readonly FieldValue[] }
  | { readonly field: string; readonly since: string };

export interface Find {
  /** API names; parents as `Account.Name`. `Id` always comes. */
  readonly fields: readonly string[];
  /** All must hold. Values are escaped by the port; field names are checked against describe. */
  readonly where: readonly Condition[];
  readonly orderBy?: { readonly field: string; readonly descending?: boolean };
  readonly limit: number;
}

/**
 * One org through one bot's connection, bounded by the bot's object and field policy: a field that policy
 * hides is never asked for, and a write to a closed field is refused before it leaves. Every method throws GatehouseError.
 */
export interface Salesforce {
  /** Base of links for people, e.g. https://example.my.salesforce.com */
  readonly instanceUrl: string;
  describe(object: string): Promise<ObjectDescribe>;
  /** One request. `not_found` when the record is not there or not visible. */
  get(object: string, id: string, fields: readonly string[]): Promise<SObject>;
  /** One request; rows up to `limit`. */
  find(object: string, find: Find): Promise<readonly SObject[]>;
  /** Several finds in one request (at most five), answers in order. */
  findAll(finds: readonly { readonly object: string; readonly find: Find }[]): Promise<readonly (readonly SObject[])[]>;
  /** Records by their words, in the order of `places`. One request. */
  search(search: Search): Promise<readonly { readonly object: string; readonly record: SObject }[]>;
  /**
   * Checks values against describe: field is there and writable, length, type, picklist (a label becomes its API value).
   * What it answers is what Salesforce will store, and what a person is to be shown. Throws `invalid_input` naming every bad field at once, under the names of `inputNames` (API name to input name).
   */
  check(
    object: string,
    operation: 'create' | 'update',
    fields: Fields,
    inputNames?: Readonly<Record<string, string>>,
    /** Inputs whose values must be listed where there is a list, also where the org would store others. */
    mustBeListed?: readonly string[],
    /** Which fields may be named where a name is mistyped; all of them if left out. */
    mayName?: (field: string) => boolean,
  ): Promise<{ readonly fields: Fields; readonly warnings: readonly string[] }>;
  /** One effect per call and proposal, also across a crash. `allowDuplicates` overrides an alerting duplicate rule. */
  create(
    object: string,
    fields: Fields,
    options?: { readonly allowDuplicates?: boolean },
  ): Promise<{ readonly id: string }>;
  /**
   * Writes only if the record is still as `record` was read (it must hold `LastModifiedDate` and every changed field); else
   * `conflict`, as where Salesforce says yes and keeps its own. Answers what the record holds now of what was written.
   */
  update(object: string, record: SObject, changes: Fields): Promise<Fields>;
  /**
   * Writes several records, all or none of them, in one request; one effect per proposal, also across a crash. What stands there already is
   * written on condition, as by `update`.
   */
  graph(
    steps: readonly GraphStep[],
    options?: { readonly allowDuplicates?: boolean },
  ): Promise<readonly { readonly id: string }[]>;
  /**
   * Calls code of the org: at most once per proposal. What became of it where the answer is lost nobody can read back, so that it is
   * told as unknown and never sent again. Answers what the code itself answered, also where that is a no.
   */
  invoke(call: Invocation): Promise<Invoked>;
  /** Deletes the record, only if nobody changed it since `record` was read (it must hold `LastModifiedDate`); else `conflict`. */
  remove(object: string, record: SObject): Promise<void>;
  recordUrl(id: string): string;
}

/** A search of whole words: each of them must be found, in whatever order. */
export interface Search {
  /** Plain words: nothing in it is an operator or a wildcard. */
  readonly text: string;
  /** Which fields are looked through. */
  readonly scope: 'all' | 'name' | 'email' | 'phone';
  readonly places: readonly { readonly object: string; readonly fields: readonly string[]; readonly limit: number }[];
}

/** One record of several that are written together. */
export interface GraphStep {
  /** Names it among them, and what is shown of it: `account.Name`. */
  readonly name: string;
  readonly object: string;
  /** What stands there, as it was read (with `LastModifiedDate` and each field that is written); without it a record is made. */
  readonly record?: SObject | undefined;
  /** `from` names an earlier step, whose Id is meant. */
  readonly fields: Readonly<Record<string, FieldValue | { readonly from: string }>>;
}

/** What runs code of the org: a class mapped to a path, a flow, or whoever listens for an event. */
export type Invocation =
  | {
      readonly kind: 'apex-rest';
      readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
      /** From `/services/apexrest/` on, encoded. */
      readonly path: string;
      readonly query: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  | { readonly kind: 'flow'; readonly flow: string; readonly inputs: Fields }
  | { readonly kind: 'publish'; readonly object: string; readonly fields: Fields };

export interface Invoked {
  readonly ok: boolean;
  readonly status: number;
  readonly body: unknown;
}

/** A value for a `:name` of a fixed query. */
export interface BoundValue {
  readonly name: string;
  readonly type: 'text' | 'number' | 'boolean' | 'date' | 'datetime';
  readonly value: string | number | boolean;
}

/** A query that the guard let through, exactly as it will be sent. */
export interface JudgedQuery {
  readonly send: string;
  readonly objects: readonly string[];
  readonly fields: readonly string[];
  readonly class: 'trivial' | 'non-trivial';
  /** Why it is not trivial; empty when it is. */
  readonly reasons: readonly string[];
  /** How many rows Salesforce expects: for an approver. It nearly answers a query that nobody let run, so no caller is told. */
  readonly expects?: string;
  /** Most rows that can come back; null for COUNT() and ungrouped aggregates. */
  readonly rowCap: number | null;
  /** What the guard had to leave out, said with the answer. */
  readonly note?: string | undefined;
  /** Of a further page: the rows that came before it. */
  readonly skip?: number;
  /** Of a further page: the question that a person answered before the first one. */
  readonly answered?: Answered | undefined;
}

/** A person's yes: how sure it is that it was one, and to what. */
export interface Answered {
  readonly assurance: 'client' | 'session';
  readonly asks: readonly string[];
}

export interface SoqlAnswer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly returned: number;
  readonly total: number;
  /** Ours, opaque, bound to the bot. */
  readonly nextCursor?: string;
  /** Said when rows or text were cut, with how to narrow. */
  readonly note?: string | undefined;
}

export interface Soql {
  /** A fixed query with a literal for each `:name`. Whatever the values are, it asks the same question: or it is refused. */
  bind(template: string, values: readonly BoundValue[]): Promise<string>;
  /** Throws `query_refused` with code, position, rule and the repair; `rate_limited` where the hour has no room for it. */
  /** With `checksTypes` also whether what fields are compared with is of their types. */
  judge(query: string, format: 'concise' | 'detailed', checksTypes?: boolean): Promise<JudgedQuery>;
  /** The page that a cursor stands at, judged by the policy of now like a first one. */
  resume(cursor: string, format: 'concise' | 'detailed'): Promise<JudgedQuery>;
  run(query: JudgedQuery, format: 'concise' | 'detailed'): Promise<SoqlAnswer>;
  /** What Salesforce expects it to cost, for a person who is asked: a help, never a condition. One request. */
  expects(query: JudgedQuery): Promise<string | undefined>;
}

export interface SyncOutcome {
  readonly operation: 'create' | 'update' | 'none';
  readonly direction: 'to_crm' | 'from_crm' | 'both' | 'none';
  readonly object: string;
  readonly id: string;
  readonly url: string;
  readonly changes: readonly Change[];
  /** What policy leaves out for this bot. */
  readonly warnings?: readonly string[] | undefined;
}

/** One record of a kind that policy holds, as its write was planned: `digest` is the same for the same write. */
export interface HeldRecord {
  /** The host's id. */
  readonly id: string;
  readonly link: string;
  /** Outbox position of the change. */
  readonly dirty: number;
  readonly digest: string;
  readonly operation: 'create' | 'update' | 'delete';
  readonly object: string;
  /** The Salesforce record; null where one would be made. */
  readonly recordId: string | null;
  readonly changes: readonly Change[];
  readonly warnings?: readonly string[] | undefined;
}

export interface HeldPushed {
  /** Written by this list, also by an earlier run of it. */
  readonly sent: number;
  /** In step without a write by now: a colleague, or another process, had made it so, and at most the link was set. */
  readonly linked?: number | undefined;
  /** Host ids of those that would be written otherwise than listed, or are worked on elsewhere: they wait for the next list. */
  readonly leftOut: readonly string[];
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

/** What the gate does with a kind that policy holds for a person's word. No action of a bot needs it. */
export interface HeldSync {
  /**
   * What waits and would write, at most 1,000 records, each as it would be written now; what would write nothing is settled.
   * Left out is what a person refused as it is, and what `isDenied`.
   */
  planHeld(kind: HeldKind, isDenied: (record: HeldRecord) => boolean): Promise<readonly HeldRecord[]>;
  /** Remembers on which proposal these stand, before it is asked. */
  noteHeld(records: readonly HeldRecord[], proposal: string): Promise<void>;
  /** Writes exactly these, where their plan is still the same. Only the run of an approved proposal may. */
  pushHeld(kind: HeldKind, records: readonly HeldRecord[]): Promise<HeldPushed>;
}

export type HeldKind = 'party' | 'case';

/** People and cases of the host app and their Salesforce records. The engine behind it lives in `sync/`. */
export interface Sync extends HeldSync {
  previewParty(partyId: string): Promise<Preview>;
  syncParty(partyId: string): Promise<SyncOutcome>;
  previewCase(caseId: string): Promise<Preview>;
  syncCase(caseId: string): Promise<
    SyncOutcome & {
      readonly roles: readonly { readonly party: string; readonly contactId: string; readonly role: string }[];
    }
  >;
}
