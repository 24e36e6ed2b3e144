import { type ErrorCode, type ErrorDetails, GatehouseError } from '../../domain/errors.ts';
import { oneLine } from '../../domain/safe-text.ts';
import { UpstreamError } from '../transport/upstream-error.ts';

/** Every known way in which signing in to Salesforce fails: its cause, and the cure. docs/connect.md tells the same at length. */

interface Row {
  readonly error: RegExp;
  readonly text?: RegExp;
  readonly code?: ErrorCode;
  /**
   * No later try can succeed before a person acts: the grant is dead, client or secret are wrong, the user or the app is shut
   * out. Only then does a renewal give the connection up; everything else may pass, above all what nobody has listed.
   */
  readonly isFinal?: true;
  readonly message: string;
  readonly next: string;
}

/** First match counts, so the special stands before the general. */
const TABLE: readonly Row[] = [
  {
    error: /^access_denied$/,
    isFinal: true,
    message: 'The sign-in was refused on the Salesforce page.',
    next: 'Press Connect again and choose Allow; if the page never offered it, an admin must let this user use the app (External Client App, Policies, Permitted Users).',
  },
  {
    error: /OAUTH_EC_APP_NOT_FOUND|OAUTH_APP_NOT_FOUND/i,
    isFinal: true,
    message: 'The app is not installed in this org.',
    next: 'In the org you sign in to, install the External Client App or create it there (Setup, External Client App Manager), then press Connect again. After a sandbox refresh the app has to be made anew.',
  },
  {
    error: /.*/,
    text: /OAUTH_EC_APP_NOT_FOUND|external client app is not installed/i,
    isFinal: true,
    message: 'The app is not installed in this org.',
    next: 'In the org you sign in to, install the External Client App or create it there (Setup, External Client App Manager), then press Connect again. After a sandbox refresh the app has to be made anew.',
  },
  {
    error: /OAUTH_APP_BLOCKED|OAUTH_APP_ACCESS_DENIED|OAUTH_APPROVAL_ERROR/i,
    isFinal: true,
    message: 'An admin of the org blocks this app for this user.',
    next: 'Setup, Connected Apps OAuth Usage: unblock or install the app; then its policies: let the user in (profile or permission set).',
  },
  {
    error: /^invalid_request$/,
    text: /code challenge|code verifier/i,
    message: 'Salesforce misses the PKCE proof of this sign-in.',
    next: 'Press Connect again from the start; do not open an old sign-in page. If it stays so, check that no proxy cuts long addresses.',
  },
  {
    error: /^invalid_grant$/,
    text: /code verifier|invalid code verifier/i,
    message: 'The PKCE proof does not match this sign-in.',
    next: 'Press Connect again from the start, in one browser window.',
  },
  {
    error: /redirect_uri_mismatch|redirect_uri_missing/,
    message: 'The callback address is not registered with the app.',
    next: 'Add the exact callback address shown on the connect page (the address of Gatehouse plus /oauth/callback) to the app, OAuth Settings, Callback URL; wait up to ten minutes.',
  },
  {
    error: /^invalid_request$/,
    text: /redirect_uri/i,
    message: 'The callback address is not registered with the app.',
    next: 'Add the exact callback address shown on the connect page to the app, OAuth Settings, Callback URL.',
  },
  {
    error: /^(invalid_client_id|invalid_client)$/,
    text: /identifier/i,
    isFinal: true,
    message: 'Salesforce does not know this client id.',
    next: 'Check SALESFORCE_CLIENT_ID (Consumer Key). A new app needs up to ten minutes; a sandbox knows production apps only after they are installed there.',
  },
  {
    error: /^invalid_client_id$/,
    isFinal: true,
    message: 'Salesforce does not know this client id.',
    next: 'Check SALESFORCE_CLIENT_ID (Consumer Key). A new app needs up to ten minutes.',
  },
  {
    error: /^invalid_client$/,
    isFinal: true,
    message: 'The client secret is wrong.',
    next: 'Copy the Consumer Secret of the app into SALESFORCE_CLIENT_SECRET again and restart.',
  },
  {
    error: /^invalid_scope$/,
    message: 'The app does not allow the scopes that Gatehouse needs.',
    next: 'Add "Manage user data via APIs (api)" and "Perform requests at any time (refresh_token, offline_access)" to the app.',
  },
  {
    error: /^inactive_user$/,
    isFinal: true,
    message: 'This Salesforce user is switched off.',
    next: 'Activate the user in Setup, Users, or sign in as another one.',
  },
  {
    error: /^invalid_grant$/,
    text: /inactive org|org.*(locked|inactive|maintenance)/i,
    message: 'This Salesforce org is locked, closed or in maintenance.',
    next: 'Look at status.salesforce.com; a trial or scratch org may have ended.',
  },
  {
    error: /^invalid_grant$/,
    text: /already being processed/i,
    message: 'Salesforce works on another request for the same sign-in.',
    next: 'Try again in a minute.',
  },
  {
    error: /^inactive_org$/,
    message: 'This Salesforce org is locked, closed or in maintenance.',
    next: 'Look at status.salesforce.com; a trial or scratch org may have ended.',
  },
  {
    error: /^rate_limit_exceeded$/,
    code: 'rate_limited',
    message: 'Too many sign-ins in a short time.',
    next: 'Wait an hour before the next sign-in: Salesforce limits them per user.',
  },
  {
    error: /^(unsupported_grant_type|unauthorized_client)$/,
    message: 'The app does not allow this way of signing in.',
    next: 'Switch the flow on in the app (OAuth Settings, Flow Enablement), or use the web flow. Username-password sign-in is switched off in new orgs.',
  },
  {
    error: /^invalid_grant$/,
    text: /not supported on this domain/i,
    message: 'Client credentials work only on the My Domain of the org.',
    next: 'Give --login-url https://NAME.my.salesforce.com instead of the login or test host.',
  },
  {
    error: /^invalid_grant$/,
    text: /no client credentials user|run.?as/i,
    message: 'The app has no user to run as.',
    next: 'In the app, Policies, Client Credentials Flow: choose the integration user under Run As.',
  },
  {
    error: /^invalid_grant$/,
    text: /hasn.t approved this consumer/i,
    isFinal: true,
    message: 'The user is not approved for the app beforehand.',
    next: 'In the app, Policies, Permitted Users: "Admin approved users are pre-authorized", and add the user by permission set.',
  },
  {
    error: /^invalid_grant$/,
    text: /audience/i,
    message: 'The signed request names the wrong sign-in host.',
    next: 'For a sandbox connect with --sandbox; for a My Domain give it as --login-url.',
  },
  {
    error: /^invalid_(grant|assertion)$/,
    text: /assertion.*expired|expired assertion/i,
    message: 'Salesforce does not accept the time of the signed request.',
    next: 'Set the clock of this machine right; signed requests are good for three minutes.',
  },
  {
    error: /^invalid_(grant|assertion|app_access)$/,
    text: /invalid assertion|assertion.*(signature|expired)|signature/i,
    isFinal: true,
    message: 'Salesforce does not accept the signed request.',
    next: 'Check that the private key belongs to the certificate uploaded to the app, that SALESFORCE_CLIENT_ID is its Consumer Key, and that the clock of this machine is right.',
  },
  {
    error: /^invalid_app_access$/,
    isFinal: true,
    message: 'This user may not use the app.',
    next: 'Add the user to the app by profile or permission set (Policies, Permitted Users).',
  },
  {
    error: /^invalid_grant$/,
    text: /ip (address )?(restrict|not allowed|range)|ip restricted|login from this ip/i,
    message: 'The org does not allow sign-ins from this network.',
    next: 'Add the address of this server to the login IP ranges of the user\'s profile, or relax "IP Relaxation" in the policies of the app.',
  },
  {
    error: /^invalid_grant$/,
    text: /login hours|outside.*hours/i,
    message: 'The user may not sign in at this hour.',
    next: "Widen the login hours of the user's profile.",
  },
  {
    error: /^invalid_grant$/,
    text: /locked/i,
    message: 'The user is locked out after too many attempts.',
    next: 'Unlock the user in Setup, Users, then sign in again.',
  },
  {
    error: /^invalid_grant$/,
    text: /expired authorization code|authorization code|invalid code/i,
    message: 'The sign-in took too long or was used twice.',
    next: 'Press Connect again and finish within ten minutes.',
  },
  {
    error: /^invalid_grant$/,
    text: /expired access\/refresh token|inactive|token.*(expired|revoked|invalid)/i,
    isFinal: true,
    message: 'Salesforce no longer accepts the stored sign-in: it was revoked, expired, or replaced by newer ones.',
    next: 'Ask the operator to press Reconnect. Salesforce keeps about five sign-ins per user and app, and the refresh token policy of the app may end them.',
  },
  {
    error: /^invalid_grant$/,
    text: /authentication failure|invalid password/i,
    isFinal: true,
    message: 'Salesforce does not accept the user name and password.',
    next: 'Check both; outside trusted networks the security token must be appended to the password. Sandboxes need --sandbox and the user name with its suffix.',
  },
  {
    error: /.*/,
    text: /api (is )?(not enabled|disabled)|API_DISABLED/i,
    message: 'This user or org has no API access.',
    next: 'Give the user the permission "API Enabled"; some editions need an upgrade for the API.',
  },
];

/** A sign-in that Salesforce refused, told in words. */
export class SignInFailure extends GatehouseError {
  readonly isFinal: boolean;
  /** The table has its cause. */
  readonly isListed: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails & { readonly isFinal: boolean; readonly isListed: boolean },
  ) {
    super(code, message, details);
    this.isFinal = details.isFinal;
    this.isListed = details.isListed;
  }
}

/** The failure in words. The original code and text are kept as a quote: they come from outside. */
export function signInFailure(error: string, description = ''): SignInFailure {
  const row = TABLE.find((one) => one.error.test(error) && (one.text?.test(description) ?? true));
  // The standard itself says what this code means where nothing else is said; with a text that nobody knows it may mean anything.
  const isDeadGrant = error === 'invalid_grant' && description.trim() === '';
  return new SignInFailure(row?.code ?? 'reconnect_needed', row?.message ?? 'Salesforce refused the sign-in.', {
    next: row?.next ?? 'See docs/connect.md for the code in the quote, then press Connect again.',
    salesforce: { code: oneLine(error), fields: [], quote: oneLine(description) },
    isFinal: row === undefined ? isDeadGrant : row.isFinal === true,
    isListed: row !== undefined,
  });
}

/**
 * What a failed renewal says while the connection stands: the cause, where it is known, and that it may pass. Undefined for
 * what is final, and for what is wrong on our side.
 */
export function passing(error: unknown): UpstreamError | undefined {
  if (error instanceof SignInFailure) {
    if (error.isFinal) return undefined;
    return new UpstreamError(
      error.code === 'reconnect_needed' ? 'salesforce_unavailable' : error.code,
      error.isListed ? error.message : 'Salesforce did not renew the session this time.',
      {
        next: 'Try again in a minute; if it stays so, tell the operator.',
        operator: error.isListed
          ? error.next
          : 'The sign-in endpoint answered with the code in the quote, which is not known to be final: the connection stands and it is tried again. If it stays so, press Reconnect on the connection card.',
        salesforce: error.salesforce,
        outcome: 'not_sent',
        infrastructure: true,
        retryable: true,
        cause: error,
      },
    );
  }
  if (!(error instanceof UpstreamError)) return undefined;
  // A page of a proxy, a redirect, a status without OAuth's words, a lost line: nothing of it speaks of the grant.
  return new UpstreamError('salesforce_unavailable', error.message, {
    next: 'Try again in a minute; if it stays so, tell the operator.',
    operator: error.operator ?? error.next,
    salesforce: error.salesforce,
    outcome: 'not_sent',
    infrastructure: true,
    retryable: true,
    cause: error,
  });
}
