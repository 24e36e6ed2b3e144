/** Who the token belongs to, in the two shapes that Salesforce has for it. */
import { parseDatetime } from '../datetimes.ts';
import { type Incoming, json, type Outgoing } from '../http.ts';
import type { Org } from '../org.ts';
import type { Row } from '../table.ts';
import { identityUrl, organizationId } from './app.ts';
import { liveSession } from './tokens.ts';

export function identity(org: Org, incoming: Incoming): Outgoing {
  return forUser(org, incoming, (user) => {
    const { origin } = incoming;
    const id = identityUrl(org, origin, user.Id);
    return {
      id,
      asserted_user: true,
      user_id: user.Id,
      organization_id: organizationId(org),
      username: user.Username,
      nick_name: user.CommunityNickname,
      display_name: user.Name,
      email: user.Email,
      email_verified: true,
      first_name: user.FirstName ?? null,
      last_name: user.LastName,
      timezone: user.TimeZoneSidKey,
      photos: photos(origin),
      addr_street: null,
      addr_city: null,
      addr_state: null,
      addr_country: 'US',
      addr_zip: null,
      mobile_phone: null,
      mobile_phone_verified: false,
      is_lightning_login_user: false,
      status: { created_date: null, body: null },
      urls: urls(org, origin, user.Id),
      active: user.IsActive,
      user_type: 'STANDARD',
      language: user.LanguageLocaleKey,
      locale: user.LocaleSidKey,
      utcOffset: 0,
      last_modified_date: user.LastModifiedDate,
      is_app_installed: true,
    };
  });
}

export function userinfo(org: Org, incoming: Incoming): Outgoing {
  return forUser(org, incoming, (user) => {
    const { origin } = incoming;
    return {
      sub: identityUrl(org, origin, user.Id),
      user_id: user.Id,
      organization_id: organizationId(org),
      preferred_username: user.Username,
      nickname: user.CommunityNickname,
      name: user.Name,
      email: user.Email,
      email_verified: true,
      given_name: user.FirstName ?? null,
      family_name: user.LastName,
      zoneinfo: user.TimeZoneSidKey,
      photos: photos(origin),
      profile: `${origin}/${user.Id}`,
      picture: photos(origin).picture,
      address: {},
      is_salesforce_integration_user: false,
      urls: { ...urls(org, origin, user.Id), custom_domain: origin },
      active: user.IsActive,
      user_type: 'STANDARD',
      language: user.LanguageLocaleKey,
      locale: user.LocaleSidKey,
      utcOffset: 0,
      // Unlike record datetimes this one ends in Z.
      updated_at: new Date(parseDatetime(String(user.LastModifiedDate)) ?? 0).toISOString().replace(/\.\d+Z$/, 'Z'),
    };
  });
}

export function openidConfiguration({ origin }: Incoming): Outgoing {
  return json(200, {
    issuer: origin,
    authorization_endpoint: `${origin}/services/oauth2/authorize`,
    token_endpoint: `${origin}/services/oauth2/token`,
    revocation_endpoint: `${origin}/services/oauth2/revoke`,
    userinfo_endpoint: `${origin}/services/oauth2/userinfo`,
    introspection_endpoint: `${origin}/services/oauth2/introspect`,
    jwks_uri: `${origin}/id/keys`,
    scopes_supported: ['api', 'refresh_token', 'offline_access', 'openid', 'id', 'profile', 'email', 'full', 'web'],
    response_types_supported: ['code'],
    grant_types_supported: [
      'authorization_code',
      'refresh_token',
      'password',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    code_challenge_methods_supported: ['S256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
  });
}

/** Identity refuses a bad token with 403 and a bare word, not with the REST API's 401. */
function forUser(org: Org, { headers, url }: Incoming, show: (user: Row) => unknown): Outgoing {
  const token =
    /^(?:Bearer|OAuth) (.+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? url.searchParams.get('oauth_token');
  const text = { 'Content-Type': 'text/html;charset=UTF-8' };
  if (!token) return { status: 403, headers: text, text: 'Missing_OAuth_Token' };
  const session = liveSession(org, token);
  const user = session && org.row('User', session.userId);
  return user ? json(200, show(user)) : { status: 403, headers: text, text: 'Bad_OAuth_Token' };
}

function photos(origin: string): { picture: string; thumbnail: string } {
  return { picture: `${origin}/profilephoto/005/F`, thumbnail: `${origin}/profilephoto/005/T` };
}

function urls(org: Org, origin: string, userId: string): Record<string, string> {
  const rest = `${origin}/services/data/v{version}/`;
  const soap = (kind: string) => `${origin}/services/Soap/${kind}/{version}/${organizationId(org).slice(0, 15)}`;
  return {
    enterprise: soap('c'),
    metadata: soap('m'),
    partner: soap('u'),
    rest,
    sobjects: `${rest}sobjects/`,
    search: `${rest}search/`,
    query: `${rest}query/`,
    recent: `${rest}recent/`,
    tooling_soap: soap('T'),
    tooling_rest: `${rest}tooling/`,
    profile: `${origin}/${userId}`,
    feeds: `${rest}chatter/feeds`,
    groups: `${rest}chatter/groups`,
    users: `${rest}chatter/users`,
    feed_items: `${rest}chatter/feed-items`,
    feed_elements: `${rest}chatter/feed-elements`,
  };
}
