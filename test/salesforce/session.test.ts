import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Org } from '../../src/ports/salesforce.ts';
import type { TokenSet, TokenStore } from '../../src/ports/tokens.ts';
import { sleep } from '../../src/salesforce/transport/waiting.ts';
import { createServedWorld, createSimWorld, createWebWorld, refusal, signIn } from './org-world.ts';

const write = (world: { open: () => Promise<Org> }) =>
  world.open().then((org) => org.create('Lead', { LastName: 'Ray', Company: 'Acme' }));

function over(response: ServerResponse) {
  response.writeHead(401, { 'content-type': 'application/json' });
  response.end('[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]');
}

const ask = (world: { open: () => Promise<Org> }) =>
  world.open().then((org) => org.find('Account', { fields: ['Name'], where: [], limit: 1 }));

describe('an expired session', () => {
  it('met by 20 calls at once is renewed by one token request, and no call fails [O5] [F3]', async () => {
    await using world = await createWebWorld();
    const before = await world.tokenRequests();
    await world.control('POST', 'expire');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(world)));
    expect(answers.every((rows) => rows.length === 1)).toBe(true);
    expect((await world.tokenRequests()) - before).toBe(1);
  });

  it('keeps a rotated refresh token, durable before its first use [O5] [sync-P17]', async () => {
    await using world = await createWebWorld({ rotation: true });
    for (let round = 0; round < 3; round++) {
      await world.control('POST', 'expire');
      await ask(world);
    }
    const row = await world.store.connections.get('demo');
    expect((await world.vault.get(`${row?.id}.${row?.tokenVersion}`))?.refreshToken).toBeTruthy();
  });

  it('is renewed at the host that issued it, and the address of the org is kept [O5]', async () => {
    await using world = await createWebWorld();
    const before = await world.store.connections.get('demo');
    await world.control('POST', 'expire');
    await ask(world);
    const after = await world.store.connections.get('demo');
    expect(after).toMatchObject({
      instanceUrl: before?.instanceUrl,
      loginUrl: world.url,
      leaseOwner: null,
      state: 'connected',
    });
    expect(after?.tokenVersion).toBeGreaterThan(before?.tokenVersion ?? 0);
  });

  it('is renewed also by an answer that leaves out the address of the org, or names a foreign one [O5]', async () => {
    for (const instance of ['', ',"instance_url":"https://evil.example"']) {
      let isExpired = true;
      await using world = await createServedWorld((_, response) => {
        response.writeHead(isExpired ? 401 : 200, { 'content-type': 'application/json' });
        response.end(
          isExpired
            ? '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'
            : '{"totalSize":0,"done":true,"records":[]}',
        );
      });
      world.answerToken(() => {
        isExpired = false;
        return `{"access_token":"00D!new"${instance}}`;
      });
      const before = await world.store.connections.get('demo');
      expect(await ask(world)).toEqual([]);
      expect(await world.store.connections.get('demo')).toMatchObject({
        instanceUrl: before?.instanceUrl,
        state: 'connected',
      });
    }
  });

  it('that took the whole time of a write to renew lets nothing more be sent, and says that nothing was done [O5] [R3]', async () => {
    let isExpired = true;
    await using world = await createServedWorld((_, response) => {
      world.clock.advance(1_500);
      if (isExpired) over(response);
      else response.writeHead(201).end('{"id":"00Q5g00000AAAAAEA5","success":true,"errors":[]}');
    });
    world.answerToken(() => {
      isExpired = false;
      world.clock.advance(1_500);
      return '{"access_token":"00D!new"}';
    });
    const error = await refusal(write(world));
    expect(error).toMatchObject({ code: 'salesforce_unavailable', outcome: 'not_sent', retryable: true });
    const sent = () => world.server.seen.filter(({ url }) => url.endsWith('/sobjects/Lead')).length;
    expect(sent()).toBe(1);
    expect((await write(world)).created, 'the renewed session is there for the next').toBe(true);
    expect(world.tokenRequests()).toBe(1);
  });

  it('that another process renews is awaited by a write no longer than its own time [O5] [R3]', async () => {
    await using world = await createServedWorld((_, response) => over(response));
    await world.store.connections.lease('demo', 'another process', world.clock.now, world.clock.now + 3_600_000);
    const other = world.again({ wait: sleep, requestTimeoutMs: 300 });
    const started = performance.now();
    const error = await refusal(write({ open: () => other.open('demo', { signal: new AbortController().signal }) }));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(error).toMatchObject({ code: 'salesforce_unavailable', outcome: 'not_sent' });
    expect(error.message).toContain('was over before it could be sent');
    expect(world.server.seen).toHaveLength(1);
  });

  it('whose refresh token was revoked needs a person, says so, and sends nothing more [O5] [O7]', async () => {
    await using world = await createWebWorld();
    await world.control('POST', 'reset', { keepSessions: false });
    const error = await refusal(ask(world));
    expect(error).toMatchObject({ code: 'reconnect_needed', status: 502, salesforce: { code: 'invalid_grant' } });
    expect(error.next).toContain('Reconnect');
    const before = await world.control('GET', 'calls');
    expect((await refusal(ask(world))).code).toBe('reconnect_needed');
    const after = await world.control('GET', 'calls');
    expect([after.count, after.oauthCount]).toEqual([before.count, before.oauthCount]);
    expect(await world.connections.status('demo')).toMatchObject({
      state: 'needs_reauth',
      lastFailure: { message: expect.any(String), next: expect.stringContaining('Reconnect') },
    });
    // And a person's sign-in heals it.
    await signIn(world);
    expect(await ask(world)).toHaveLength(1);
  });

  it('of the simulated org is renewed silently, even after its data was reset [X5]', async () => {
    await using world = await createSimWorld();
    await world.control('POST', 'reset', { keepSessions: false });
    expect(await ask(world)).toHaveLength(1);
  });

  it('is not suspected behind a 403: a limit must not become a storm of renewals [O5] [R2]', async () => {
    await using world = await createServedWorld((_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]');
    });
    expect((await refusal(ask(world))).code).toBe('limit_reached');
    expect(world.tokenRequests()).toBe(0);
  });

  it('that stays refused after one renewal is not tried for ever [O5]', async () => {
    await using world = await createServedWorld((_, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]');
    });
    expect((await refusal(ask(world))).code).toBe('reconnect_needed');
    expect(world.tokenRequests()).toBe(1);
    expect(world.server.seen.filter(({ url }) => url.includes('/query'))).toHaveLength(2);
  });

  it('repeats a write after renewal exactly once: a 401 surely wrote nothing [R3]', async () => {
    await using world = await createWebWorld();
    await world.control('POST', 'expire');
    const org = await world.open();
    await org.create('Lead', { LastName: 'Once', Company: 'Acme' });
    const { records } = await world.control('GET', 'records/Lead');
    expect(records.filter((lead: { LastName: string }) => lead.LastName === 'Once')).toHaveLength(1);
  });
});

describe('a holder of the renewal lease', () => {
  /** A vault that stops at the first `set`, as a process does that is suspended there. */
  function stalling(vault: TokenStore) {
    let release = () => {};
    let reached = () => {};
    const stalled = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow: TokenStore = {
      get: (key) => vault.get(key),
      delete: (key) => vault.delete(key),
      check: () => vault.check(),
      async set(key: string, value: TokenSet) {
        reached();
        await gate;
        await vault.set(key, value);
      },
    };
    return { slow, stalled, release };
  }

  it('that stalls past its lease cannot overwrite what another stored [O5] [sync-P18]', async () => {
    await using world = await createWebWorld();
    const { slow, stalled, release } = stalling(world.vault);
    const other = world.again({ tokens: slow });
    await world.control('POST', 'expire');
    const late = other
      .open('demo', { signal: new AbortController().signal })
      .then((org) => org.find('Account', { fields: [], where: [], limit: 1 }));
    await stalled;
    expect((await refusal(ask(world))).code).toBe('salesforce_unavailable');
    world.clock.advance(15_000);
    expect(await ask(world)).toHaveLength(1);
    const kept = await world.store.connections.get('demo');
    const tokens = await world.vault.get(`${kept?.id}.${kept?.tokenVersion}`);
    release();
    expect(await late).toHaveLength(1);
    expect(await world.store.connections.get('demo')).toMatchObject({ tokenVersion: kept?.tokenVersion });
    expect(await world.vault.get(`${kept?.id}.${kept?.tokenVersion}`)).toEqual(tokens);
  });

  it('that stalls with the only rotated token still saves it, though others gave up meanwhile [O5]', async () => {
    await using world = await createWebWorld({ rotation: true });
    const { slow, stalled, release } = stalling(world.vault);
    const other = world.again({ tokens: slow });
    await world.control('POST', 'expire');
    const late = other
      .open('demo', { signal: new AbortController().signal })
      .then((org) => org.find('Account', { fields: [], where: [], limit: 1 }));
    await stalled;
    expect((await refusal(ask(world))).code).toBe('salesforce_unavailable');
    world.clock.advance(15_000);
    expect((await refusal(ask(world))).code).toBe('reconnect_needed');
    release();
    expect(await late).toHaveLength(1);
    expect(await ask(world)).toHaveLength(1);
  });

  it('that dies leaves the lease to the next after its time; meanwhile others wait and then say so [O5]', async () => {
    await using world = await createWebWorld();
    await world.control('POST', 'expire');
    const lease = () => world.store.connections.lease('demo', 'dead', world.clock.now, world.clock.now + 9_000);
    expect(await lease()).toBeDefined();
    expect(await refusal(ask(world))).toMatchObject({ code: 'salesforce_unavailable', retryable: true });
    world.clock.advance(12_001);
    expect(await ask(world)).toHaveLength(1);
  });

  it('whose clock is an hour behind keeps the lease until it stood still for its whole time [K6] [O5]', async () => {
    await using world = await createWebWorld();
    await world.control('POST', 'expire');
    const { now } = world.clock;
    await world.store.connections.lease('demo', 'behind', now - 3_600_000, now - 3_590_000);
    const before = await world.tokenRequests();
    expect((await refusal(ask(world))).code).toBe('salesforce_unavailable');
    expect(await world.tokenRequests()).toBe(before);
    world.clock.advance(12_001);
    expect(await ask(world)).toHaveLength(1);
  });

  it('whose connection was cut meanwhile does not bring it back [O6]', async () => {
    await using world = await createWebWorld();
    const { slow, stalled, release } = stalling(world.vault);
    const other = world.again({ tokens: slow });
    await world.control('POST', 'expire');
    const late = refusal(
      other
        .open('demo', { signal: new AbortController().signal })
        .then((org) => org.find('Account', { fields: [], where: [], limit: 1 })),
    );
    await stalled;
    await world.connections.disconnect('demo');
    release();
    expect((await late).code).toBe('not_connected');
    expect(await world.connections.status('demo')).toMatchObject({ state: 'disconnected' });
  });
});
