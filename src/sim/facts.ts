/** Everything the org remembers beside records. Each kind is a map from id to a plain JSON value. */
import type { Locator } from './query/locator.ts';
import { plain, type Setup } from './schema/setup.ts';

export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly clientId: string;
  readonly expiresAt: number;
  /** The grant that made it: revoking the grant ends the session too. */
  readonly grantId: string | null;
}

export interface Grant {
  readonly id: string;
  /** The refresh token that is good now; rotation replaces it. */
  readonly token: string;
  readonly userId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly createdAt: number;
}

export interface AuthCode {
  readonly code: string;
  readonly userId: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly challenge: string;
  readonly expiresAt: number;
}

export interface FaultRule {
  readonly id: string;
  readonly type:
    | 'latency'
    | 'status'
    | 'token'
    | 'drop'
    | 'drop_body'
    | 'expired_session'
    | 'limit'
    | 'lock'
    | 'html'
    | 'redirect'
    | 'hang';
  readonly match?: { readonly method?: string | undefined; readonly path?: string | undefined } | undefined;
  /** How many more requests it strikes; absent means every one until cleared. */
  readonly times?: number | undefined;
  readonly ms?: number | undefined;
  readonly status?: number | undefined;
  readonly location?: string | undefined;
  /** What it answers instead of the org: JSON, or the text of a page. */
  readonly body?: unknown;
  readonly when: 'before' | 'after';
}

export interface CallRow {
  readonly n: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly at: string;
  readonly client: string | null;
  readonly kind: 'api' | 'oauth';
  /** Rows that queries of this call looked at: the work done, free of any clock. */
  readonly examined: number;
}

export interface Settings extends Setup {
  readonly sandbox: boolean;
  readonly sessionMs: number;
  readonly apiMax: number;
  readonly duplicates: 'alert' | 'block' | 'off';
  readonly validation: boolean;
  readonly rotation: boolean;
  readonly isLoginHost: boolean;
  readonly callbacks: readonly string[] | null;
  readonly compositeConditional: boolean;
  readonly clockOffsetMs: number;
  /** Describes answer 304 to who has seen them since. */
  readonly schemaChangedAt: number;
}

export interface Usage {
  /** Start of the rolling day in which `used` counts. */
  readonly since: number;
  readonly used: number;
  readonly apiCalls: number;
  readonly oauthCalls: number;
}

export interface OutboundAction {
  readonly id: string;
  readonly object: string;
  readonly url: string;
  readonly fields: readonly string[];
  readonly includeSessionId: boolean;
  readonly userId: string;
}

export interface Notice {
  readonly id: string;
  readonly actionId: string;
  readonly recordId: string;
  readonly createdAt: number;
  readonly attempts: number;
  readonly nextAt: number;
  readonly lastError: string | null;
}

export interface Facts {
  readonly session: Session;
  readonly grant: Grant;
  readonly code: AuthCode;
  readonly fault: FaultRule;
  readonly call: CallRow;
  readonly settings: Settings;
  readonly usage: Usage;
  readonly counter: number;
  readonly locator: Locator;
  readonly jwtKey: { readonly pem: string };
  readonly action: OutboundAction;
  readonly notice: Notice;
}

export const defaultSettings: Settings = {
  ...plain,
  sandbox: false,
  sessionMs: 2 * 60 * 60 * 1000,
  apiMax: 100_000,
  duplicates: 'alert',
  validation: true,
  rotation: false,
  isLoginHost: false,
  callbacks: null,
  compositeConditional: false,
  clockOffsetMs: 0,
  schemaChangedAt: Date.UTC(2026, 0, 1),
};
