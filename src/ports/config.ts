/** The environment as one frozen, checked object. Nothing else reads process.env. */
export interface Config {
  /** Folder of the databases, the generated secret and the audit head. */
  readonly dataDir: string;
  /** From the environment; else a file in `dataDir` made at the first start. */
  readonly secret: string | undefined;
  /** Public base of links, e.g. https://gate.example; default http://localhost:PORT. */
  readonly url: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Addresses and networks of proxies that are believed about whom they speak for. */
  readonly trustedProxies: readonly string[];
  /** Origins of other sites (pages, browser extensions) whose MCP clients may call `/mcp`. */
  readonly allowedOrigins: readonly string[];
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly salesforce: {
    readonly clientId: string | undefined;
    readonly clientSecret: string | undefined;
    /** Of the app that `connect --client-id` names, without a prompt. */
    readonly botClientSecret: string | undefined;
    readonly loginUrl: string;
    readonly apiVersion: string;
    /** GATEHOUSE_ALLOW_PASSWORD=1: the discouraged username-password flow may be used. */
    readonly allowPassword: boolean;
    /** For the username-password flow without a prompt. */
    readonly password: string | undefined;
    /** File of the private key (PEM) for the JWT flow. */
    readonly jwtKeyFile: string | undefined;
    /** Exact hosts (host or host:port) an operator trusts beside Salesforce's own. */
    readonly extraHosts: readonly string[];
  };
  /** GATEHOUSE_SIM=1: the simulated org although a real connection is stored. */
  readonly simulate: boolean;
  /** GATEHOUSE_SIM_SEED=stock: a new simulated org begins without any field of ours. */
  readonly simSeed: 'stock' | undefined;
  /** GATEHOUSE_ALLOW_PRIVATE_HOOKS=1: webhooks may lead to this machine and into private networks. */
  readonly allowPrivateHooks: boolean;
  /** GATEHOUSE_PRINT_SIGN_IN=1: sign-in links are printed although standard output is no terminal. */
  readonly printSignIn: boolean;
  readonly keys: { readonly bot: string | undefined; readonly operator: string | undefined };
  readonly session: string | undefined;
  readonly openai: {
    readonly apiKey: string | undefined;
    readonly baseUrl: string | undefined;
    readonly model: string | undefined;
  };
  /** How long values of records are kept beside the audit and in ended proposals, ms. */
  readonly retentionMs: number;
  /** How long logs, changes, talks and ended proposals are kept, ms. */
  readonly historyMs: number;
  /** Deadline of one Salesforce request, ms. */
  readonly requestTimeoutMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}
