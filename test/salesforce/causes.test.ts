import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Org } from '../../src/ports/salesforce.ts';
import { failureOf, toFailure } from '../../src/salesforce/transport/failures.ts';
import { createServedWorld, createSimWorld, ORG, refusal, serve, USER } from './org-world.ts';

/** The cause that is told is the true one, and its cure stays with it. */

const read = (org: Org) => org.find('Account', { fields: ['Name'], where: [], limit: 1 });
const write = (org: Org) => org.create('Lead', { LastName: 'Ray', Company: 'Acme' });

function say(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  const isPage = typeof body === 'string';
  response.writeHead(status, { 'content-type': isPage ? 'text/html' : 'application/json', ...headers });
  response.end(isPage ? body : JSON.stringify(body));
}

const ROWS = {
  totalSize: 1,
  done: true,
  records: [{ attributes: { type: 'Account' }, Id: '001D000000K0fXOIAZ', Name: 'A' }],
};

describe('an API version that the org does not have', () => {
  it('is told as that with the newest there is, whatever was asked, and stays in the status [G13]', async () => {
    await using world = await createSimWorld({ env: { SALESFORCE_API_VERSION: '99.0' } });
    const asked: ((org: Org) => Promise<unknown>)[] = [
      read,
      write,
      (org) => org.describe('Account'),
      (org) => org.get('Account', '001D000000K0fXOIAZ', ['Name']),
    ];
    for (const ask of asked) {
      const error = await refusal(world.open().then(ask));
      expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringMatching(/99\.0.*newest.*\d\d\.0/) });
      expect(error.next).toContain('SALESFORCE_API_VERSION');
    }
    expect(await world.connections.status('demo')).toMatchObject({
      lastFailure: {
        message: expect.stringContaining('99.0'),
        next: expect.stringContaining('SALESFORCE_API_VERSION'),
      },
    });
  });

  it('is not suspected where the record is missing in a version that is there [G13]', async () => {
    let lists = 0;
    await using world = await createServedWorld((request, response) => {
      if (request.url === '/services/data') {
        lists += 1;
        return say(response, 200, [{ version: '65.0' }, { version: '66.0' }]);
      }
      return say(response, 404, [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }]);
    });
    for (let n = 0; n < 3; n++) expect((await refusal(world.open().then(read))).code).toBe('not_found');
    expect(lists, 'asked once an hour').toBe(1);
  });
});

it('a session that the org keeps from the API is not renewed, and its cure is the org, not the button [G15]', async () => {
  await using world = await createServedWorld((_, response) =>
    say(response, 401, [
      { message: 'This session is not valid for use with the REST API', errorCode: 'INVALID_SESSION_ID' },
    ]),
  );
  const error = await refusal(world.open().then(read));
  expect(error.message).toContain('does not allow');
  expect(error.next).toContain('reconnecting alone will not help');
  expect(world.tokenRequests()).toBe(0);
  const { lastFailure } = await world.connections.status('demo');
  for (const words of ['IP Relaxation', 'Session Security Level', 'API Enabled'])
    expect(lastFailure?.next).toContain(words);
});

describe('an org that moved', () => {
  /** The old address says `gone`; the login host knows the new one. */
  async function createMove(gone: (response: ServerResponse) => void) {
    const there: string[] = [];
    const fresh = await serve((request, response) => {
      there.push(`${request.method} ${request.headers.authorization}`);
      if (request.method === 'POST') return say(response, 201, { id: '00Q5g00000AAAAAEA5', success: true, errors: [] });
      return say(response, 200, ROWS);
    });
    let isAt = '';
    const world = await createServedWorld((_, response) => gone(response));
    const other = world.again({
      config: { ...world.config, extraHosts: [...world.config.extraHosts, fresh.host] },
    });
    isAt = fresh.url;
    world.answerToken(() =>
      JSON.stringify({ access_token: `${ORG}!new`, instance_url: isAt, id: `${isAt}/id/${ORG}/${USER}` }),
    );
    const open = () => other.open('demo', { signal: new AbortController().signal });
    return {
      world,
      other,
      open,
      there,
      stay: () => {
        isAt = world.server.url;
      },
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
        await fresh[Symbol.asyncDispose]();
      },
    };
  }

  it.each([
    ['301', (r: ServerResponse) => say(r, 301, '', { location: 'https://elsewhere.example/' })],
    ['302', (r: ServerResponse) => say(r, 302, '', { location: 'https://elsewhere.example/' })],
    ['307', (r: ServerResponse) => say(r, 307, '', { location: 'https://elsewhere.example/' })],
    ['308', (r: ServerResponse) => say(r, 308, '', { location: 'https://elsewhere.example/' })],
    ['421', (r: ServerResponse) => say(r, 421, '<html>misdirected</html>')],
    [
      'its own code',
      (r: ServerResponse) => say(r, 404, [{ errorCode: 'URL_NOT_RESET', message: 'Destination URL not reset' }]),
    ],
    ['a page', (r: ServerResponse) => say(r, 404, '<html><title>URL No Longer Exists</title></html>')],
  ] as const)('and says so by %s is followed after one renewal, by reads and writes [G16]', async (_, gone) => {
    await using move = await createMove(gone);
    expect(await move.open().then(read)).toHaveLength(1);
    expect(move.world.tokenRequests()).toBe(1);
    expect((await move.open().then(write)).created).toBe(true);
    expect(move.world.tokenRequests(), 'the new address is kept').toBe(1);
    expect(move.there.every((one) => one.endsWith('!new'))).toBe(true);
    // A 421 is repeated once by fetch itself.
    const old = move.world.server.seen.filter(({ url }) => url !== '/services/oauth2/token');
    expect(old.filter(({ method }) => method === 'POST')).toHaveLength(0);
  });

  it('and whose login host knows no other address keeps its cure in the status, and asks the login host once [G16] [O7]', async () => {
    await using move = await createMove((response) =>
      say(response, 301, '', { location: 'https://elsewhere.example/' }),
    );
    move.stay();
    for (let n = 0; n < 3; n++) expect((await refusal(move.open().then(read))).message).toContain('redirect');
    expect(move.world.tokenRequests()).toBe(1);
    const { lastFailure } = await move.other.status('demo');
    expect(lastFailure?.next).toContain('moved');
  });
});

it('a page of a proxy is never told as what its status means at Salesforce [G13]', async () => {
  for (const status of [401, 403, 404, 400]) {
    await using world = await createServedWorld((_, response) => say(response, status, '<html>hotel network</html>'));
    const error = await refusal(world.open().then(read));
    expect(error, `${status}`).toMatchObject({ code: 'salesforce_unavailable', retryable: true });
    expect(error.message).toContain('between here and Salesforce');
  }
});

it('one code with several causes is told by its text, an unknown code by its status [G13]', () => {
  const of = (status: number, errorCode: string, message: string) =>
    toFailure(
      {
        status,
        json: [{ errorCode, message }],
        text: '',
        header: () => 'application/json',
      },
      true,
    );
  expect(of(404, 'NOT_FOUND', 'Provided external ID field does not exist or is not accessible: X__c')).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('external-id field'),
  });
  expect(of(400, 'INVALID_FIELD', "field 'Email' can not be filtered in a query call")?.operator).toContain(
    'Access is not',
  );
  expect(of(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentPerOrgLongTxn Limit exceeded.')?.message).toContain(
    'same moment',
  );
  expect(of(410, 'SOME_NEW_CODE', 'gone')?.message).toContain('retired');
  expect(of(410, 'UNSUPPORTED_API_VERSION', 'The requested API version is no longer supported')?.operator).toContain(
    'SALESFORCE_API_VERSION',
  );
});

it('several errors in one answer: each field its own words, and the cause before its consequences [H5]', () => {
  const said = [
    { code: 'ALL_OR_NONE_OPERATION_ROLLED_BACK', message: 'rolled back', fields: [] },
    { code: 'REQUIRED_FIELD_MISSING', message: 'Required fields are missing: [Name]', fields: ['Name'] },
    { code: 'INVALID_EMAIL_ADDRESS', message: 'email: invalid', fields: ['email_field__c'] },
    { code: 'STRING_TOO_LONG', message: 'too long', fields: ['Name', 'Note__c'] },
  ];
  const failure = failureOf(said, 400, false);
  expect(failure.code).toBe('invalid_input');
  expect(failure.fields).toEqual([
    { name: 'Name', problem: 'Fields that this org requires are missing. A text is longer than its field.' },
    { name: 'email_field__c', problem: 'Salesforce does not take this for an email address.' },
    { name: 'Note__c', problem: 'A text is longer than its field.' },
  ]);
});
