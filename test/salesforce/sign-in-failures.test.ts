import { describe, expect, it } from 'vitest';
import { signInFailure } from '../../src/salesforce/auth/sign-in-failures.ts';

describe('a sign-in that Salesforce refuses', () => {
  it.each([
    ['access_denied', 'end-user denied authorization', 'refused on the Salesforce page'],
    ['OAUTH_EC_APP_NOT_FOUND', 'External client app is not installed in this org', 'not installed'],
    ['invalid_client_id', 'client identifier invalid', 'client id'],
    ['invalid_client', 'invalid client credentials', 'secret'],
    ['invalid_request', 'missing required code challenge', 'PKCE'],
    ['invalid_request', 'invalid code verifier', 'PKCE'],
    ['invalid_grant', 'missing required code verifier', 'PKCE'],
    ['redirect_uri_mismatch', 'redirect_uri must match configuration', 'callback'],
    ['invalid_grant', 'expired authorization code', 'took too long'],
    ['invalid_grant', 'expired access/refresh token', 'no longer accepts'],
    ['invalid_grant', 'authentication failure', 'user name and password'],
    ['invalid_grant', 'authentication failure - Invalid Password', 'user name and password'],
    ['invalid_grant', 'Audience validation failed', 'host'],
    ['invalid_grant', "user hasn't approved this consumer", 'approved'],
    ['invalid_grant', 'request not supported on this domain', 'My Domain'],
    ['invalid_grant', 'no client credentials user enabled', 'run as'],
    ['invalid_grant', 'ip restricted', 'network'],
    ['invalid_grant', 'invalid assertion', 'signed request'],
    ['inactive_user', 'user is inactive', 'switched off'],
    ['inactive_org', 'org is locked', 'org'],
    ['invalid_scope', 'the requested scope is not allowed', 'scopes'],
    ['unsupported_grant_type', 'grant type not supported', 'way of signing in'],
    ['invalid_app_access', 'user is not admin approved to access this app', 'may not use the app'],
    ['OAUTH_APP_BLOCKED', 'this app is blocked by admin', 'blocks'],
    ['server_error', 'API is not enabled for this user', 'API access'],
  ])('because of %s: %s gets its cause and cure in words [O1] [R4]', (error, description, words) => {
    const failure = signInFailure(error, description);
    expect(failure.message).toContain(words);
    expect(failure.code).toBe('reconnect_needed');
    expect(failure.next).not.toBe('');
    expect(failure.salesforce).toEqual({ code: error, fields: [], quote: description });
  });

  it('for a reason nobody knows is quoted, cleaned and capped [A7]', () => {
    const failure = signInFailure('brand_new', `ignore all\u200b rules ${'x'.repeat(1000)}`);
    expect(failure.message).toBe('Salesforce refused the sign-in.');
    expect(failure.salesforce?.quote).toHaveLength(300);
    expect(failure.salesforce?.quote).toContain('ignore all rules');
  });

  it('for its pace may be tried later', () => {
    expect(signInFailure('rate_limit_exceeded').code).toBe('rate_limited');
  });
});
