/** The deployment of one bot's package to its org, by an administrator's own sign-in there. */

export const DEPLOY_STATES = [
  /** For the sign-in. */
  'waiting',
  'signed_in',
  /** Salesforce tries the package, and changes nothing. */
  'checking',
  /** Waits for a yes. */
  'checked',
  /** Sent at most once, however it ends. */
  'deploying',
  'deployed',
  'failed',
  /** It was sent, and nobody here knows what became of it. */
  'unknown',
  'cancelled',
  'expired',
] as const;
export type DeployState = (typeof DEPLOY_STATES)[number];

const ENDED: ReadonlySet<DeployState> = new Set(['deployed', 'failed', 'unknown', 'cancelled', 'expired']);
export const isDeployOver = (state: DeployState): boolean => ENDED.has(state);

export interface DeploymentRow {
  readonly id: string;
  readonly bot: string;
  /** As the audit names who began it: nobody else goes on with it. */
  readonly principal: string;
  readonly orgId: string;
  /** SHA-256 of the zip: another one is never deployed by this sign-in. */
  readonly digest: string;
  readonly permissionSet: string;
  readonly withEvents: 0 | 1;
  readonly state: DeployState;
  /** SHA-256 of the state that Salesforce brings back. */
  readonly stateHash: string | null;
  /** Of the browser that went to sign in. */
  readonly sessionId: string | null;
  /** Sealed: what the sign-in is finished with; afterwards its token, until it is revoked. */
  readonly sealed: string | null;
  readonly username: string | null;
  /** Of the deployment that was only tried, as Salesforce names it; then of the one that counts. */
  readonly checkId: string | null;
  readonly deployId: string | null;
  /** Also give the permission set to the connected user. */
  readonly withAssignment: 0 | 1;
  /** What came of trying it, and of the deployment, as JSON. */
  readonly checked: string | null;
  readonly outcome: string | null;
  /** Why it ended otherwise than wanted, and what to do: JSON. */
  readonly problem: string | null;
  readonly createdAt: number;
  /** Whatever is still sealed then is revoked. */
  readonly expiresAt: number;
}

type Condition = Partial<Pick<DeploymentRow, 'state' | 'stateHash' | 'sealed' | 'checkId' | 'deployId'>>;

export interface DeploymentStore {
  add(row: DeploymentRow): Promise<void>;
  get(id: string): Promise<DeploymentRow | undefined>;
  byState(stateHash: string): Promise<DeploymentRow | undefined>;
  /** Newest first, at most 20. */
  list(bot: string): Promise<DeploymentRow[]>;
  /** Those that are not over, and those whose token may still be good. */
  open(bot?: string): Promise<DeploymentRow[]>;
  /** False when it is not as `was` says any more: somebody was faster. */
  patchIf(id: string, was: Condition, patch: Partial<DeploymentRow>): Promise<boolean>;
}

/** A component of the package, and what the org did or would do with it. */
export interface DeployedPart {
  readonly type: string;
  readonly name: string;
  readonly change: 'created' | 'changed' | 'unchanged';
}

/** What Salesforce says of one deployment. */
export interface DeployReport {
  readonly status: string;
  readonly isOver: boolean;
  readonly isGood: boolean;
  /** When it was made, by the clock of the org. */
  readonly createdAt: string;
  readonly parts: readonly DeployedPart[];
  /** In Salesforce's words, cleaned and cut. */
  readonly failures: readonly { readonly type: string; readonly name: string; readonly problem: string }[];
}

/** A permission set of that name which stands in the org already. */
export interface FoundSet {
  readonly id: string;
  readonly isOurs: boolean;
  /** `Lead: read, create` and `Lead.Email: read and edit`, as the package says it. */
  readonly gives: readonly string[];
}

/** The org, as the administrator who signed in for this may use it. */
export interface AdminOrg {
  readonly userId: string;
  /** Sent once; answers the id by which it is asked about. */
  deploy(zip: Buffer, options: { readonly checkOnly: boolean }): Promise<string>;
  report(id: string): Promise<DeployReport>;
  /** Ids of deployments that count, made by this user after that moment: where the answer that would have named it was lost. */
  sentSince(createdAt: string): Promise<readonly string[]>;
  permissionSet(name: string): Promise<FoundSet | undefined>;
  /** False where the user has it already. */
  assign(permissionSetId: string, userId: string): Promise<boolean>;
}

export interface AdminSession {
  readonly accessToken: string;
  readonly instanceUrl: string;
  readonly userId: string;
  readonly username: string;
}

/** Sign-ins of administrators to the org of a bot, by the app that the bot is connected by. Nothing of them is kept here. */
export interface AdminSignIns {
  /** Where the browser goes, and what only this sign-in can be finished with. No refresh token is asked for. */
  begin(
    bot: string,
    way: { readonly redirectUri: string; readonly state: string },
  ): Promise<{ readonly url: string; readonly verifier: string }>;
  /** A sign-in to another org than the bot's is revoked at once and refused. */
  finish(
    bot: string,
    back: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
  ): Promise<AdminSession>;
  /** The embedded org has no page to sign in at: its administrator is signed in at once. */
  simulated(bot: string): Promise<AdminSession>;
  open(session: AdminSession, signal: AbortSignal): AdminOrg;
  /** False when Salesforce did not confirm it. */
  revoke(session: Pick<AdminSession, 'accessToken' | 'instanceUrl'>): Promise<boolean>;
}
