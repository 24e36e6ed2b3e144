/** The authorize endpoint: a page a person can use, then the way back with a code or an error. */
import { randomBytes } from 'node:crypto';
import { escapeHtml, type Incoming, type Outgoing, page, redirect } from '../http.ts';
import type { Org } from '../org.ts';
import { appOf, areScopesKnown, userNamed } from './app.ts';

const kept = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'display',
];
const codeMs = 15 * 60 * 1000;

export function authorize(org: Org, { method, url, text }: Incoming): Outgoing {
  const isPost = method === 'POST';
  const asked = isPost ? new URLSearchParams(text) : url.searchParams;
  const get = (name: string) => asked.get(name) ?? '';

  const { clientId } = appOf(org);
  // Without a known app and a callback there is nowhere safe to send an error: it is shown here.
  if (get('client_id') !== clientId) return errorPage('invalid_client_id', 'client identifier invalid');
  const callback = parseCallback(org, get('redirect_uri'));
  if (!callback) return errorPage('redirect_uri_mismatch', 'redirect_uri must match configuration');

  const goBack = (answer: Record<string, string>): Outgoing => {
    for (const [name, value] of Object.entries(answer)) callback.searchParams.set(name, value);
    if (asked.has('state')) callback.searchParams.set('state', get('state'));
    return redirect(callback.href);
  };
  const fail = (error: string, description: string) => goBack({ error, error_description: description });

  if (get('response_type') !== 'code') return fail('unsupported_response_type', 'response type not supported');
  if (!areScopesKnown(get('scope')))
    return fail('invalid_scope', 'the requested scope is invalid, unknown, or malformed');
  if (get('code_challenge') === '') return fail('invalid_request', 'missing required code challenge');
  if (asked.has('code_challenge_method') && get('code_challenge_method') !== 'S256') {
    return fail('invalid_request', 'code challenge method must be S256');
  }
  if (get('prompt') === 'none') return fail('immediate_unsuccessful', 'user must log in');
  if (!isPost) return loginPage(asked, get('login_hint'), '');
  if (get('decision') === 'deny') return fail('access_denied', 'end-user denied authorization');

  const user = userNamed(org, get('username'));
  if (!user) return loginPage(asked, get('username'), 'No such user. Choose one of the two below.');
  if (user.IsActive === false) return fail('inactive_user', 'user is inactive');
  const code = `aPrx${randomBytes(36).toString('base64url')}`;
  org.keep('code', code, {
    code,
    userId: user.Id,
    clientId,
    redirectUri: get('redirect_uri'),
    scope: get('scope') || 'api refresh_token',
    challenge: get('code_challenge'),
    expiresAt: org.now() + codeMs,
  });
  return goBack({ code });
}

function parseCallback(org: Org, text: string): URL | undefined {
  const { callbacks } = org.settings;
  if (callbacks && !callbacks.includes(text)) return undefined;
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
  } catch {
    return undefined;
  }
}

function errorPage(error: string, description: string): Outgoing {
  return page(
    400,
    'OAuth error',
    `<h1>We can't authorize you because of an OAuth error.</h1><p>error=${error}&amp;error_description=${escapeHtml(description)}</p>`,
  );
}

function loginPage(asked: URLSearchParams, chosen: string, problem: string): Outgoing {
  const hidden = kept
    .filter((name) => asked.has(name))
    .map((name) => `<input type="hidden" name="${name}" value="${escapeHtml(asked.get(name) ?? '')}">`);
  const isLimited = chosen.toLowerCase() === 'limited@sim.example';
  const choice = (username: string, meaning: string, isChosen: boolean) =>
    `<label><input type="radio" name="username" value="${username}" required${isChosen ? ' checked' : ''}> <strong>${username}</strong><br><span class="note">${meaning}</span></label>`;
  const callback = escapeHtml(new URL(asked.get('redirect_uri') ?? '').host);
  return page(
    problem ? 400 : 200,
    'Log in to the simulated org',
    `<h1>Simulated org</h1>
<p>This is a simulated org that runs on your own machine. It is not Salesforce, and no password is needed.</p>
${problem ? `<p role="alert"><strong>${problem}</strong></p>` : ''}
<form method="post" action="/services/oauth2/authorize">
${hidden.join('\n')}
<fieldset><legend>Log in as</legend>
${choice('admin@sim.example', 'an administrator: sees and may change everything', !isLimited)}
${choice('limited@sim.example', 'a limited user: no Cases, no annual revenue, may not delete', isLimited)}
</fieldset>
<p>The app at <strong>${callback}</strong> asks to read and change this org's records: <strong>${escapeHtml(asked.get('scope') || 'api refresh_token')}</strong>.</p>
<p><button name="decision" value="allow">Log in and allow</button><button name="decision" value="deny">Deny</button></p>
</form>`,
  );
}
