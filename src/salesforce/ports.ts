import type { LeaseWatch } from '../domain/lease-watch.ts';
import type { Config } from '../ports/config.ts';
import type { Log } from '../ports/log.ts';

/** What this room needs from outside. The store, the token vault and the simulated org fit these by shape. */
export interface ConnectionDeps {
  readonly config: Config['salesforce'];
  readonly requestTimeoutMs: number;
  readonly rows: ConnectionRows;
  readonly values: Values;
  readonly tokens: TokenVault;
  readonly now: () => number;
  readonly newId: () => string;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: Log;
  /** Names this process in leases. */
  readonly instance: string;
  /** Judges the leases of others; default: by `now`. */
  readonly watch?: LeaseWatch | undefined;
  /** The embedded simulated org; absent where it may not be used. */
  readonly simulated?: (() => Promise<SimulatedOrg>) | undefined;
  /** Where people look at the records of the embedded org. */
  readonly simulatedPages?: (() => string) | undefined;
  /** The username-password flow is off unless an operator switches it on. */
  readonly allowPassword?: boolean | undefined;
  /** Shares of the daily allowance at which background and interactive calls stop. */
  readonly budget?: BudgetShares | undefined;
  /** Waiting between retries and polls; tests pass their own. */
  readonly wait?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

export interface BudgetShares {
  readonly background: number;
  readonly interactive: number;
}

export interface SimulatedOrg {
  fetch(request: Request): Promise<Response>;
}

/** What is kept encrypted for one connection. `login` signs in again where a flow has no refresh token. */
export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly login?: LoginSecret;
}

export interface LoginSecret {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
}

export interface TokenVault {
  get(key: string): Promise<TokenSet | undefined>;
  set(key: string, value: TokenSet): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface Values {
  get(kind: string, key: string, now: number): Promise<string | undefined>;
  set(kind: string, key: string, value: string, expiresAt: number | null): Promise<void>;
  take(kind: string, key: string, now: number): Promise<string | undefined>;
  remove(kind: string, key: string): Promise<void>;
  removeAll(kind: string, prefix: string): Promise<void>;
}

export interface ConnectionRow {
  readonly bot: string;
  readonly id: string;
  readonly flow: 'web' | 'jwt' | 'client-credentials' | 'password' | 'simulated';
  readonly state: 'connected' | 'needs_reauth' | 'disconnected';
  readonly orgId: string;
  readonly userId: string;
  readonly username: string;
  readonly instanceUrl: string;
  readonly loginUrl: string;
  readonly environment: 'production' | 'sandbox' | 'simulated';
  readonly scopes: string;
  readonly connectedAt: number;
  /** The fence of the lease under which these tokens were stored; also part of their key in the vault. */
  readonly tokenVersion: number;
  readonly leaseOwner: string | null;
  readonly leaseUntil: number;
  readonly fence: number;
  readonly breakerState: 'closed' | 'open' | 'half-open';
  readonly breakerFailures: number;
  readonly breakerSuccesses: number;
  readonly breakerUntil: number;
  readonly clockOffsetMs: number;
  readonly apiUsed: number | null;
  readonly apiMax: number | null;
  readonly apiAt: number | null;
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

export interface ConnectionRows {
  put(row: ConnectionRow): Promise<void>;
  get(bot: string): Promise<ConnectionRow | undefined>;
  list(): Promise<ConnectionRow[]>;
  patch(bot: string, patch: ConnectionPatch): Promise<void>;
  patchIf(bot: string, where: ConnectionPatch, patch: ConnectionPatch): Promise<boolean>;
  /** `count` successes at once: they are written at most once a second. */
  noteSuccess(bot: string, at: number, count: number): Promise<void>;
  noteFailure(bot: string, at: number, code: string, message: string, next?: string): Promise<void>;
  lease(bot: string, owner: string, now: number, untilMs: number, fence?: number): Promise<number | undefined>;
}
