/** Tokens at rest (O4), encrypted. It has no compare-and-set: leases and versions live in the store. */
export interface TokenVault {
  get(key: string): Promise<TokenSet | undefined>;
  /** Resolves when the database says it is durable (on Redis: as durable as that server is set up to be). */
  set(key: string, value: TokenSet): Promise<void>;
  delete(key: string): Promise<void>;
  /** Throws while the server does not answer, or takes no writes. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** What whoever signs in needs of it. */
export type TokenStore = Pick<TokenVault, 'get' | 'set' | 'delete' | 'check'>;

/** What is kept encrypted for one connection. `login` signs in again where a flow has no refresh token. */
export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  readonly login?: LoginSecret | undefined;
  /** By which app it was issued: that one alone renews it. Earlier versions kept none: it was the installation's. */
  readonly app?: IssuingApp | undefined;
}

/** An app in an org, by which a sign-in is asked for. */
export interface OAuthApp {
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
}

/** The secret of the installation's own stays in the environment. */
export type IssuingApp =
  | ({ readonly of: 'bot' } & OAuthApp)
  | { readonly of: 'installation'; readonly clientId: string };

export interface LoginSecret {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
}
