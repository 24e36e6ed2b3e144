import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createLeaseWatch } from '../../src/domain/lease-watch.ts';
import { createApps } from '../../src/salesforce/auth/apps.ts';
import { createSession } from '../../src/salesforce/auth/session.ts';
import { createRequestPipeline, type OrgRequest } from '../../src/salesforce/request.ts';
import { createHealth } from '../../src/salesforce/transport/health.ts';
import { createTransport } from '../../src/salesforce/transport/http.ts';
import { createVersions } from '../../src/salesforce/transport/versions.ts';
import { createServedWorld, type Handler, refusal } from './org-world.ts';

/** The line under all ports, as the room puts it together. */
async function createLine(handler: Handler) {
  const world = await createServedWorld(handler);
  const { config, store, vault } = world;
  const now = () => world.clock.now;
  const timeoutMs = 2_000;
  const transport = createTransport({ timeoutMs, extraHosts: config.extraHosts });
  const apps = createApps({ transport, config, now });
  const wait = async () => {};
  const rows = store.connections;
  const watch = createLeaseWatch(now);
  const session = createSession({ transport, apps, rows, vault, timeoutMs, instance: randomUUID(), watch, now, wait });
  const health = createHealth({ rows, now, ticks: now, watch, timeoutMs });
  const row = await rows.get('demo');
  if (!row) throw new Error('there is no connection');
  const { signal } = new AbortController();
  const deps = { rows, session, health, versions: createVersions({ transport, now }), timeoutMs, now, wait };
  const pipeline = createRequestPipeline(deps, { row, readAt: deps.now() }, { signal });
  return { ...world, ...pipeline, send: (request: OrgRequest) => pipeline.send(request) };
}

const parts = (...texts: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });

async function read(bytes: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const part of bytes ?? []) all.push(part);
  return Buffer.concat(all).toString();
}

const CSV = { 'content-type': 'text/csv' };

describe('a request', () => {
  it('carries raw bytes and streams with PUT, as they are', async () => {
    await using line = await createLine((_, response) => void response.writeHead(201).end());
    await line.send({ method: 'PUT', path: '/services/data/v66.0/jobs/ingest/1/batches', headers: CSV, raw: 'a\n"1"' });
    const raw = parts('Id,Name\n', '"1","Zoë"\n');
    await line.send({ method: 'PUT', path: '/services/data/v66.0/jobs/ingest/2/batches', headers: CSV, raw });
    const puts = line.server.seen.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ body }) => body)).toEqual(['a\n"1"', 'Id,Name\n"1","Zoë"\n']);
    expect(puts.map(({ headers }) => headers['content-type'])).toEqual(['text/csv', 'text/csv']);
  });

  it('goes to the roots of Salesforce and nowhere else', async () => {
    await using line = await createLine((_, response) => void response.end('{}'));
    for (const path of ['/services/apexrest/orders/1', '/cometd/66.0']) await line.send({ path });
    await expect(line.send({ path: '/secur/logout.jsp' })).rejects.toThrow(TypeError);
    expect(line.server.seen.map(({ url }) => url)).toEqual(['/services/apexrest/orders/1', '/cometd/66.0']);
  });

  it('bears the name of its connection: two installations on one org never take each other for their echo', async () => {
    await using line = await createLine((_, response) => void response.end('{}'));
    await line.send({ path: '/services/data/v66.0/limits' });
    const name = `client=gatehouse-${line.row.id.slice(0, 8)}`;
    expect(line.server.seen[0]?.headers['sforce-call-options']).toBe(name);
    expect((await line.open()).clientName).toBe(name.slice('client='.length));
  });
});

describe('a streamed body', () => {
  it('is never sent twice, not after a failure and not after a 401', async () => {
    const statuses = [503, 401];
    await using line = await createLine((request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.method === 'GET') return void response.end('{}');
      response.statusCode = statuses.shift() ?? 201;
      const errorCode = response.statusCode === 401 ? 'INVALID_SESSION_ID' : 'SERVER_UNAVAILABLE';
      return void response.end(JSON.stringify([{ errorCode, message: 'no' }]));
    });
    const put = () => ({ method: 'PUT', path: '/services/data/v66.0/jobs/1', headers: CSV, raw: parts('a') }) as const;
    expect((await refusal(line.send(put()))).code).toBe('salesforce_unavailable');
    expect(await refusal(line.send(put()))).toMatchObject({ retryable: true, outcome: 'not_sent' });
    expect(line.server.seen.filter(({ method }) => method === 'PUT')).toHaveLength(2);
  });

  it('follows a look at the session, so that an expired one is renewed before anything is used up', async () => {
    let isFresh = false;
    await using line = await createLine((_, response) => {
      response.statusCode = isFresh ? 201 : 401;
      response.setHeader('content-type', 'application/json');
      return void response.end(isFresh ? '' : '[{"errorCode":"INVALID_SESSION_ID","message":"Session expired"}]');
    });
    line.answerToken(() => {
      isFresh = true;
      return JSON.stringify({
        access_token: 'fresh-token-of-sixteen',
        instance_url: line.server.url,
        id: `${line.server.url}/id/${line.row.orgId}/${line.row.userId}`,
        token_type: 'Bearer',
        issued_at: '1777620337000',
      });
    });
    // The served world answers identity pages itself, so the session is made to die there.
    const path = '/services/data/v66.0/limits';
    await line.send({ path });
    await line.send({ method: 'PUT', path: '/services/data/v66.0/jobs/1', headers: CSV, raw: parts('a', 'b') });
    expect(line.server.seen.filter(({ method }) => method === 'PUT').map(({ body }) => body)).toEqual(['ab']);
    const before = line.server.seen.findIndex(({ method }) => method === 'PUT') - 1;
    expect(line.server.seen[before]?.url).toMatch(/^\/id\//);
  });
});

describe('a streamed answer', () => {
  const path = '/services/data/v66.0/jobs/query/1/results';

  it('comes part by part, zipped or not, past the size that a whole answer may have', async () => {
    const row = `${'x'.repeat(1023)}\n`;
    await using line = await createLine((request, response) => {
      const body = row.repeat(40 * 1024);
      if (request.url === path) return void response.end(body);
      return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body));
    });
    for (const one of [path, `${path}?zipped=1`]) {
      let size = 0;
      for await (const part of (await line.send({ path: one, isStreamed: true })).bytes ?? []) size += part.length;
      expect(size).toBe(40 * 1024 * 1024);
    }
  });

  it('that is refused is read like every refusal', async () => {
    await using line = await createLine((_, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('[{"errorCode":"NOT_FOUND","message":"no job"}]');
    });
    expect((await refusal(line.send({ path, isStreamed: true }))).code).toBe('not_found');
  });

  it('that stands still for longer than it may ends in words, and one that goes on slowly does not', async () => {
    let isStuck = false;
    await using line = await createLine((_, response) => {
      response.write('a');
      const more = isStuck ? undefined : setInterval(() => response.write('a'), 60);
      setTimeout(() => {
        clearInterval(more);
        if (!isStuck) response.end('z');
      }, 600);
    });
    const limit = { totalMs: 30_000, idleMs: 250 };
    expect(await read((await line.send({ path, isStreamed: true, limit })).bytes)).toMatch(/^a+z$/);
    isStuck = true;
    const cut = await line.send({ path, isStreamed: true, limit });
    expect((await refusal(read(cut.bytes) as Promise<unknown>)).message).toBe('Salesforce did not answer in time.');
  });

  it('keeps an answer that is not streamed to its own time', async () => {
    await using line = await createLine((_, response) => void setTimeout(() => response.end('{}'), 300));
    const slow = line.send({ path, limit: { totalMs: 100 } });
    expect((await refusal(slow)).message).toBe('Salesforce did not answer in time.');
  });
});

describe('an event stream', () => {
  const path = '/cometd/66.0';

  it('alone is given cookies', async () => {
    await using line = await createLine((_, response) => {
      response.writeHead(200, { 'set-cookie': ['t=a/b+c=!; path=/cometd', 'sfdc-stream=1'] }).end('[]');
    });
    expect((await line.send({ method: 'POST', path, raw: '[]' })).cookies).toEqual([
      't=a/b+c=!; path=/cometd',
      'sfdc-stream=1',
    ]);
    expect((await line.send({ path: '/services/data/v66.0/limits' })).cookies).toBeUndefined();
  });

  it('judges its own refusals, renews when it says so, and introduces its token as it likes', async () => {
    await using line = await createLine((_, response) => void response.writeHead(401).end('[{"successful":false}]'));
    const answer = await line.send({ method: 'POST', path, isRead: true, raw: '[]', scheme: 'OAuth' });
    expect(answer).toMatchObject({ status: 401, json: [{ successful: false }] });
    expect(line.tokenRequests()).toBe(0);
    expect(line.server.seen[0]?.headers.authorization).toMatch(/^OAuth 00D/);
    await line.renew();
    expect(line.tokenRequests()).toBe(1);
    await line.send({ method: 'POST', path, isRead: true, raw: '[]' });
    expect(line.server.seen.at(-1)?.headers.authorization).toMatch(/^Bearer .*token2$/);
  });

  it('held by Salesforce says nothing of how well the connection is, and its handshake does', async () => {
    await using line = await createLine((_, response) => void response.writeHead(503).end());
    const held = { method: 'POST', path, isRead: true, raw: '[]', isHeld: true } as const;
    for (let tries = 0; tries < 6; tries++) await refusal(line.send(held));
    expect(line.server.seen).toHaveLength(6);
    expect((await line.connections.status('demo')).breaker).toEqual({ state: 'closed' });
    for (let tries = 0; tries < 5; tries++) await refusal(line.send({ ...held, isHeld: false }));
    expect((await line.connections.status('demo')).breaker?.state).toBe('open');
    // Neither is it refused while others are.
    expect((await refusal(line.send(held))).code).toBe('salesforce_unavailable');
  });
});
