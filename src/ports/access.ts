import type { OperatorPermission, Rights } from '../../permissions/catalog.ts';
import type { Session } from '../domain/session.ts';

/** Who is at the door: three kinds of key, never interchangeable, and operators with a browser session. */
export interface Access {
  /** A new key, in the clear this once. `gha_` agent, `ghh_` host, `gho_` operator. */
  issueKey(kind: 'agent' | 'host' | 'operator', owner: string): Promise<string>;
  revokeKeys(kind: 'agent' | 'host' | 'operator', owner: string): Promise<number>;
  /** Each throws `unauthenticated` for an unknown or revoked key, `permission_denied` for a key of another kind. */
  agent(key: string | undefined): Promise<{ readonly bot: string; readonly principal: string }>;
  host(key: string | undefined): Promise<{ readonly bot: string; readonly principal: string }>;
  operator(key: string | undefined): Promise<Operator>;
  /** Those of these callers, as `agent` and `host` name them, whose keys still open. */
  standing(principals: readonly string[]): Promise<ReadonlySet<string>>;
  createOperator(name: string, role: string): Promise<string>;
  operators(): Promise<readonly Operator[]>;
  /** A one-time sign-in token for a terminal: single use, ten minutes. */
  signInToken(operator: string): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** Redeems a token once; answers the cookie value of a new session. */
  redeem(token: string): Promise<{ readonly cookie: string; readonly session: BrowserSession }>;
  /** Undefined when there is none, or it is over. */
  session(cookie: string | undefined): Promise<BrowserSession | undefined>;
  /** What the operators of those of these sessions may that still stand, by the session's id. */
  signedIn(ids: readonly string[]): Promise<ReadonlyMap<string, Pick<Operator, 'role' | keyof Rights>>>;
  signOut(cookie: string): Promise<void>;
  /**
   * Throws `permission_denied` naming the permission, or the bots that the role is for: without a `bot`, what is asked is about
   * all of them.
   */
  require(operator: Operator, permission: OperatorPermission, bot?: string | null): void;
  /** The same of a bot alone. */
  requireBot(operator: Operator, bot: string | null): void;
  /** Claims of a chat session (O9, P6), in the name of the host key that asks: `principal` as `host` gave it. */
  signSession(bot: string, principal: string, claims: Session, ttlMs: number): string;
  /** Throws `unauthenticated` when forged, expired or another bot's, and once the key that it was signed for is revoked or gone. */
  verifySession(bot: string, token: string): Promise<Session>;
}

export interface Operator extends Rights {
  readonly name: string;
  readonly role: string;
}

export interface BrowserSession extends Operator {
  /** Stable id of this session (not the cookie); binds OAuth states. */
  readonly id: string;
  /** Must come back in every state-changing form and request. */
  readonly csrf: string;
  readonly signedInAt: number;
  readonly expiresAt: number;
}

/** The key that a request carries, of whatever kind. */
export function bearerOf(headers: Headers): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
}
