import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Org } from '../../src/ports/salesforce.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { isUnknownOutcome } from '../../src/salesforce/transport/upstream-error.ts';
import { createOrgWorld, createServedWorld, createSimWorld, refusal, serve } from './org-world.ts';

const read = (org: Org) => org.find('Account', { fields: ['Name'], where: [], limit: 1 });
const write = (org: Org) => org.create('Lead', { LastName: 'Ray', Company: 'Acme' });

function rows(response: ServerResponse, headers: Record<string, string> = {}) {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(
    '{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Account"},"Id":"001D000000K0fXOIAZ","Name":"A"}]}',
  );
}

function down(response: ServerResponse) {
  response.writeHead(503, { 'content-type': 'text/html' });
  response.end('<html>maintenance</html>');
}

describe('an outage', () => {
  it('costs at most 5 requests for 10 calls, then calls are refused at once with the time of the next try [F4] [R1]', async () => {
    await using world = await createServedWorld((_, response) => down(response));
    const codes: string[] = [];
    for (let i = 0; i < 10; i++) codes.push((await refusal(world.open().then(read))).code);
    expect(world.server.seen).toHaveLength(5);
    expect(codes.slice(-8)).toEqual(Array(8).fill('circuit_open'));
    const started = performance.now();
    const error = await refusal(world.open().then(read));
    expect(performance.now() - started).toBeLessThan(10);
    expect(error).toMatchObject({ status: 503, retryable: true, retryAfterMs: expect.any(Number) });
    expect(await world.connections.status('demo')).toMatchObject({
      breaker: { state: 'open', nextTryAt: expect.any(String) },
      lastFailure: { next: expect.any(String) },
    });
  });

  it('is seen by all processes, and ends by two probes, one at a time [R1] [sync-P22]', async () => {
    let isDown = true;
    await using world = await createServedWorld((_, response) => (isDown ? down(response) : rows(response)));
    for (let i = 0; i < 3; i++) await refusal(world.open().then(read));
    const other = world.again();
    const signal = new AbortController().signal;
    expect((await refusal(other.open('demo', { signal }).then(read))).code).toBe('circuit_open');
    isDown = false;
    world.clock.advance(60_001);
    world.server.seen.length = 0;
    const probes = await Promise.allSettled([world.open().then(read), other.open('demo', { signal }).then(read)]);
    expect(probes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(world.server.seen).toHaveLength(1);
    expect((await world.connections.status('demo')).breaker).toEqual({ state: 'half-open' });
    await other.open('demo', { signal }).then(read);
    expect((await world.connections.status('demo')).breaker).toEqual({ state: 'closed' });
  });

  it('goes on for another 60 s when the probe fails [R1]', async () => {
    await using world = await createServedWorld((_, response) => down(response));
    for (let i = 0; i < 3; i++) await refusal(world.open().then(read));
    world.clock.advance(60_001);
    world.server.seen.length = 0;
    expect((await refusal(world.open().then(read))).code).toBe('salesforce_unavailable');
    expect((await refusal(world.open().then(read))).code).toBe('circuit_open');
    expect(world.server.seen).toHaveLength(1);
  });

  it('is believed for its own longest pause and no longer, whatever a clock that was ahead wrote [R1] [K6]', async () => {
    for (const [code, longestMs] of [
      ['circuit_open', 60_000],
      ['limit_reached', 15 * 60_000],
    ] as const) {
      await using world = await createServedWorld((_, response) => rows(response));
      const until = world.clock.now + 86_400_000;
      const open = { breakerState: 'open', breakerFailures: 5, breakerUntil: until } as const;
      await world.store.connections.patch('demo', code === 'circuit_open' ? open : { limitedUntil: until });
      expect(await refusal(world.open().then(read))).toMatchObject({ code, retryAfterMs: longestMs });
      world.clock.advance(longestMs - 1);
      expect((await refusal(world.open().then(read))).code).toBe(code);
      world.clock.advance(1);
      expect(await world.open().then(read)).toHaveLength(1);
    }
  });

  it('is not what validation errors mean, however many [R1] [sync-P22]', async () => {
    await using world = await createServedWorld((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('[{"message":"no","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","fields":[]}]');
    });
    for (let i = 0; i < 8; i++) expect((await refusal(world.open().then(write))).code).toBe('validation_rule');
    expect((await world.connections.status('demo')).breaker).toEqual({ state: 'closed' });
  });

  it('starts its count anew after any success [R1]', async () => {
    let calls = 0;
    await using world = await createServedWorld((_, response) => (++calls % 5 === 0 ? rows(response) : down(response)));
    for (let i = 0; i < 12; i++)
      await world
        .open()
        .then(write)
        .catch(() => {});
    expect((await world.connections.status('demo')).breaker?.state).toBe('closed');
  });
});

describe('repeats', () => {
  it('heal a read that met a passing failure, with jitter [R3]', async () => {
    let calls = 0;
    await using world = await createServedWorld((_, response) => (++calls < 3 ? down(response) : rows(response)));
    expect(await world.open().then(read)).toHaveLength(1);
    expect(world.waits).toHaveLength(2);
    expect(world.waits.every((ms) => ms >= 0 && ms <= 300)).toBe(true);
  });

  it('never repeat a write whose reply was lost: its outcome is told as unknown [R3] [F5]', async () => {
    await using world = await createServedWorld((request) => request.socket.destroy());
    const error = await refusal(world.open().then(write));
    expect(isUnknownOutcome(error)).toBe(true);
    expect(error).toMatchObject({ code: 'salesforce_unavailable', retryable: false });
    expect(world.server.seen).toHaveLength(1);
  });

  it('do repeat a write that only met a lock [R3]', async () => {
    let calls = 0;
    await using world = await createServedWorld((_, response) => {
      response.writeHead(++calls < 3 ? 400 : 201, { 'content-type': 'application/json' });
      response.end(
        calls < 3
          ? '[{"message":"unable to obtain exclusive access to this record","errorCode":"UNABLE_TO_LOCK_ROW","fields":[]}]'
          : '{"id":"00Q5g00000AAAAAEA5","success":true,"errors":[]}',
      );
    });
    expect((await world.open().then(write)).created).toBe(true);
    expect(calls).toBe(3);
  });

  it('of a write are over once the request time is, so that whoever takes its work over finds it done or not begun [R3]', async () => {
    let calls = 0;
    const lock = '[{"message":"unable to obtain exclusive access","errorCode":"UNABLE_TO_LOCK_ROW","fields":[]}]';
    await using world = await createServedWorld((_, response) => {
      calls++;
      // Every answer comes within its own time; together they would take longer.
      world.clock.advance(1_200);
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(lock);
    });
    const error = await refusal(world.open().then(write));
    expect(error.code).toBe('conflict');
    expect(isUnknownOutcome(error)).toBe(false);
    expect(calls, 'at 0 s and at 1.2 s; not at 2.4 s').toBe(2);
    expect(world.waits).toHaveLength(1);
  });

  it('of a read go on all the same: nothing can be done twice [R3]', async () => {
    let calls = 0;
    await using world = await createServedWorld((_, response) => {
      world.clock.advance(1_900);
      if (++calls < 3) down(response);
      else rows(response);
    });
    expect(await world.open().then(read)).toHaveLength(1);
    expect(calls).toBe(3);
  });

  it('do repeat a write that surely never left, and tell its outcome as certain [R3]', async () => {
    const nobody = await serve(() => {});
    await nobody[Symbol.asyncDispose]();
    await using world = await createServedWorld(() => {});
    await world.store.connections.patch('demo', { instanceUrl: nobody.url });
    const { salesforce } = readConfig({ SALESFORCE_EXTRA_HOSTS: nobody.host });
    const org = await world.again({ config: salesforce }).open('demo', { signal: new AbortController().signal });
    const error = await refusal(write(org));
    expect(error).toMatchObject({ code: 'salesforce_unavailable', retryable: true });
    expect(isUnknownOutcome(error)).toBe(false);
    expect(world.waits).toHaveLength(2);
  });

  it('end when the caller has gone, and its leaving counts against nobody [R3]', async () => {
    const gone = new AbortController();
    await using world = await createServedWorld(() => gone.abort());
    const org = await world.open('demo', { signal: gone.signal });
    const error = await refusal(write(org));
    expect(isUnknownOutcome(error)).toBe(true);
    expect(error.code).toBe('cancelled');
    expect((await world.store.connections.get('demo'))?.breakerFailures).toBe(0);
    expect((await refusal(read(org))).code).toBe('cancelled');
    expect(world.server.seen).toHaveLength(1);
    expect((await world.connections.status('demo')).lastFailure?.code).toBe('environment_unknown');
  });

  it('are nobody else’s end: who waits for the same describe gets it [R3]', async () => {
    const gone = new AbortController();
    let left = 0;
    await using world = await createServedWorld((_, response) => {
      if (left++ === 0) gone.abort();
      else {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"name":"Lead","fields":[],"childRelationships":[],"recordTypeInfos":[]}');
      }
    });
    const [one, other] = [await world.open('demo', { signal: gone.signal }), await world.open('demo')];
    const [first, second] = await Promise.allSettled([one.describe('Lead'), other.describe('Lead')]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: { name: 'Lead' } });
  });
});

describe('the deadline', () => {
  it('covers a server that never answers, and one that stops in mid-body [R3]', async () => {
    let how: 'silent' | 'cut' | 'stalled' = 'silent';
    await using world = await createServedWorld(
      (request, response) => {
        if (how === 'silent') return;
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
        response.write('{"totalSize":1');
        if (how === 'cut') setTimeout(() => request.socket.destroy(), 20);
      },
      { requestTimeoutMs: 200 },
    );
    for (how of ['silent', 'cut', 'stalled'] as const) {
      expect(isUnknownOutcome(await refusal(world.open().then(write)))).toBe(true);
    }
  });
});

describe('where a token may go', () => {
  it('is never the target of a redirect [O8]', async () => {
    await using thief = await serve((_, response) => response.end('{}'));
    await using world = await createServedWorld((_, response) => {
      response.writeHead(302, { location: thief.url });
      response.end();
    });
    expect((await refusal(world.open().then(read))).message).toContain('redirect');
    expect(thief.seen).toEqual([]);
  });

  it('is never an org address that a sign-in made up [O8]', async () => {
    await using server = await serve((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(
        '{"access_token":"00D5g000004rAbC!tok-secret","instance_url":"https://salesforce.com.evil.example","id":"https://x/id/00D5g000004rAbCEAU/0055g00000AbCdEAAV"}',
      );
    });
    await using world = await createOrgWorld({
      allowPassword: true,
      env: { SALESFORCE_LOGIN_URL: server.url, SALESFORCE_EXTRA_HOSTS: server.host },
    });
    const how = { flow: 'password', username: 'u', password: 'pw-secret' } as const;
    const error = await refusal(world.connections.connect('demo', how));
    expect(error.message).toContain('refused');
    expect(server.seen).toHaveLength(1);
    expect(await world.connections.status('demo')).toEqual({ state: 'never_connected' });
  });
});

describe('the API allowance', () => {
  it('stops background work at 80 % and people at 95 %, in words, before the org is exhausted [R2] [sync-P20]', async () => {
    let used = 80;
    await using world = await createServedWorld((_, response) =>
      rows(response, { 'sforce-limit-info': `api-usage=${used}/100` }),
    );
    await world.open().then(read);
    const background = () => world.open('demo', { background: true }).then(read);
    const error = await refusal(background());
    expect(error).toMatchObject({ code: 'limit_reached', status: 429, retryAfterMs: expect.any(Number) });
    expect(error.message).toContain('80 %');
    used = 95;
    await world.open().then(read);
    expect((await refusal(world.open().then(read))).code).toBe('limit_reached');
    // Another process knows it too, though it has asked nothing itself.
    const signal = new AbortController().signal;
    expect((await refusal(world.again().open('demo', { signal }).then(read))).code).toBe('limit_reached');
    // After a while one request measures anew, and the others follow it.
    used = 10;
    world.clock.advance(15 * 60_000);
    await world.open().then(read);
    await background();
    expect((await world.connections.status('demo')).api).toMatchObject({ used: 10, max: 100 });
  });

  it('once exhausted is left alone until the window moves [R2]', async () => {
    let isOver = true;
    await using world = await createServedWorld((_, response) => {
      if (!isOver) return rows(response);
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]');
    });
    for (let i = 0; i < 4; i++) expect((await refusal(world.open().then(read))).code).toBe('limit_reached');
    expect(world.server.seen).toHaveLength(1);
    isOver = false;
    world.clock.advance(15 * 60_000 + 1);
    expect(await world.open().then(read)).toHaveLength(1);
  });

  it('and the clock are read off every answer, empty ones too [R2]', async () => {
    await using world = await createServedWorld((_, response) => {
      response.writeHead(204, {
        'sforce-limit-info': 'api-usage=7/15000',
        date: new Date(world.clock.now + 3_600_000).toUTCString(),
      });
      response.end();
    });
    const org = await world.open();
    await org.patch('Lead', '00Q5g00000AAAAA', { Title: 'x' });
    expect((await world.connections.status('demo')).api).toMatchObject({ used: 7, max: 15_000 });
    expect(Math.abs(org.clock() - world.clock.now - 3_600_000)).toBeLessThan(1_000);
  });
});

describe('a healthy line', () => {
  it('writes its news at most once a second, and nothing else [F2]', async () => {
    await using world = await createSimWorld();
    let writes = 0;
    const { connections: rowsOf } = world.store;
    const counting =
      <A extends unknown[], R>(work: (...given: A) => R) =>
      (...given: A) => {
        writes++;
        return work(...given);
      };
    const counted = world.again({
      rows: {
        ...rowsOf,
        patch: counting(rowsOf.patch),
        patchIf: counting(rowsOf.patchIf),
        noteSuccess: counting(rowsOf.noteSuccess),
      },
    });
    const signal = new AbortController().signal;
    const since = performance.now();
    await counted.open('demo', { signal }).then(read);
    const first = writes;
    for (let i = 0; i < 20; i++) await counted.open('demo', { signal }).then(read);
    // On a slow machine the twenty take longer than the second.
    expect(writes - first).toBeLessThanOrEqual(Math.floor((performance.now() - since) / 1000));
    expect(first).toBeLessThanOrEqual(2);
  });

  it('stops queued work of a call that is open when the bot is disconnected [O6] [sync-P28]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    await read(org);
    await world.again().disconnect('demo');
    const before = (await world.control('GET', 'calls')).count;
    expect(await refusal(read(org))).toMatchObject({ code: 'not_connected', status: 403 });
    expect((await world.control('GET', 'calls')).count).toBe(before);
  });
});
