import { createServer, type Server, request as send } from 'node:http';
import { type AddressInfo, connect, createServer as createTcp } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createPeers } from '../../src/http/peer.ts';
import type { Log } from '../../src/ports/log.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { openDoor } from '../support/door.ts';

const PUBLIC = { GATEHOUSE_URL: 'https://gate.example', GATEHOUSE_SIM: '1' };
const silent: Pick<Log, 'warn'> = { warn() {} };

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const listening = async (server: Server | ReturnType<typeof createTcp>) => {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  opened.push(() => new Promise((done) => server.close(done)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

type Sent = Readonly<Record<string, string>>;

/** An HTTP proxy as one is written in five minutes: its upstream's name as Host, and what `add` says. */
const proxy = (upstream: string, add: (sent: NodeJS.Dict<string | string[]>, from: string) => Sent) =>
  listening(
    createServer((request, response) => {
      const { host: _, connection: __, ...sent } = request.headers;
      const headers = { ...sent, host: new URL(upstream).host, ...add(request.headers, '203.0.113.7') };
      const through = send(upstream + request.url, { method: request.method, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      request.pipe(through);
    }),
  );

const ask = (url: string, path: string, headers: Sent = {}, body?: string) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = send(url + path, { method: body === undefined ? 'GET' : 'POST', headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

const statusOf = async (...given: Parameters<typeof ask>) => (await ask(...given)).status;

/** Tries with a wrong sign-in link until it is told to wait. */
async function triesLeft(url: string, headers: (n: number) => Sent): Promise<number> {
  for (let n = 0; n < 14; n += 1) {
    const given = { 'content-type': 'application/json', ...headers(n) };
    if ((await statusOf(url, '/sign-in', given, '{"token":"wrong"}')) === 429) return n;
  }
  return Number.POSITIVE_INFINITY;
}

it('gives a proxy of this machine no privilege once the address is public, with every default left as it is [O8]', async () => {
  await using door = await openDoor({ env: PUBLIC });
  // As nginx does it where nobody said otherwise: Host is the upstream, the peer is loopback, no header at all.
  const bare = await proxy(door.url, () => ({}));
  const named = await proxy(door.url, () => ({ host: 'gate.example' }));
  for (const at of [bare, door.url])
    for (const path of ['/simulated-org', '/sign-in', '/api/proposals', '/mcp']) {
      const answer = await ask(at, path);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.text).toContain('GATEHOUSE_TRUSTED_PROXIES');
    }
  expect(await statusOf(named, '/sign-in')).toBe(200);
  expect(await statusOf(named, '/simulated-org')).toBe(403);
  expect(await statusOf(named, '/_sim/settings')).toBe(404);
  expect(await statusOf(named, '/simulated-org/_sim/settings')).toBe(403);
  for (const host of ['localhost', '127.0.0.1:3000', '[::1]:3000', '0.0.0.0:3000', 'gate.example.evil'])
    expect([host, await statusOf(door.url, '/sign-in', { host })]).toEqual([host, 403]);
  expect(await statusOf(door.url, '/healthz', { host: '10.0.0.1' })).toBe(200);
});

it('leaves this machine what it has where no address is public, and a proxy nothing of it', async () => {
  await using door = await openDoor();
  expect(await statusOf(door.url, '/simulated-org')).toBe(200);
  for (const name of ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via', 'forwarded'])
    expect([name, await statusOf(door.url, '/simulated-org', { [name]: 'x' })]).toEqual([name, 403]);
  await using trusting = await openDoor({ env: { GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' } });
  expect(await statusOf(trusting.url, '/simulated-org')).toBe(403);
});

it('counts callers behind a named proxy one by one, whatever they write themselves, and all as one behind any other [O8]', async () => {
  const env = { ...PUBLIC, GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' };
  await using door = await openDoor({ env });
  const forwarding = await proxy(door.url, ({ 'x-forwarded-for': sent }, from) => ({
    'x-forwarded-host': 'gate.example',
    'x-forwarded-for': sent === undefined ? from : `${sent}, ${from}`,
  }));
  // A new name with each try, and one caller all the same.
  expect(await triesLeft(forwarding, (n) => ({ 'x-forwarded-for': `198.51.100.${n}` }))).toBe(10);
  expect(
    await triesLeft(forwarding, (n) => ({ 'x-forwarded-for': `198.51.100.${n}`, 'x-forwarded-host': 'evil' })),
  ).toBe(0);
  const other = await proxy(door.url, () => ({ 'x-forwarded-host': 'gate.example', 'x-forwarded-for': '203.0.113.8' }));
  expect(await triesLeft(other, () => ({}))).toBe(10);
  // Nobody named this one.
  await using strict = await openDoor({ env: PUBLIC });
  const unknown = await proxy(strict.url, ({ 'x-forwarded-for': sent }) => ({
    host: 'gate.example',
    'x-forwarded-for': String(sent),
  }));
  expect(await triesLeft(unknown, (n) => ({ 'x-forwarded-for': `198.51.100.${n}` }))).toBe(10);
});

it('knows callers through two proxies, and through one that passes bytes on it knows the proxy alone', async () => {
  const env = { ...PUBLIC, GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1, 10.1.0.0/16' };
  await using door = await openDoor({ env });
  const inner = await proxy(door.url, ({ 'x-forwarded-for': sent }) => ({
    'x-forwarded-host': 'gate.example',
    'x-forwarded-for': `${sent}, 10.1.0.9`,
  }));
  const outer = await proxy(inner, ({ 'x-forwarded-for': sent }, from) => ({ 'x-forwarded-for': `${sent}, ${from}` }));
  expect(await triesLeft(outer, (n) => ({ 'x-forwarded-for': `10.1.0.1, 198.51.100.${n}` }))).toBe(10);
  const { port } = new URL(door.url);
  const tcp = await listening(
    createTcp((socket) => {
      const through = connect(Number(port), '127.0.0.1');
      socket.pipe(through).pipe(socket);
      for (const one of [socket, through]) one.on('error', () => {});
    }),
  );
  expect(await statusOf(tcp, '/sign-in', { host: 'gate.example' })).toBe(200);
  expect(await statusOf(tcp, '/simulated-org', { host: 'gate.example' })).toBe(403);
});

it('takes the host from a named proxy alone, its own word and no other, and the scheme from nobody', async () => {
  const env = { ...PUBLIC, GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' };
  await using door = await openDoor({ env });
  const cases: readonly [Sent, number][] = [
    [{ 'x-forwarded-host': 'gate.example' }, 200],
    [{ 'x-forwarded-host': 'GATE.example:443' }, 200],
    [{ forwarded: 'for=203.0.113.7;host=gate.example;proto=https' }, 200],
    [{ forwarded: 'for=203.0.113.7;host="gate.example:443"' }, 200],
    [{ forwarded: 'for=203.0.113.7', 'x-forwarded-host': 'gate.example' }, 200],
    [{ 'x-forwarded-host': 'gate.example', 'x-forwarded-proto': 'http' }, 200],
    [{ 'x-forwarded-host': 'gate.example', 'x-forwarded-proto': '\u0001evil'.slice(1) }, 200],
    [{ 'x-forwarded-host': 'evil.example' }, 403],
    [{ 'x-forwarded-host': 'localhost' }, 403],
    [{ 'x-forwarded-host': 'gate.example, evil.example' }, 403],
    [{ 'x-forwarded-host': 'gate.example', forwarded: 'for=1.2.3.4;host=evil.example' }, 403],
    [{ forwarded: 'host=gate.example, host=evil.example' }, 403],
    [{ 'x-forwarded-host': '' }, 403],
  ];
  for (const [headers, status] of cases)
    expect([headers, await statusOf(door.url, '/sign-in', headers)]).toEqual([headers, status]);
  const through = { 'x-forwarded-host': 'gate.example', 'content-type': 'application/json' };
  const wrong = '{"token":"wrong"}';
  expect(await statusOf(door.url, '/sign-in', { ...through, origin: 'https://gate.example' }, wrong)).toBe(401);
  for (const origin of ['http://gate.example', 'http://127.0.0.1', new URL(door.url).origin, 'https://evil.example'])
    expect([origin, await statusOf(door.url, '/sign-in', { ...through, origin }, wrong)]).toEqual([origin, 403]);
  await using strict = await openDoor({ env: PUBLIC });
  for (const [headers] of cases) expect(await statusOf(strict.url, '/sign-in', headers)).toBe(403);
});

it('writes where somebody signed in from into the audit', async () => {
  await using door = await openDoor({ env: { ...PUBLIC, GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' } });
  const headers = { 'x-forwarded-host': 'gate.example', 'x-forwarded-for': '198.51.100.1, 203.0.113.7' };
  const signedIn = await door.ask('POST', '/sign-in', { headers, json: { token: await door.signInToken() } });
  expect(signedIn.status).toBe(200);
  const [row] = await door.world.app.store.audit.find({ action: 'sign-in', limit: 1 });
  expect(JSON.parse(row?.detail ?? '')).toEqual({ from: '203.0.113.7' });
});

const XFF = 'x-forwarded-for';
it.each<[string, string, Sent, string]>([
  ['nobody else', '127.0.0.1', {}, '127.0.0.1'],
  ['a trusted chain', '127.0.0.1', { [XFF]: '203.0.113.7, 10.1.2.3' }, '203.0.113.7'],
  ['a name put before it', '127.0.0.1', { [XFF]: '1.1.1.1, 203.0.113.7' }, '203.0.113.7'],
  ['an untrusted socket', '203.0.113.9', { [XFF]: '1.1.1.1' }, '203.0.113.9'],
  ['a dual-stack socket', '::ffff:127.0.0.1', { [XFF]: '203.0.113.7' }, '203.0.113.7'],
  ['a mapped hop', '127.0.0.1', { [XFF]: '203.0.113.7, ::ffff:10.1.2.3' }, '203.0.113.7'],
  ['an IPv6 proxy and caller', 'fd00::1', { [XFF]: '2001:db8::7' }, '2001:db8::7'],
  ['a proxy outside of its network', 'fd01::1', { [XFF]: '2001:db8::7' }, 'fd01::1'],
  ['ports', '127.0.0.1', { [XFF]: '203.0.113.7:4711, [fd00::5]:80' }, '203.0.113.7'],
  ['only proxies', '127.0.0.1', { [XFF]: '10.1.0.1, 10.1.0.2' }, '10.1.0.1'],
  ['Forwarded', '127.0.0.1', { forwarded: 'for=1.1.1.1, for="[2001:db8::7]:80";proto=https' }, '2001:db8::7'],
  ['both, which agree', '127.0.0.1', { forwarded: 'For="203.0.113.7"', [XFF]: '203.0.113.7' }, '203.0.113.7'],
  [
    'both, of which one came with the request',
    '127.0.0.1',
    { forwarded: 'for=1.1.1.1', [XFF]: '203.0.113.7' },
    '127.0.0.1',
  ],
  ['a hidden caller', '127.0.0.1', { forwarded: 'for=_secret, for=10.1.0.4' }, '10.1.0.4'],
  ['an unknown one', '127.0.0.1', { [XFF]: '203.0.113.7, unknown' }, '127.0.0.1'],
  ['nothing at all', '127.0.0.1', { [XFF]: '' }, '127.0.0.1'],
  ['commas alone', '127.0.0.1', { [XFF]: ',,,' }, '127.0.0.1'],
  ['what is no address', '127.0.0.1', { [XFF]: '203.0.113.7, 256.1.1.1' }, '127.0.0.1'],
  ['a decimal address', '127.0.0.1', { [XFF]: '2130706433' }, '127.0.0.1'],
  ['a name', '127.0.0.1', { [XFF]: 'localhost' }, '127.0.0.1'],
  ['a quote that never ends', '127.0.0.1', { forwarded: `for="${'a,'.repeat(3_000)}` }, '127.0.0.1'],
  ['a comma in quotes', '127.0.0.1', { forwarded: 'for=203.0.113.7;by="x, for=1.1.1.1"' }, '203.0.113.7'],
  ['an escaped quote', '127.0.0.1', { forwarded: 'for=203.0.113.7;by="x\\", for=1.1.1.1"' }, '203.0.113.7'],
  ['thousands of hops', '127.0.0.1', { [XFF]: `203.0.113.7${', 10.1.0.1'.repeat(1_500)}` }, '203.0.113.7'],
])('knows the caller by %s', (_, socket, headers, address) => {
  const config = readConfig({ ...PUBLIC, GATEHOUSE_TRUSTED_PROXIES: '127.0.0.0/8, 10.1.0.0/16, fd00::/64' });
  const peer = createPeers(config, silent)(new Headers(headers), socket);
  expect([peer.address, peer.isHere]).toEqual([address, false]);
});

it('says once that a proxy of this machine is not named, and nothing where nobody could reach it from outside', () => {
  const said: unknown[] = [];
  const log = { warn: (...words: unknown[]) => void said.push(words) };
  const forwarded = new Headers({ [XFF]: '203.0.113.7' });
  const peerOf = createPeers(readConfig(PUBLIC), log);
  for (let n = 0; n < 3; n += 1) peerOf(forwarded, '127.0.0.1');
  expect(said).toEqual([[expect.stringContaining('GATEHOUSE_TRUSTED_PROXIES'), { proxy: '127.0.0.1' }]]);
  createPeers(readConfig({}), log)(forwarded, '127.0.0.1');
  createPeers(readConfig(PUBLIC), log)(forwarded, '203.0.113.9');
  expect(said).toHaveLength(1);
});

it.each([
  'proxy',
  '10.0.0.0/0',
  '::/0',
  '10.0.0.0/33',
  '10.0.0.1:80',
  '10.0.0.1/8/8',
  'fe80::1%eth0',
  '*',
  '10.0.0.0/',
])('refuses %s as a proxy to trust, by name', (proxies) => {
  expect(() => readConfig({ GATEHOUSE_TRUSTED_PROXIES: proxies })).toThrow(/GATEHOUSE_TRUSTED_PROXIES/);
});

it('does not serve the simulated org to a public address that nobody asked for [X5]', async () => {
  const { GATEHOUSE_SIM: _, ...env } = PUBLIC;
  await expect(openDoor({ env })).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('GATEHOUSE_URL is https://gate.example'),
  });
  await using local = await openDoor({ env: { GATEHOUSE_URL: 'http://localhost:3000' } });
  expect(await statusOf(local.url, '/simulated-org')).toBe(200);
});
