import type { Setter } from '../audit/audit.ts';
import type { BotRow } from '../ports/store.ts';
import type { toShown } from './org-deploy-shown.ts';

/**
 * The package of a bot, deployed to its org: tried first, shown, and only after an administrator's yes for good, with a Salesforce
 * sign-in of that administrator's own. The sign-in belongs to one operator, bot, org and zip: its token is sealed under a key made
 * of these, stands in its row for half an hour at most, and is revoked when that row is over, by whoever looks next. Nothing waits
 * here: each look asks Salesforce by id where it stands, so that a process may die at any point and nothing is deployed twice.
 */
export interface OrgDeploy {
  begin(bot: BotRow, wish: { readonly events: boolean }, by: Setter): Promise<ShownDeployment>;
  /** Where the browser goes to sign in; it must come back in the same session. */
  signIn(id: string, by: Setter, browser: Browser): Promise<{ readonly url: string }>;
  /** Undefined where this return belongs to no deployment. */
  finish(back: SignedBack, by: Setter): Promise<ShownDeployment | undefined>;
  /** Tried in the org, which changes nothing there. */
  check(id: string, by: Setter): Promise<ShownDeployment>;
  /** The yes: to this zip, as it was shown. */
  deploy(id: string, by: Setter, yes: { readonly digest: string; readonly assign: boolean }): Promise<ShownDeployment>;
  /** As it stands now: Salesforce is asked where it is at work. */
  look(id: string): Promise<ShownDeployment>;
  cancel(id: string, by: Setter): Promise<ShownDeployment>;
  list(bot: string): Promise<readonly ShownDeployment[]>;
  /** The bot leaves its org. */
  leave(bot: string): Promise<void>;
  /** What was left behind: asked about, or ended and its token revoked. */
  tidy(): Promise<void>;
}

export type ShownDeployment = ReturnType<typeof toShown>;

interface Browser {
  readonly sessionId: string;
  readonly redirectUri: string;
}

export interface SignedBack {
  readonly sessionId: string;
  readonly state: string | undefined;
  readonly code: string | undefined;
  readonly error: string | undefined;
}
