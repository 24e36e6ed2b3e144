import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Log } from '../../src/ports/log.ts';
import { type Door, openDoor } from '../support/door.ts';

describe('the guards of every route', () => {
  let door: Door;
  const lines: unknown[] = [];
  beforeAll(async () => {
    const note = (message: string, fields?: object) => void lines.push({ message, ...fields });
    const log: Log = { debug: note, info: note, warn: note, error: note };
    door = await openDoor({}, (world) => ({
      log,
      mcp: { handle: async (given) => Response.json({ body: await given.text() }) },
      routes: [
        {
          method: 'POST',
          path: '/api/webhooks/salesforce/{token}',
          summary: 'Outbound message',
          who: [],
          body: 'text',
          answer: 'text/xml',
          maxBytes: 100,
          handle: async ({ body }) => ({ text: `<got>${String(body).length}</got>`, type: 'text/xml' }),
        },
        {
          method: 'GET',
          path: '/api/broken',
          summary: 'Fails',
          who: [],
          answer: z.unknown(),
          handle: async () => {
            throw new Error(`no table tokens in ${world.folder}`);
          },
        },
      ],
    }));
  });
  afterAll(() => door[Symbol.asyncDispose]());

  /** Straight on the socket's level: fetch would correct what we want to be wrong. */
  const raw = (headers: Record<string, string>, path = '/api/proposals') =>
    new Promise<number>((resolve, reject) => {
      const { port } = new URL(door.url);
      const sent = request({ host: '127.0.0.1', port, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', reject);
      sent.end();
    });

  it('answers only to its own names, so that a rebound host name reaches nothing [O8]', async () => {
    const { port } = new URL(door.url);
    expect(await raw({ host: 'evil.example' })).toBe(403);
    expect(await raw({ host: `evil.example:${port}` })).toBe(403);
    expect(await raw({ host: `localhost.evil.example:${port}` })).toBe(403);
    expect(await raw({ host: `localhost:${port}` })).toBe(401);
    expect(await raw({ host: `[::1]:${port}` })).toBe(401);
    expect(await raw({ host: 'evil.example' }, '/healthz')).toBe(200);
    expect(await raw({ host: 'evil.example' }, '/mcp')).toBe(403);
  });

  it.each(['https://evil.example', 'null', 'http://localhost:1', 'http://127.0.0.1', 'file://'])(
    'refuses the origin %s everywhere',
    async (origin) => {
      for (const [method, path] of [
        ['GET', '/api/openapi.json'],
        ['POST', '/mcp'],
        ['POST', '/sign-in'],
      ] as const) {
        const { status, json } = await door.ask(method, path, { headers: { origin } });
        expect([path, status, json?.error.code]).toEqual([path, 403, 'permission_denied']);
      }
    },
  );

  it('puts the security headers on every answer, refusals and assets too', async () => {
    const style = /\/assets\/console-\w+\.css/.exec((await door.ask('GET', '/sign-in')).text)?.[0] ?? '';
    for (const path of ['/sign-in', '/api/openapi.json', '/api/nothing', '/nothing', '/healthz', style]) {
      const { headers } = await door.ask('GET', path);
      expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
      expect([path, headers.get('content-security-policy')]).toEqual([
        path,
        expect.stringContaining("frame-ancestors 'none'"),
      ]);
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    }
  });

  it('refuses a body that is too large, announced or not, without reading it all', async () => {
    const key = door.keys.agent;
    const path = '/api/bots/demo/actions/CreateLead';
    const announced = await door.ask('POST', path, { key, json: { lastName: 'x'.repeat(300_000) } });
    expect(announced).toMatchObject({ status: 413, json: { error: { code: 'invalid_input' } } });
    const { port } = new URL(door.url);
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1');
      let answer = '';
      socket.on('data', (data) => {
        answer += String(data);
        resolve(answer.split('\r\n')[0] ?? '');
        socket.destroy();
      });
      socket.on('error', reject);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      // Never ends by itself: only the limit can end it.
      const chunk = `8000\r\n${'a'.repeat(0x8000)}\r\n`;
      for (let n = 0; n < 12; n += 1) socket.write(chunk);
    });
    expect(status).toContain('413');
  });

  it.each([
    ['a form', 'application/x-www-form-urlencoded', 'lastName=A', 415],
    ['plain text', 'text/plain', '{"lastName":"A"}', 415],
    ['XML', 'text/xml', '<a/>', 415],
    ['broken JSON', 'application/json', '{"lastName":', 400],
    ['bytes that are no text', 'application/json', '\ud800', 400],
  ])('refuses %s as a body', async (_, type, text, status) => {
    const headers = { 'content-type': type };
    const answer = await door.ask('POST', '/api/bots/demo/actions/CreateLead', { key: door.keys.agent, text, headers });
    expect([answer.status, answer.json.error.code]).toEqual([status, 'invalid_input']);
  });

  it('answers an unknown address 404 and a wrong method 405, both in the shape of section E [E]', async () => {
    for (const path of [
      '/api/nothing',
      '/api',
      '/api/nothing/demo',
      '/API/proposals',
      '/api//proposals',
      '/api/proposals/a/b/c',
    ])
      expect([path, (await door.ask('GET', path)).json.error.code]).toEqual([path, 'not_found']);
    const wrong = await door.ask('PATCH', '/api/proposals');
    expect(wrong).toMatchObject({ status: 405, json: { error: { code: 'invalid_input', retryable: false } } });
    expect(wrong.headers.get('allow')).toBe('GET');
    expect((await door.ask('GET', '/sign-out')).status).toBe(405);
  });

  it('gives people a page and programs JSON', async () => {
    const page = await door.ask('GET', '/nothing', { headers: { accept: 'text/html' } });
    expect(page.status).toBe(404);
    expect(page.text).toContain('There is nothing at this address.');
    expect((await door.ask('GET', '/nothing')).json.error.code).toBe('not_found');
  });

  it('says nothing of an unexpected failure but an id, which names the line in the log [E] [X4]', async () => {
    const { status, json, headers, text } = await door.ask('GET', '/api/broken');
    expect(status).toBe(500);
    expect(json.error).toMatchObject({
      code: 'internal',
      message: expect.stringContaining(headers.get('x-request-id') ?? '?'),
    });
    expect(text).not.toContain('tokens');
    expect(JSON.stringify(lines)).toContain('no table tokens');
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'request failed', id: headers.get('x-request-id') }),
    );
  });

  it('writes one log line per request, with the pattern of the route instead of the path [X4]', async () => {
    const answer = await door.ask('POST', '/api/webhooks/salesforce/hook-secret-1?q=also-secret', { text: '<x/>' });
    expect(answer).toMatchObject({ status: 200, text: '<got>4</got>' });
    await door.ask('GET', '/unknown-secret-2');
    await door.ask('POST', '/sign-in', { form: { token: 'secret-token-3' } });
    const written = JSON.stringify(lines);
    expect(written).toContain('/api/webhooks/salesforce/{token}');
    for (const secret of ['hook-secret-1', 'also-secret', 'unknown-secret-2', 'secret-token-3', door.keys.agent])
      expect(written).not.toContain(secret);
  });

  it('keeps each route’s own limit for the routes of other rooms', async () => {
    expect((await door.ask('POST', '/api/webhooks/salesforce/t', { text: 'x'.repeat(101) })).status).toBe(413);
  });

  it('hands /mcp its request unread, behind the same guards [X2]', async () => {
    expect((await door.ask('POST', '/mcp', { text: '{"jsonrpc":"2.0"}' })).json.body).toBe('{"jsonrpc":"2.0"}');
  });

  it('is alive and ready [X4]', async () => {
    expect((await door.ask('GET', '/healthz')).json).toEqual({ status: 'ok' });
    expect((await door.ask('GET', '/readyz')).json).toEqual({ status: 'ready' });
  });

  it('describes itself as OpenAPI, made from the routes and the actions [A1] [W9]', async () => {
    const { json } = await door.ask('GET', '/api/openapi.json');
    expect(json.openapi).toBe('3.1.0');
    expect(json.paths['/api/bots/{bot}/actions/CreateLead'].post).toMatchObject({
      operationId: 'CreateLead',
      security: [{ agent: [] }],
      requestBody: { content: { 'application/json': { schema: { required: ['lastName', 'company'] } } } },
      responses: { 202: { description: 'Waits for a person' } },
    });
    expect(json.paths['/api/bots/{bot}/actions/GetProposal'].post.operationId).toBe('GetProposal');
    expect(json.paths['/api/proposals/{id}/approve'].post.security).toEqual([{ operator: [] }]);
    expect(json.paths).toHaveProperty(['/api/webhooks/salesforce/{token}', 'post']);
    expect(json.paths).toHaveProperty(['/api/openapi.json', 'get']);
  });
});
