import { codeOf, type Fact, judged, notAsked } from '../fact.ts';
import { form } from '../org.ts';

export const signIn: readonly Fact[] = [
  {
    id: 'wrong-client-secret',
    assumed: 'A wrong client secret is `invalid_client`, `invalid client credentials`.',
    source: 'wire §1 [K]',
    reliesOn: ['src/salesforce/auth/sign-in-failures.ts'],
    how: 'asks for a token with the secret turned round',
    async ask({ open, settings: { clientId, clientSecret } }) {
      if (clientSecret === undefined) return notAsked('needs LIVE_CLIENT_SECRET');
      const wrong = { grant_type: 'client_credentials', client_id: clientId, client_secret: `${clientSecret}x` };
      const answer = await open('POST', '/services/oauth2/token', form(wrong));
      const told = `${codeOf(answer)} ${answer.json?.error_description ?? ''}`;
      return judged(/^400 invalid_client .*client credentials/i.test(told), told);
    },
  },
  {
    id: 'unknown-callback',
    assumed: 'An unknown callback is refused on a page with `redirect_uri_mismatch`, and the browser is sent nowhere.',
    source: 'wire §1 [K]',
    reliesOn: ['src/salesforce/auth/sign-in-failures.ts', 'docs/connect.md'],
    how: 'opens the sign-in page with a callback that no app has',
    async ask({ open, settings: { clientId } }) {
      const asked = new URLSearchParams({
        ...{ response_type: 'code', client_id: clientId, redirect_uri: 'nowhere:gatehouse', scope: 'api' },
        ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: 's' },
      });
      const answer = await open('GET', `/services/oauth2/authorize?${asked}`, { headers: { accept: 'text/html' } });
      const to = answer.headers.get('location') ?? '';
      const isSaid = /redirect_uri_mismatch/.test(answer.text + to);
      return judged(
        isSaid && !to.startsWith('nowhere:'),
        `${answer.status}, ${isSaid ? '' : 'not '}said, ${to === '' ? 'no' : 'a'} redirect`,
      );
    },
  },
  {
    id: 'unknown-scope',
    assumed: 'An unknown scope comes back as `invalid_scope`.',
    source: 'wire §1 [K]',
    reliesOn: ['src/salesforce/auth/sign-in-failures.ts'],
    how: 'opens the sign-in page with a scope that there is not, and a callback that the app has',
    async ask({ open, settings: { clientId, callback } }) {
      if (callback === undefined) return notAsked('needs LIVE_CALLBACK: one that the app in the org names');
      const asked = new URLSearchParams({
        ...{ response_type: 'code', client_id: clientId, redirect_uri: callback, scope: 'nothing' },
        ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: 's' },
      });
      const answer = await open('GET', `/services/oauth2/authorize?${asked}`, { headers: { accept: 'text/html' } });
      const said = /invalid_scope/.exec((answer.headers.get('location') ?? '') + answer.text)?.[0];
      return judged(said !== undefined, `${answer.status} ${said ?? 'says no invalid_scope'}`);
    },
  },
  {
    id: 'access-token-revoked',
    assumed: 'An access token alone can be revoked, and is refused at once afterwards.',
    source: 'events §13: the sign-in of a deployment has no refresh token',
    reliesOn: ['src/app/org-deploy.ts', 'src/salesforce/auth/admin-sign-in.ts'],
    how: 'signs in once more, revokes that token, and asks with it',
    async ask(org) {
      const { openLiveOrg } = await import('../org.ts');
      const other = await openLiveOrg(org.settings, org.run);
      if (other.token === org.token) return notAsked('the org answers a second sign-in with the same token');
      const revoked = await org.open('POST', '/services/oauth2/revoke', form({ token: other.token }));
      const after = await other.api('GET', '/limits');
      return judged(revoked.status === 200 && after.status === 401, `revoked ${revoked.status}, then ${codeOf(after)}`);
    },
  },
];
