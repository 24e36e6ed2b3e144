import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Reach, reachOf } from '../../src/outbound/addresses.ts';
import { createHooks } from '../../src/outbound/hooks.ts';
import { AddressRefused } from '../../src/outbound/judged-lookup.ts';

const open = (reach: Reach) => createHooks({ mayReach: async () => reach, ownUrl: 'http://localhost:3000' });
const message = () => ({ headers: {}, body: '{}', signal: AbortSignal.timeout(5_000) });

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

describe('where a webhook may lead', () => {
  it.each<[Reach, string[]]>([
    ['public', ['8.8.8.8', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808']],
    ['loopback', ['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1']],
    [
      'private',
      [
        ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
        ...['198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '::', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe'],
        ...['fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '2001:db8::1', '2001::1'],
        ...['2002:a00:1::', '64:ff9b::a00:1', '64:ff9b:1::1', '::10.0.0.1', 'fd00:ec2::254', 'no address', ''],
      ],
    ],
  ])('%s: %j [K12]', (reach, addresses) => {
    for (const address of addresses) expect([address, reachOf(address)]).toEqual([address, reach]);
  });

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://localhost/',
    'http://LOCALHOST/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00:ec2::254]/',
    'https://0/',
    'https://10.1/',
  ])('is not %s, when it is saved and when it is sent, unless that was opened [K12]', async (text) => {
    const url = new URL(text);
    expect(await open('public').refuse('demo', url)).toMatch(/^It leads /);
    await expect(open('public').post('demo', url, message())).rejects.toThrow(/It leads /);
    expect(await open('private').refuse('demo', url)).toBeUndefined();
    const isHere = (await open('loopback').refuse('demo', url)) === undefined;
    expect(isHere).toBe(/127|2130706433|0x7f|0177|localhost|::1\]/i.test(text));
  });

  it('is not ourselves, and what answers says its status and nothing else; a redirect is not followed [K12]', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.url === '/moved') response.writeHead(302, { location: '/other' }).end();
      else response.writeHead(500).end('secret of the inside');
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const hooks = open('loopback');
    expect(await hooks.post('demo', new URL(`${at}/moved`), message())).toBe(302);
    expect(await hooks.post('demo', new URL(`${at}/broken`), message())).toBe(500);
    expect(asked).toEqual(['POST /moved', 'POST /broken']);
    // The name is judged by where the connection would go.
    const named = new URL(at.replace('127.0.0.1', 'localhost'));
    await expect(open('public').post('demo', named, message())).rejects.toBeInstanceOf(AddressRefused);
    expect(asked).toHaveLength(2);
    server.close();
    for (const own of [
      'http://localhost:3000/mcp',
      'http://127.0.0.1:3000/',
      'http://[::1]:3000/',
      'http://2130706433:3000/',
    ])
      expect(await open('private').refuse('demo', new URL(own))).toBe('It is our own address.');
  });

  it('never waits for ever: 101 is an answer, and the deadline holds for silence [K12]', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/other') response.socket?.write(SWITCHING);
      if (request.url === '/shut') response.socket?.end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const post = (to: string, ms: number) =>
      open('loopback').post('demo', new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${to}`), {
        ...message(),
        signal: AbortSignal.timeout(ms),
      });
    expect(await post('/other', 5_000)).toBe(101);
    await expect(post('/shut', 5_000)).rejects.toThrow(/hang up|closed/);
    await expect(post('/silent', 200)).rejects.toMatchObject({ cause: { name: 'TimeoutError' } });
    server.closeAllConnections();
    server.close();
  });
});
