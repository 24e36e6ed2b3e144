import { request } from 'node:http';
import { expect, it } from 'vitest';
import { listen } from '../../src/http/server.ts';
import type { Log } from '../../src/ports/log.ts';
import { describeStores, type OpenFresh } from '../support/databases.ts';
import { door } from './door.ts';
import { ORG } from './soap.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

const PATH = '/api/webhooks/salesforce';

/** A world that is in step with one person, its real door open, and a token for Flows. */
async function opened(openFresh: OpenFresh) {
  const world = await createSyncWorld(openFresh);
  const lines: string[] = [];
  const note = (message: string, fields?: object) => void lines.push(JSON.stringify({ message, ...fields }));
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const { routes } = await world.app.sync();
  const server = await listen({ ...world.app, log, routes }, { host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${server.port}`;
  const ask = door(world);
  const rotate = async (body: object = {}): Promise<{ url: string; token: string }> =>
    (await ask('POST', '/api/bots/demo/sync/flow-token', body)).body;
  const { token } = await rotate();
  await world.put('p1', { email: 'p1@example.com', name: 'Ada Lovelace', jobTitle: 'A' });
  const { id } = await world.party('p1');
  world.clock.advance(60_000);
  await world.settle();
  const send = async (body: unknown, given: { token?: string; type?: string } = {}) => {
    const key = given.token ?? token;
    const response = await fetch(url + PATH, {
      method: 'POST',
      headers: {
        'content-type': given.type ?? 'application/json',
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
  };
  const hint = (more: object = {}) => ({ eventId: 'guid-1', orgId: ORG, object: 'Contact', recordId: id, ...more });
  return {
    ...{ world, id, token, rotate, send, hint, lines, url },
    async [Symbol.asyncDispose]() {
      await server.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

const jobTitle = async (world: SyncWorld) => (await world.host('p1')).fields.jobTitle;

describeStores((_name, openFresh) => {
  it('brings a change by what the simulated org’s flow sends, once however often it calls, and the poll brings what it lost [I3] [I4]', async () => {
    await using flow = await opened(openFresh);
    const { world, id, token, url } = flow;
    await world.control('POST', 'flows', { object: 'Contact', url: url + PATH, token, fields: ['Title'] });
    const outcome = async (title: string) => {
      await world.edit(id, { Title: title });
      const run = await world.control('POST', 'flows/run');
      await world.inbox();
      await world.sync.runner.runAllDue('demo', await world.org());
      world.clock.advance(60_000);
      return { ...run, jobTitle: await jobTitle(world) };
    };
    expect(await outcome('B')).toEqual({ sent: 1, accepted: 1, jobTitle: 'B' });
    await world.control('POST', 'flows', { fault: 'twice' });
    expect(await outcome('C')).toEqual({ sent: 1, accepted: 1, jobTitle: 'C' });
    const told = (await world.store.feed.after('demo', 0, 50)).filter((row) => row.type === 'updated');
    expect(told.map(({ changes }) => changes.jobTitle?.after)).toEqual(['B', 'C']);
    for (const fault of ['lost', 'cut', 'unauthorized']) {
      await world.control('POST', 'flows', { fault });
      expect(await outcome(fault)).toEqual({ sent: 1, accepted: 0, jobTitle: 'C' });
    }
    // A Flow does not call again.
    expect(await world.control('POST', 'flows/run')).toEqual({ sent: 0, accepted: 0 });
    expect((await world.control('GET', 'flows')).failed.map(({ error }: { error: string }) => error)).toEqual([
      expect.stringContaining('timed out'),
      'HTTP 400',
      'HTTP 401',
    ]);
    world.clock.advance(3_600_000);
    await world.settle();
    expect(await jobTitle(world)).toBe('unauthorized');
  });

  it('counts what is new, knows a repeat by its id or else its time, and takes 200 at once [I3]', async () => {
    await using flow = await opened(openFresh);
    const { world, send, hint, id } = flow;
    expect(await send(hint())).toMatchObject({ status: 200, json: { accepted: 1, duplicates: 0 } });
    expect(
      await send(hint({ recordId: id.slice(0, 15), at: 'another time', fields: { Title: 'x' }, more: [1] })),
    ).toMatchObject({
      json: { accepted: 0, duplicates: 1 },
    });
    const untold = { eventId: null, at: '2026-05-04T10:00:00Z' };
    expect(await send(hint(untold))).toMatchObject({ json: { accepted: 1, duplicates: 0 } });
    expect(await send(hint(untold))).toMatchObject({ json: { accepted: 0, duplicates: 1 } });
    expect(await send(hint({ ...untold, at: '2026-05-04T10:00:01Z' }))).toMatchObject({ json: { accepted: 1 } });
    const items = Array.from({ length: 200 }, (_, n) => hint({ eventId: `many-${n % 150}` }));
    expect(await send({ items })).toMatchObject({ status: 200, json: { accepted: 150, duplicates: 50 } });
    const { store } = world;
    const pending = await store.inbox.pending({ bot: 'demo', orgId: ORG }, 500);
    expect(new Set(pending.map(({ kind, object, sfId }) => `${kind} ${object} ${sfId}`))).toEqual(
      new Set([`callout Contact ${id}`]),
    );
    expect(await world.calls(() => world.inbox())).toBe(0);
  });

  it('believes no value and no time of it: the record is read, and policy closes what it closes [I3] [K3] [P5]', async () => {
    await using flow = await opened(openFresh);
    const { world, send, hint, id } = flow;
    const forged = { eventId: 'forged', fields: { Title: 'Queen', LastName: 'Nobody' }, at: '2099-01-01T00:00:00Z' };
    await send(hint(forged));
    await world.settle();
    expect((await world.host('p1')).fields).toMatchObject({ jobTitle: 'A', name: 'Ada Lovelace' });
    const row = await world.fresh.store.bots.get('demo');
    if (!row) throw new Error('no bot');
    const Contact = { ...row.policy.objects.Contact, denyFields: ['Title'] };
    const policy = { ...row.policy, objects: { ...row.policy.objects, Contact } } as typeof row.policy;
    await world.fresh.store.bots.savePolicy('demo', policy, 'ada', world.clock.now, row.policyRevision);
    await world.edit(id, { Title: 'closed', Phone: '555' });
    await send(hint({ eventId: 'after' }));
    await world.settle();
    expect((await world.host('p1')).fields).toMatchObject({ jobTitle: 'A', phone: '555' });
  });

  it('refuses in words that say what to do, and stores nothing of what it refuses [I3] [E]', async () => {
    await using flow = await opened(openFresh);
    const { send, hint, id, world } = flow;
    const refusals: readonly [unknown, number, RegExp][] = [
      [hint({ orgId: '00D5i000000AnotEAB' }), 403, /not from the connected org/],
      [{ items: [hint({ eventId: 'x' }), hint({ eventId: 'y', orgId: '00D5i000000AnotEAB' })] }, 403, /connected org/],
      [hint({ orgId: undefined }), 400, /orgId/],
      [hint({ orgId: 'acme' }), 400, /Organization\.Id/],
      [hint({ eventId: undefined }), 400, /eventId/],
      [hint({ eventId: 'a\u0000b' }), 400, /eventId/],
      [hint({ eventId: 'a'.repeat(101) }), 400, /eventId/],
      [hint({ eventId: 7 }), 400, /eventId/],
      [hint({ recordId: undefined }), 400, /recordId/],
      [hint({ recordId: '../../x' }), 400, /recordId/],
      [hint({ recordId: `${id.slice(0, 15)}zzz` }), 400, /check characters/],
      [hint({ object: "Contact'; drop" }), 400, /object/],
      [{ items: [] }, 400, /items/],
      [{ items: Array.from({ length: 201 }, () => hint()) }, 400, /items/],
      [{ items: [hint({ recordId: 'x' })] }, 400, /items\.0\.recordId/],
      [[hint()], 400, /request/i],
      ['null', 400, /./],
      ['{"eventId":', 400, /JSON/],
      [`{"eventId":"a","eventId":"b"}`, 400, /./],
      ['['.repeat(50_000), 400, /./],
      ['\ufeff{}', 400, /./],
    ];
    for (const [body, status, words] of refusals) {
      const answer = await send(body);
      expect([JSON.stringify(body).slice(0, 90), answer.status]).toEqual([JSON.stringify(body).slice(0, 90), status]);
      expect(answer.text).toMatch(words);
      expect(answer.json.error.next).toBeTruthy();
    }
    expect(await send('x', { type: 'text/xml' })).toMatchObject({ status: 415 });
    expect(await send(`{"pad":"${'x'.repeat(262_144)}"}`)).toMatchObject({ status: 413 });
    expect(await world.store.inbox.pending({ bot: 'demo', orgId: ORG }, 10)).toEqual([]);
  });

  it('opens to its own token alone, before a byte of the body is read; a rotated one ends in time; none is kept or logged [I3] [O7]', async () => {
    await using flow = await opened(openFresh);
    const { world, send, hint, token, rotate, url, lines } = flow;
    const address = (await door(world)('POST', '/api/bots/demo/sync/inbound-token', {})).body.url as string;
    const foreign = ['', 'nobody', 'a'.repeat(300), address.split('/').at(-1) ?? '', `${token}x`];
    for (const one of foreign) {
      const answer = await send(hint(), { token: one });
      expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated']);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    // Nor is it an address: each opens its own door.
    expect((await fetch(`${url}${PATH}/${token}`, { method: 'POST', body: '<a/>' })).status).toBe(404);
    const early = await new Promise<number>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': '200000', authorization: 'Bearer no' };
      const sent = request(url + PATH, { method: 'POST', headers }, (response) => resolve(response.statusCode ?? 0));
      sent.on('error', reject);
      sent.flushHeaders();
    });
    expect(early).toBe(401);
    const next = await rotate({ keepOldForMs: 3_600_000 });
    expect(next).toEqual({ url: expect.stringMatching(/\/api\/webhooks\/salesforce$/), token: expect.any(String) });
    expect((await send(hint())).status).toBe(200);
    expect((await send(hint({ eventId: 'b' }), { token: next.token })).status).toBe(200);
    world.clock.advance(3_600_001);
    expect((await send(hint({ eventId: 'c' }))).status).toBe(401);
    expect((await send(hint({ eventId: 'c' }), { token: next.token })).status).toBe(200);
    const kept = JSON.stringify(await world.store.tokens.list('demo')) + lines.join('\n');
    for (const one of [token, next.token]) expect(kept).not.toContain(one);
    expect(lines.join('\n')).toContain(PATH);
    // Whoever guesses is soon told to wait, and the sender who knows it is not held up by that.
    const guesses = await Promise.all(Array.from({ length: 40 }, () => send(hint(), { token: 'guess' })));
    expect(guesses.at(-1)?.status).toBe(429);
    expect((await send(hint({ eventId: 'd' }), { token: next.token })).status).toBe(200);
  });

  it('takes 600 callouts of one token a minute, says when to come again, and reads for them no more than for messages [I3]', async () => {
    await using flow = await opened(openFresh);
    const { world, send, hint } = flow;
    const statuses: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const some = Array.from({ length: 51 }, async (_, k) => {
        const answer = await send(hint({ eventId: `flood-${n}-${k % 4}` }));
        if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        return answer.status;
      });
      // As many as the door takes at one time, and they are told that.
      statuses.push(...(await Promise.all(some)));
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(12);
    expect(new Set(statuses)).toEqual(new Set([200, 503, 429].filter((one) => statuses.includes(one))));
    expect(await world.calls(() => world.settle())).toBeLessThanOrEqual(4);
    world.clock.advance(60_000);
    expect((await send(hint({ eventId: 'later' }))).status).toBe(200);
  });

  it('says in the summary since when it is set up and when it was last used, of each door by itself [I3] [W5]', async () => {
    await using flow = await opened(openFresh);
    const { world, send, hint } = flow;
    const ask = door(world);
    const summary = async () => (await ask('GET', '/api/bots/demo/sync')).body;
    expect(await summary()).toMatchObject({ flowSince: expect.any(String) });
    expect(await summary()).not.toHaveProperty('flowUsedAt');
    await ask('POST', '/api/bots/demo/sync/inbound-token', {});
    await send(hint());
    expect(await summary()).toMatchObject({ flowUsedAt: expect.any(String), addressSince: expect.any(String) });
    expect(await summary()).not.toHaveProperty('addressUsedAt');
  });
});
