import type { Asked, Said, Turn } from './turned.ts';

/** Each fact as it would be if Salesforce did otherwise. */

// biome-ignore lint/suspicious/noExplicitAny: answers of the wire, changed here and there
type Json = any;

const at = (pattern: RegExp, change: (said: Said, asked: Asked) => Partial<Said> | undefined): Turn => ({
  said: (asked, said) =>
    pattern.test(`${asked.method} ${decodeURIComponent(asked.path)}`) ? change(said, asked) : undefined,
});
/** The answer to it is this one. */
const is = (pattern: RegExp, status: number, body: Json): Turn =>
  at(pattern, () => ({ status, body: JSON.stringify(body) }));
/** Its JSON is changed in place. */
const with_ = (pattern: RegExp, change: (json: Json) => void): Turn =>
  at(pattern, ({ body }) => {
    const json = JSON.parse(body);
    change(json);
    return { body: JSON.stringify(json) };
  });
const refused = (code: string) => [{ errorCode: code, message: 'No.' }];
const unconditional: Turn = { asked: ({ body }) => ({ body: body.replaceAll('If-Unmodified-Since', 'X-Nothing') }) };

const noHandshake = (word: string): Turn => ({
  said: ({ path, headers }) =>
    path.startsWith('/cometd') && headers.authorization?.startsWith(word)
      ? {
          body: JSON.stringify([
            { channel: '/meta/handshake', successful: false, error: '401::Request requires authentication' },
          ]),
        }
      : undefined,
});

/** Every request of CometD is a call, by what the org says is left. */
function chargedEvents(): Turn {
  let count = 0;
  return {
    said({ path }, { body }) {
      if (path.startsWith('/cometd')) count += 1;
      if (!path.endsWith('/limits')) return undefined;
      const json = JSON.parse(body);
      json.DailyApiRequests.Remaining -= count;
      return { body: JSON.stringify(json) };
    },
  };
}

/** The second handshake is none. */
function onlyOnce(): Turn {
  let count = 0;
  return {
    said({ path, body: asked }, { body }) {
      if (!path.startsWith('/cometd') || !asked.includes('/meta/handshake')) return undefined;
      count += 1;
      return { body: count === 1 ? body : body.replaceAll('"successful":true', '"successful":false') };
    },
  };
}

export const TURNS: Readonly<Record<string, () => Turn>> = {
  'wrong-client-secret': () =>
    with_(/oauth2\/token/, (json) => json.error && Object.assign(json, { error: 'invalid_grant' })),
  'unknown-callback': () =>
    at(/oauth2\/authorize/, () => ({
      status: 302,
      headers: { location: 'nowhere:gatehouse?error=redirect_uri_mismatch' },
      body: '',
    })),
  'unknown-scope': () =>
    at(/oauth2\/authorize/, () => ({
      status: 302,
      headers: { location: 'http://127.0.0.1/?error=invalid_request' },
      body: '',
    })),
  'access-token-revoked': () => ({
    asked: ({ path }) => (path.includes('/oauth2/revoke') ? { body: 'token=another' } : {}),
    said: ({ path }) => (path.includes('/oauth2/revoke') ? { status: 200, body: '' } : undefined),
  }),
  'limit-info': () =>
    at(/\/limits/, () => ({ headers: { 'sforce-limit-info': 'per-app-api-usage=17/250(appName=x)' } })),
  'empty-is-null': () => with_(/GET .*Lead\/.*Description/, (json) => Object.assign(json, { Description: '' })),
  'dead-locator': () => is(/query\/0r8/, 404, refused('INVALID_QUERY_LOCATOR')),
  'search-two-letters': () => is(/parameterizedSearch/, 200, { searchRecords: [] }),
  'search-signs': () => is(/parameterizedSearch/, 400, refused('MALFORMED_SEARCH')),
  'own-permission-sets': () => is(/PermissionSetAssignment/, 400, refused('INVALID_TYPE')),
  'condition-in-composite': () => unconditional,
  'condition-in-graph': () => unconditional,
  'no-query-in-graph': () => with_(/composite\/graph/, (json) => Object.assign(json.graphs[0], { isSuccessful: true })),
  'graphs-after-fourteen': () =>
    with_(/composite\/graph/, (json) =>
      Object.assign(json.graphs.at(-1).graphResponse.compositeResponse[0], { body: refused('UNKNOWN_EXCEPTION') }),
    ),
  'bulk-line-breaks': () =>
    with_(
      /GET .*jobs\/ingest\/\w+$/,
      (json) => json.state === 'JobComplete' && Object.assign(json, { state: 'Failed' }),
    ),
  'cometd-bearer': () => noHandshake('Bearer'),
  'cometd-oauth': () => noHandshake('OAuth'),
  'cometd-is-free': chargedEvents,
  'cometd-interval': () =>
    at(/POST \/cometd/, ({ body }) => ({ body: body.replace('"interval":0', '"interval":120000') })),
  'handshake-after-renewal': onlyOnce,
  'deploy-multipart': () => is(/POST .*deployRequest/, 400, refused('INVALID_MULTIPART_REQUEST')),
  'deploy-multipart-file-name': () => ({
    said: ({ body }) =>
      body.includes('filename="blob"')
        ? { status: 400, body: JSON.stringify(refused('INVALID_MULTIPART_REQUEST')) }
        : undefined,
  }),
  'deploy-unknown-field': () =>
    at(/GET .*deployRequest/, ({ body }) => ({ body: body.replaceAll('GHLive_None__c', 'something') })),
  'read-with-parent': () =>
    at(/GET .*deployRequest/, ({ body }) => ({ body: body.replace('"status":"Failed"', '"status":"Succeeded"') })),
  'set-replaced': () => with_(/ObjectPermissions WHERE Parent/, (json) => json.records.push({ SobjectType: 'Lead' })),
  'tooling-deploy-request': () => is(/tooling\/query/, 400, refused('INVALID_FIELD')),
  'tooling-custom-field': () => is(/tooling\/query/, 400, refused('INVALID_FIELD')),
};
