import type { Rights, Role } from '../../permissions/catalog.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { Audience } from '../../permissions/profiles.ts';
import type { Declaration, Declared } from '../domain/declaration.ts';
import type { Proposal, ProposalState } from '../domain/proposal.ts';
import type { ConversationStore } from './conversations.ts';
import type { DeploymentStore } from './org-deploy.ts';

/**
 * The port of Gatehouse's durable state. Two adapters (SQLite, PostgreSQL) answer it with the same statements; one suite
 * proves both. Times are milliseconds since the epoch. Nothing here holds a secret in the clear: keys and links are hashes,
 * tokens live in the keyv store.
 */
export interface Store {
  readonly bots: BotStore;
  readonly keys: KeyStore;
  readonly operators: OperatorStore;
  readonly connections: ConnectionStore;
  readonly proposals: ProposalStore;
  readonly audit: AuditStore;
  readonly counters: CounterStore;
  readonly conversations: ConversationStore;
  readonly mcpSessions: McpSessionStore;
  readonly identity: IdentityStore;
  readonly deployments: DeploymentStore;
  readonly roles: RoleStore;
  readonly values: ValueStore;
  /** Writes more than a row's worth and takes it away again; throws where nothing can be kept. */
  proveWritable(): Promise<void>;
  /** Lets go what is past its time in every table; `historyBefore` ends logs, changes, talks and ended proposals. Not in a transaction. */
  clearPast(times: { readonly now: number; readonly historyBefore: number }): Promise<void>;
  /**
   * Runs `work` in one transaction; only the store that it is given may be used inside. Not `isSynced`: on the disk with the next write
   * that is.
   */
  atomically<T>(work: (store: Store) => Promise<T>, isSynced?: boolean): Promise<T>;
  close(): Promise<void>;
}

export interface BotRow {
  readonly name: string;
  readonly audience: Audience;
  readonly profile: string;
  readonly createdAt: number;
  readonly grants: readonly string[];
  /** 1 for the shipped policy, +1 per save. */
  readonly policyRevision: number;
  readonly policy: Policy;
  /** Actions that operators declared for it, by name. */
  readonly declared: readonly Declared[];
}

/** One revision of a declared action, or its removal. */
export interface DeclaredRevision {
  readonly name: string;
  readonly revision: number;
  readonly permission: string;
  readonly state: 'live' | 'removed';
  readonly declaration: Declaration | null;
  readonly by: string;
  readonly at: number;
}

export interface BotStore {
  /** False when the name is taken. Writes the bot, its grants and policy revision 1. */
  create(bot: Omit<BotRow, 'policyRevision' | 'declared'>): Promise<boolean>;
  /** One read of everything that a call needs to be judged. */
  get(name: string): Promise<BotRow | undefined>;
  list(): Promise<BotRow[]>;
  grant(bot: string, permission: string): Promise<void>;
  revoke(bot: string, permission: string): Promise<void>;
  /** Saves a new revision if `from` is still the current one; undefined when somebody was faster. */
  savePolicy(bot: string, policy: Policy, by: string, at: number, from: number): Promise<number | undefined>;
  policyHistory(bot: string): Promise<{ revision: number; at: number; by: string; policy: Policy }[]>;
  /** A new revision, or the removal, of one declared action, if its definitions are still those of `from`; undefined when somebody was faster. */
  saveDeclared(
    bot: string,
    change: Omit<DeclaredRevision, 'revision' | 'state'>,
    from: readonly Declared[],
  ): Promise<number | undefined>;
  declaredHistory(bot: string, name: string): Promise<DeclaredRevision[]>;
  /** Everything kept of this bot but its audit, in one transaction: a later bot of this name starts with nothing. False when there is none. */
  remove(bot: string): Promise<boolean>;
}

export type KeyKind = 'agent' | 'host' | 'operator';

export interface KeyRow {
  readonly id: string;
  /** SHA-256 of the key, hex. */
  readonly hash: string;
  readonly kind: KeyKind;
  /** Bot name, or operator name for operator keys. */
  readonly owner: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

export interface KeyStore {
  add(key: KeyRow): Promise<void>;
  byHash(hash: string): Promise<KeyRow | undefined>;
  list(owner: string): Promise<KeyRow[]>;
  /** Those of these ids that are neither revoked nor gone. */
  live(ids: readonly string[]): Promise<string[]>;
  revoke(id: string, at: number): Promise<boolean>;
}

export interface OperatorRow {
  readonly name: string;
  /** Of a role, shipped or made here. */
  readonly role: string;
  readonly createdAt: number;
}

/** An operator with what their role gives now: nothing where that role is not known. */
export type KnownOperator = OperatorRow & Rights;

export interface SessionRow {
  /** SHA-256 of the cookie value, hex. */
  readonly hash: string;
  readonly operator: string;
  readonly csrf: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export type OperatorChange = 'done' | 'unknown' | 'last_admin';

export interface OperatorStore {
  /** False when the name is taken. */
  create(operator: OperatorRow): Promise<boolean>;
  get(name: string): Promise<KnownOperator | undefined>;
  list(): Promise<KnownOperator[]>;
  /** `last_admin`: nobody may leave an installation without anyone who can administer it, also not two at the same moment. */
  setRole(name: string, role: string): Promise<OperatorChange>;
  /** With the sessions, links and keys of that person, in one transaction. */
  remove(name: string, at: number): Promise<OperatorChange>;
  addLink(hash: string, operator: string, expiresAt: number): Promise<void>;
  /** The operator's name, once; undefined for a used, expired or unknown link. */
  redeemLink(hash: string, now: number): Promise<string | undefined>;
  addSession(session: SessionRow): Promise<void>;
  session(hash: string, now: number): Promise<SessionRow | undefined>;
  /** Of those that still stand, with the role that its operator has now. */
  sessionRoles(
    hashes: readonly string[],
    now: number,
  ): Promise<({ readonly hash: string; readonly role: string } & Rights)[]>;
  endSession(hash: string): Promise<void>;
}

/** Roles that were made here; the shipped ones are known without. */
export interface RoleStore {
  list(): Promise<readonly Role[]>;
  /** A shipped one too. */
  get(name: string): Promise<Role | undefined>;
  put(role: Role, createdAt: number): Promise<void>;
  /** `held`: an operator has it. */
  remove(name: string): Promise<'done' | 'unknown' | 'held'>;
}

export interface ConnectionRow {
  readonly bot: string;
  /** Random id; also the `connectorId` of host apps. */
  readonly id: string;
  readonly flow: 'web' | 'jwt' | 'client-credentials' | 'password' | 'simulated';
  readonly state: 'connected' | 'needs_reauth' | 'disconnected';
  /** 18 characters. */
  readonly orgId: string;
  readonly userId: string;
  readonly username: string;
  /** `sim:` for the embedded simulated org: its address dies with each process. */
  readonly instanceUrl: string;
  /** Host that issued the tokens; refresh goes nowhere else. */
  readonly loginUrl: string;
  readonly environment: 'production' | 'sandbox' | 'simulated';
  readonly scopes: string;
  readonly connectedAt: number;
  /**
   * The fence of the lease under which these tokens were stored, and part of their key in the vault: a process can tell that
   * another one refreshed.
   */
  readonly tokenVersion: number;
  readonly leaseOwner: string | null;
  readonly leaseUntil: number;
  readonly fence: number;
  readonly breakerState: 'closed' | 'open' | 'half-open';
  readonly breakerFailures: number;
  readonly breakerSuccesses: number;
  readonly breakerUntil: number;
  /** Salesforce's clock minus ours, from the Date header. */
  readonly clockOffsetMs: number;
  readonly apiUsed: number | null;
  readonly apiMax: number | null;
  readonly apiAt: number | null;
  /** REQUEST_LIMIT_EXCEEDED was met: nothing is sent before this time. */
  readonly limitedUntil: number;
  readonly lastSuccessAt: number | null;
  readonly lastFailureAt: number | null;
  readonly lastFailureCode: string | null;
  readonly lastFailureMessage: string | null;
  /** What an operator does about it, as it was told with the whole cause at hand. */
  readonly lastFailureNext: string | null;
  readonly lastSyncAt: number | null;
  readonly lastEventAt: number | null;
  readonly successes: number;
  readonly failures: number;
}

export type ConnectionPatch = Partial<Omit<ConnectionRow, 'bot' | 'id'>>;

export interface ConnectionStore {
  /** Replaces what the bot had. */
  put(row: ConnectionRow): Promise<void>;
  get(bot: string): Promise<ConnectionRow | undefined>;
  byId(id: string): Promise<ConnectionRow | undefined>;
  list(): Promise<ConnectionRow[]>;
  patch(bot: string, patch: ConnectionPatch): Promise<void>;
  /** Applies the patch only while `where` still holds; false when another process moved it. */
  patchIf(bot: string, where: ConnectionPatch, patch: ConnectionPatch): Promise<boolean>;
  /** Adds to `successes` (several at once: they are written at most once a second) or `failures` and sets the matching last-* fields, in one statement. */
  noteSuccess(bot: string, at: number, count: number): Promise<void>;
  noteFailure(bot: string, at: number, code: string, message: string, next?: string): Promise<void>;
  /** A new fence when the lease was free or over at `now` (and, where given, still is the one of `fence`); undefined when somebody holds it. */
  lease(bot: string, owner: string, now: number, untilMs: number, fence?: number): Promise<number | undefined>;
  remove(bot: string): Promise<void>;
}

export interface ProposalStore {
  /** Inserts, or answers with the live proposal that already holds the same dedupe key. */
  insert(proposal: Proposal): Promise<{ readonly inserted: boolean; readonly proposal: Proposal }>;
  get(id: string): Promise<Proposal | undefined>;
  /** The proposal holding this dedupe key, if any. */
  byDedupeKey(key: string): Promise<Proposal | undefined>;
  /** From `approved` to `executing` under this runner, as it stands now; undefined where it was not approved. On the disk with the next write that is. */
  claim(id: string, by: { readonly runner: string; readonly leaseUntil: number }): Promise<Proposal | undefined>;
  /** Compare-and-set: true if it was in one of `from` (and, where given, held by `runner`) and now is `to`. */
  move(
    id: string,
    from: readonly ProposalState[],
    to: ProposalState,
    patch: Partial<Proposal>,
    runner?: string,
  ): Promise<boolean>;
  /** Changes without a move, while it is in `state` and, where given, held by `runner`. Not `isSynced`: on the disk with the next write that is. */
  patch(
    id: string,
    state: ProposalState,
    patch: Partial<Proposal>,
    runner?: string,
    isSynced?: boolean,
  ): Promise<boolean>;
  /** Frees the dedupe key, whatever the state. */
  release(id: string): Promise<void>;
  /** Newest first; `isOpen`: what somebody may still decide, also late where a visitor was thanked for it. */
  list(filter: {
    bot?: string | undefined;
    /** Of these alone. */
    bots?: readonly string[] | undefined;
    states?: readonly ProposalState[] | undefined;
    isOpen?: boolean | undefined;
    action?: string | undefined;
    /** Those that a person, or nobody, decided. */
    isForPeople?: boolean | undefined;
    /** Those that come after this one, newest first. */
    before?: string | undefined;
    /** Whose time is over first, instead of the newest. */
    isByExpiry?: boolean | undefined;
    limit: number;
  }): Promise<Proposal[]>;
  /** Those that wait for a person, requests of visitors apart. */
  countPending(bot: string, principal?: string): Promise<number>;
  /** Requests of visitors that nobody has decided: not judged yet, asked, and past their time. */
  countHeld(bot: string): Promise<Readonly<Record<'received' | 'pending' | 'expired', number>>>;
  /**
   * How many places of the form are taken: by every request that nobody has decided, and for a while by those that policy let
   * run, so that a free place does not tell which of the two it was.
   */
  countPlaces(bot: string, ranSince: number): Promise<number>;
  /** What waits for a yes about this record, by this caller, oldest first. */
  waitingFor(target: {
    readonly bot: string;
    readonly action: string;
    readonly principal: string;
    readonly conversation: string | null;
    readonly target: string;
  }): Promise<Proposal[]>;
  /** What somebody may have to look after, oldest first: pending past its time, and everything between a yes and its end. */
  due(now: number, limit: number): Promise<Proposal[]>;
  /** Blanks what ended proposals hold of records and people; how many. */
  blankSettledBefore(at: number): Promise<number>;
}

/** One decision or effect. `subject` ties rows to a person so that they can be erased; `sealed` is encrypted detail with a retention. */
export interface AuditEntry {
  readonly at: number;
  readonly bot: string | null;
  readonly principal: string;
  readonly channel: string;
  readonly action: string;
  /** e.g. permitted, refused, proposed, approved, rejected, expired, done, failed, conflict, unknown, granted, policy_saved, undone. */
  readonly event: string;
  readonly decision: string | null;
  readonly assurance: string | null;
  readonly proposal: string | null;
  readonly digest: string | null;
  readonly policyRevision: number | null;
  readonly object: string | null;
  readonly recordId: string | null;
  /** JSON text, masked, no before-values. */
  readonly detail: string;
  /** Encrypted before and after values, or null; not part of the hash but its own hash is. */
  readonly sealed: string | null;
}

export interface AuditRow extends AuditEntry {
  readonly seq: number;
  readonly sealedHash: string | null;
  readonly previous: string;
  readonly hash: string;
}

export interface AuditFilter
  extends Partial<
    Readonly<
      Record<
        'bot' | 'proposal' | 'action' | 'event' | 'principal' | 'channel' | 'decision' | 'recordId',
        string | undefined
      >
    >
  > {
  /** Of these bots alone: rows about none are left out. */
  readonly bots?: readonly string[] | undefined;
  /** Any of these. */
  readonly events?: readonly string[] | undefined;
  /** Of an error, as its detail says. */
  readonly code?: string | undefined;
  /** From this time on, ms. */
  readonly since?: number | undefined;
  /** Before this time, ms. */
  readonly until?: number | undefined;
  /** Numbers of rows, themselves not included. */
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

export interface AuditStore {
  /** Appends under a lock: seq and previous hash are taken, `hashOf` makes the hash. */
  append(entry: AuditEntry, hashOf: (row: Omit<AuditRow, 'hash'>) => string): Promise<AuditRow>;
  get(seq: number): Promise<AuditRow | undefined>;
  head(): Promise<{ readonly seq: number; readonly hash: string } | undefined>;
  /** Ascending by seq from `after`; from the very first row there is, whatever its number, where that is undefined. */
  page(after: number | undefined, limit: number): Promise<AuditRow[]>;
  /** Newest first; with `after` the ones next to it. */
  find(filter: AuditFilter & { readonly limit: number }): Promise<AuditRow[]>;
  /** A row before all of this time, so that counting them does not read the years before; clocks may differ by an hour. */
  startOf(since: number): Promise<number>;
  /** Rows of bots by event and by the number of the bucket, from `since` on. */
  tally(
    filter: AuditFilter & { readonly since: number; readonly bucketMs: number },
  ): Promise<{ readonly bucket: number; readonly event: string; readonly count: number }[]>;
  /** Refused calls by their code, most first. */
  refusals(filter: AuditFilter): Promise<{ readonly code: string; readonly count: number }[]>;
  /** How long each of the latest decisions was waited for, ms. */
  waits(filter: AuditFilter): Promise<number[]>;
  /** Drops sealed values (retention, erasure); hashes stay. */
  unseal(seqs: readonly number[]): Promise<void>;
  sealedBefore(at: number, limit: number): Promise<number[]>;
}

export interface CounterStore {
  /** Adds `by` to the counter of this key and window start; answers the new value. Below zero gives back. */
  add(key: string, window: number, by: number): Promise<number>;
  /** Of all windows that begin at `sinceWindow` or later, but for one: whoever knows its place there adds that. */
  sum(key: string, sinceWindow: number, exceptWindow?: number): Promise<number>;
}

/** Small expiring things with single use or replacement: OAuth states, cursors, describe cache, secret check. Values are JSON text. */
export interface ValueStore {
  get(kind: string, key: string, now: number): Promise<string | undefined>;
  set(kind: string, key: string, value: string, expiresAt: number | null): Promise<void>;
  /** Sets only if nothing live is there; answers what is there afterwards. */
  setIfAbsent(kind: string, key: string, value: string, expiresAt: number | null, now: number): Promise<string>;
  /** Reads and deletes in one step: exactly one caller gets it. */
  consume(kind: string, key: string, now: number): Promise<string | undefined>;
  remove(kind: string, key: string): Promise<void>;
  /** Removes every value of the kind whose key starts with `prefix`. */
  removeAll(kind: string, prefix: string): Promise<void>;
}

/** One session of a 2025-era MCP client. Its id is no credential: it counts together with the caller who opened it. */
export interface McpSessionRow {
  readonly id: string;
  readonly bot: string;
  /** Names the key. */
  readonly principal: string;
  /** The account key that the host signed. */
  readonly indexValue: string | null;
  /** The person of that account, where the host names one. */
  readonly user: string | null;
  /** What the client said of itself when it opened the session, JSON text. */
  readonly client: string;
  readonly usedAt: number;
  /** Calls under way in any process, and until when those may be believed. */
  readonly calls: number;
  readonly busyUntil: number;
}

export interface McpSessionStore {
  /**
   * Makes room among the bot's own sessions (the longest unused go first, none with a call under way), then inserts.
   * Answers those that went; undefined, and nothing inserted, when there is no room.
   */
  open(
    row: Omit<McpSessionRow, 'calls' | 'busyUntil'>,
    room: { readonly most: number; readonly idleSince: number; readonly now: number },
  ): Promise<readonly string[] | undefined>;
  get(id: string): Promise<McpSessionRow | undefined>;
  use(id: string, at: number): Promise<void>;
  beginCall(id: string, now: number, busyUntil: number): Promise<void>;
  endCall(id: string): Promise<void>;
  end(id: string): Promise<void>;
}

/** A program that a person let act for one bot. */
export interface AccessGrantRow {
  readonly id: string;
  readonly operator: string;
  readonly bot: string;
  /** SHA-256 of the client's id, hex. */
  readonly client: string;
  readonly clientName: string;
  /** Where its code was sent. */
  readonly host: string;
  /** The one address at which its tokens count. */
  readonly resource: string;
  /** Separated by spaces. */
  readonly scopes: string;
  /** Of the code that it was made with: presented again, that code ends it. */
  readonly codeHash: string;
  readonly createdAt: number;
  readonly usedAt: number;
  readonly expiresAt: number;
}

/** A yes on its way to the client: 60 seconds, once. */
export interface AuthCodeRow
  extends Pick<AccessGrantRow, 'operator' | 'bot' | 'client' | 'clientName' | 'resource' | 'scopes' | 'expiresAt'> {
  /** SHA-256 of the code, hex. */
  readonly hash: string;
  readonly redirectUri: string;
  /** PKCE S256. */
  readonly challenge: string;
}

export interface AccessTokenRow {
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  readonly grant: string;
  readonly kind: 'access' | 'refresh';
  readonly expiresAt: number;
  /** When a refresh token was first exchanged for another. */
  readonly rotatedAt: number | null;
}

export interface IdentityStore {
  addCode(code: AuthCodeRow): Promise<void>;
  /** Reads and deletes: exactly one caller gets it. */
  takeCode(hash: string): Promise<AuthCodeRow | undefined>;
  addGrant(grant: AccessGrantRow): Promise<void>;
  addTokens(tokens: readonly AccessTokenRow[]): Promise<void>;
  grantOfCode(codeHash: string): Promise<AccessGrantRow | undefined>;
  /** A token with its grant and what its person is now; undefined once any of them is gone. One read. */
  token(
    hash: string,
  ): Promise<{ readonly token: AccessTokenRow; readonly grant: AccessGrantRow; readonly rights: Rights } | undefined>;
  /** Those of these grants that are not over, whose bot is still here, and its person with a role for that bot. */
  standing(ids: readonly string[], now: number): Promise<string[]>;
  /** Takes the grant's row for the rest of the transaction and moves its times; false when it is gone. */
  holdGrant(id: string, times: Pick<AccessGrantRow, 'usedAt' | 'expiresAt'>): Promise<boolean>;
  noteUse(id: string, usedAt: number): Promise<void>;
  rotate(hash: string, at: number): Promise<void>;
  /** With its tokens. False when there is none. */
  end(id: string): Promise<boolean>;
  get(id: string): Promise<AccessGrantRow | undefined>;
  /** Newest first. */
  list(operator?: string): Promise<AccessGrantRow[]>;
  /** Codes, tokens and grants whose time is over. */
  prune(now: number): Promise<void>;
}
