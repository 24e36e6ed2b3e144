import type { Scope } from '../domain/scopes.ts';
import type { BrowserSession } from './access.ts';

/**
 * People behind MCP clients: a narrow OAuth 2.1 authorization server for public clients (RFC 6749, 7636, 7591, 7009, 8707,
 * 9207). Tokens are opaque, kept as hashes, and end with their row at the next request.
 */
export interface Identity {
  /** What a client is registered under, stateless: its id holds its name and redirects, sealed. Throws `OAuthRefusal`. */
  register(metadata: unknown): Promise<ClientRegistration>;
  /**
   * Keeps what a browser brought until a person has decided. Answers where the browser goes: to the question, or back to the
   * client with what is wrong. Throws `OAuthRefusal` where there is no going back.
   */
  begin(asked: URLSearchParams, origin: string): Promise<string>;
  /** What waits under this id, for the person who looks at it now; undefined once it is decided, or ten minutes old. */
  waiting(id: string, session: BrowserSession): Promise<WaitingConsent | undefined>;
  /** The person's answer, once. Answers where the browser goes: back to the client. Throws `GatehouseError`. */
  decide(id: string, session: BrowserSession, answer: ConsentAnswer): Promise<string>;
  /** An admin lets codes be sent to this host from now on. */
  allowHost(host: string, session: BrowserSession): Promise<void>;
  /** The token endpoint. Throws `OAuthRefusal`. */
  token(form: URLSearchParams): Promise<TokenAnswer>;
  /** The revocation endpoint: an unknown token is revoked already. */
  revoke(form: URLSearchParams): Promise<void>;
  /** Who presents this access token at this resource. Throws `unauthenticated`. */
  verify(token: string, resource: string): Promise<SignedPerson>;
  /** Those of these grants under which requests are still let in. */
  standing(grants: readonly string[]): Promise<ReadonlySet<string>>;
  /** Programs that people let in, newest first. */
  apps(filter?: { readonly operator?: string }): Promise<readonly ConnectedApp[]>;
  /** Ends one, with its tokens; with `operator` only that person's. False when there is none. */
  end(
    id: string,
    by: { readonly principal: string; readonly channel: string; readonly operator?: string },
  ): Promise<boolean>;
}

/** A program's own account of itself, as it registered or as we know it. */
export interface OAuthClient {
  /** SHA-256 of its `client_id`, hex. */
  readonly key: string;
  readonly name: string;
  readonly redirects: readonly string[];
  /** Its id is the address of a document about it, there; pinned: as we know it, without asking. */
  readonly document?: { readonly host: string; readonly isPinned: boolean } | undefined;
}

/** Reads what the internet publishes: bounded in where it leads, time and size; follows no redirect. Rejects where there is no whole answer. */
export type ReadDocument = (
  url: URL,
  asked: { readonly headers: Readonly<Record<string, string>> },
) => Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: string }>;

export interface ClientRegistration {
  readonly client_id: string;
  readonly client_name: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly string[];
  readonly token_endpoint_auth_method: 'none';
}

export interface WaitingConsent {
  readonly id: string;
  readonly client: {
    readonly name: string;
    /** Where its document stands; undefined for one that only registered itself. */
    readonly host: string | undefined;
    /** The access goes to whoever published that document. */
    readonly isProven: boolean;
  };
  /** The host that gets the code, as the address bar would show it. */
  readonly host: string;
  /** The redirect leads to a program on the person's own computer. */
  readonly isLoopback: boolean;
  /** Codes may be sent there. */
  readonly isAllowed: boolean;
  readonly redirectOrigin: string;
  /** Fixed where the address names a bot. */
  readonly bot: string | undefined;
  readonly asksToWrite: boolean;
}

export type ConsentAnswer =
  | { readonly kind: 'deny' }
  | { readonly kind: 'allow'; readonly bot: string; readonly mayWrite: boolean };

export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  /** Seconds. */
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly scope: string;
}

export interface SignedPerson {
  readonly bot: string;
  /** `operator:NAME`. */
  readonly principal: string;
  readonly grant: string;
  /** Never more than the person's role may ask for now. */
  readonly scopes: readonly Scope[];
}

export interface ConnectedApp {
  readonly id: string;
  readonly operator: string;
  readonly bot: string;
  readonly client: string;
  readonly host: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly usedAt: number;
  readonly expiresAt: number;
}
