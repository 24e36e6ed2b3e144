import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Reach } from '../../src/outbound/addresses.ts';
import { AddressRefused, type LookUp } from '../../src/outbound/judged-lookup.ts';
import { createReader } from '../../src/outbound/reader.ts';

/** What a stranger may make us ask: nothing but the internet, a little, and not for long. */

const open = (reach: Reach, lookup?: LookUp, timeoutMs = 5_000) =>
  createReader({ reach, timeoutMs, maxBytes: 1_000, ...(lookup === undefined ? {} : { lookup }) });

/** Names as an attacker's server answers them: another list at each look. */
function names(...answers: string[][]): { readonly lookup: LookUp; readonly looks: () => number } {
  let looks = 0;
  const lookup: LookUp = (_host, _options, done) => {
    const found = answers[Math.min(looks, answers.length - 1)] ?? [];
    looks += 1;
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, looks: () => looks };
}

async function serving(answer: RequestListener) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

describe('a stranger’s address', () => {
  it.each([
    ['a name of a private network', ['10.0.0.7']],
    ['a name of this machine', ['127.0.0.1']],
    ['one private address among public ones', ['8.8.8.8', '192.168.1.1']],
    ['the cloud’s own address', ['169.254.169.254']],
    ['a mapped address', ['::ffff:127.0.0.1']],
    ['a translated address', ['64:ff9b::a00:1']],
    ['an address of this network only', ['fd12:3456::1']],
  ])('is not read where it leads to %s [X8]', async (_, addresses) => {
    await using server = await serving((_request, response) => response.end('secret of the inside'));
    const { lookup } = names(addresses);
    const url = new URL(`http://client.example:${server.port}/client.json`);
    await expect(open('public', lookup)(url)).rejects.toBeInstanceOf(AddressRefused);
    expect(server.asked).toEqual([]);
  });

  it.each(['http://127.0.0.1/', 'http://2130706433/', 'http://0x7f.1/', 'http://[::1]/', 'http://[::ffff:7f00:1]/'])(
    'is not read as a number: %s [X8]',
    async (text) => {
      await expect(open('public')(new URL(text))).rejects.toBeInstanceOf(AddressRefused);
    },
  );

  it('is judged at the look that is connected to, and at each one anew [X8]', async () => {
    await using server = await serving((_request, response) => response.end('{}'));
    const rebinding = names(['127.0.0.1'], ['10.0.0.7']);
    const read = open('loopback', rebinding.lookup);
    const url = new URL(`http://client.example:${server.port}/client.json`);
    expect((await read(url)).text).toBe('{}');
    expect([rebinding.looks(), server.asked.length]).toEqual([1, 1]);
    await expect(read(url)).rejects.toBeInstanceOf(AddressRefused);
    expect(server.asked).toHaveLength(1);
  });

  it('is followed nowhere else [X8]', async () => {
    await using server = await serving((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/other' });
      response.end('here');
    });
    const answer = await open('loopback')(new URL(`http://127.0.0.1:${server.port}/moved`));
    expect(answer).toMatchObject({ status: 302, headers: { location: '/other' } });
    expect(server.asked).toEqual(['GET /moved']);
  });

  it.each<[string, RequestListener, RegExp]>([
    ['longer than was said', (_, response) => response.end('x'.repeat(1_001)), /longer than 1000 bytes/],
    [
      'without an end',
      (_, response) => {
        const more = setInterval(() => response.write('x'.repeat(400)), 1);
        response.on('close', () => clearInterval(more));
      },
      /longer than 1000 bytes/,
    ],
    [
      'a bomb',
      (_, response) => {
        response.setHeader('content-encoding', 'gzip');
        response.end(gzipSync('x'.repeat(100_000)));
      },
      /compressed/,
    ],
    [
      'broken off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '10' });
        response.write('12345');
        setImmediate(() => response.destroy());
      },
      /aborted|closed|hang up/,
    ],
    [
      'another protocol',
      (_, response) =>
        void response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
      /closed/,
    ],
  ])('is not believed when its answer is %s [X8]', async (_, answer, why) => {
    await using server = await serving(answer);
    await expect(open('loopback')(new URL(`http://127.0.0.1:${server.port}/`))).rejects.toThrow(why);
  });

  it('keeps nobody waiting, whether it is silent or drips [X8]', async () => {
    await using server = await serving((request, response) => {
      if (request.url === '/silent') return;
      const drip = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(drip));
    });
    for (const path of ['/silent', '/drips'])
      await expect(
        open('loopback', undefined, 100)(new URL(`http://127.0.0.1:${server.port}${path}`)),
      ).rejects.toMatchObject({ name: expect.stringMatching(/AbortError|TimeoutError|Error/) });
  });
});
