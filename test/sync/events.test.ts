import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { receiveMessage } from '../../src/sync/inbound/receive.ts';
import { rotateToken } from '../../src/sync/inbound/tokens.ts';
import { deliver, setWebhook } from '../../src/sync/webhooks/deliver.ts';
import { describeStores } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { soapMessage as message, ORG } from './soap.ts';
import { Crash, crashAt, createSyncWorld, pair, type SyncWorld } from './world.ts';

async function linked(world: SyncWorld, id = 'p1') {
  await world.put(id, { email: `${id}@example.com`, name: 'Ada Lovelace', phone: '1', jobTitle: 'A' });
  const outcome = await world.party(id);
  world.clock.advance(60_000);
  return outcome.id;
}

function receiver(world: SyncWorld, crash?: Parameters<SyncWorld['process']>[0]) {
  return {
    store: world.process(crash).store,
    now: () => world.clock.now,
    newId: () => crypto.randomUUID(),
    owner: 'door',
    wait: async () => {},
    policyOf: async (bot: string) => (await world.fresh.store.bots.get(bot))?.policy,
    connectionOf: (bot: string) => world.fresh.store.connections.get(bot),
    onChange() {},
    ...(crash?.crash ? { crash: crash.crash } : {}),
  };
}

describeStores((_name, openFresh) => {
  it('has one effect however often, in whatever order and beside polls an event comes [sync-P9] [I1]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    const token = await rotateToken(receiver(world), 'address', 'demo');
    await world.edit(id, { Title: 'B' });
    const deps = receiver(world);
    const answers = await Promise.all(Array.from({ length: 8 }, () => receiveMessage(deps, token, message([id, id]))));
    expect(answers.every((answer) => answer.status === 200 && answer.body.includes('<Ack>true</Ack>'))).toBe(true);
    await Promise.all([world.inbox(), world.process().inbox(), world.poll()]);
    await world.settle();
    await receiveMessage(deps, token, message([id]));
    await world.settle();
    expect((await world.host('p1')).fields.jobTitle).toBe('B');
    expect((await world.log('p1')).filter((row) => row.direction === 'from_crm')).toHaveLength(1);
    expect((await world.store.feed.after('demo', 0, 10)).filter((row) => row.type === 'updated')).toHaveLength(1);
  });

  it('does not count a hint as done that came while it read [sync-P9]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await linked(world, 'p2');
    await world.settle();
    await world.put('p1', { phone: '2' });
    await world.put('p2', { phone: '2' });
    let isDone = false;
    const reading = world.process({
      settings: { freshMs: 0 },
      crash: async (point) => {
        if (point !== 'read' || isDone) return;
        isDone = true;
        await world.edit(id, { Title: 'after the read' });
        await receiveMessage(receiver(world), await rotateToken(receiver(world), 'address', 'demo'), message([id]));
        await world.inbox();
      },
    });
    await reading.sync.runner.runAllDue('demo', await reading.org());
    // No poll: the hint alone must bring it.
    await world.sync.runner.runAllDue('demo', await world.org());
    expect((await world.host('p1')).fields.jobTitle).toBe('after the read');
  });

  it('acknowledges only what is stored: a crash before the commit sends no Ack, one after it loses nothing [sync-P10]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    const token = await rotateToken(receiver(world), 'address', 'demo');
    await world.edit(id, { Title: 'B' });
    const deps = receiver(world);
    const broken = {
      ...deps,
      store: { ...deps.store, atomically: () => Promise.reject(new Crash('before the commit')) },
    };
    expect(await receiveMessage(broken, token, message([id]))).toMatchObject({
      status: 500,
      body: expect.not.stringContaining('<Ack>true'),
    });
    expect(await world.inbox()).toBe(0);
    // Stored, and the answer never left: Salesforce sends it again, and it is one event.
    expect(
      await receiveMessage(receiver(world, { crash: crashAt('inbox-stored') }), token, message([id])),
    ).toMatchObject({ status: 500 });
    expect(await receiveMessage(deps, token, message([id]))).toMatchObject({ status: 200 });
    expect(await world.inbox()).toBe(1);
    await world.settle();
    expect((await world.host('p1')).fields.jobTitle).toBe('B');
  });

  it('refuses a message of another org, with an unknown or an old token, or that is none; a rotated token ends in time [I1] [sync-P32]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    const deps = receiver(world);
    const old = await rotateToken(deps, 'address', 'demo');
    const token = await rotateToken(deps, 'address', 'demo', 3_600_000);
    expect(await receiveMessage(deps, token, message([id], '', '00D5i000000AnotEAB'))).toMatchObject({ status: 403 });
    expect(await receiveMessage(deps, token, message([id], '', ORG.slice(0, 15)))).toMatchObject({ status: 200 });
    expect(await receiveMessage(deps, 'nobody', message([id]))).toMatchObject({ status: 404 });
    expect(await receiveMessage(deps, token, 'hello')).toMatchObject({ status: 400 });
    expect(await receiveMessage(deps, old, message([id]))).toMatchObject({ status: 200 });
    world.clock.advance(3_600_001);
    expect(await receiveMessage(deps, old, message([id]))).toMatchObject({ status: 404 });
    expect(JSON.stringify(await deps.store.tokens.list('demo'))).not.toContain(token);
  });

  it('takes what the simulated org really sends, 100 notifications a message, and costs one read for all [I1] [S6]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ids = Array.from({ length: 150 }, (_, n) => `p${String(n).padStart(3, '0')}`);
    await world.sync.hosts.put(
      'demo',
      'party',
      ids.map((id) => ({ id, fields: { email: `${id}@example.com`, name: `Person ${id}` } })),
    );
    await world.sync.runner.runAllDue('demo', await world.org());
    world.clock.advance(60_000);
    const token = await rotateToken(receiver(world), 'address', 'demo');
    const sizes: number[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        sizes.push(body.split('<Notification>').length - 1);
        receiveMessage(receiver(world), token, body).then(
          (answer) => response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body),
          () => response.destroy(),
        );
      });
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    await world.control('POST', 'outbound-messages', {
      object: 'Contact',
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      fields: ['Title', 'LastModifiedDate'],
    });
    for (const record of await world.records()) await world.edit(String(record.Id), { Title: 'everybody' });
    for (let n = 0; n < 10 && sizes.reduce((sum, size) => sum + size, 0) < 150; n++)
      await world.control('POST', 'outbound-messages/deliver');
    server.close();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    const calls = await world.calls(async () => {
      await world.inbox();
      await world.sync.runner.runAllDue('demo', await world.org());
    });
    expect(calls).toBe(1);
    expect((await world.host('p149')).fields.jobTitle).toBe('everybody');
  });

  it('tells the host app of a pull and of every change of a subscribed object, each once [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await world.store.subscriptions.put({ bot: 'demo', object: 'Opportunity', fields: ['StageName', 'Amount'] });
    await world.poll();
    const deal = await world.add(
      { Name: 'Deal', StageName: 'Closed Won', CloseDate: '2026-06-01', Amount: 5 },
      'Opportunity',
    );
    await world.edit(id, { Title: 'B' });
    await world.settle();
    await world.settle();
    const feed = (await world.store.feed.after('demo', 0, 100)).filter(
      (row) => row.type === 'updated' || row.type === 'record',
    );
    expect(feed.filter((row) => row.kind === 'record')).toEqual([
      expect.objectContaining({
        sfId: deal,
        changes: { StageName: { before: null, after: 'Closed Won' }, Amount: { before: null, after: 5 } },
      }),
    ]);
    expect(feed.filter((row) => row.kind === 'party')).toEqual([
      expect.objectContaining({ localId: 'p1', changes: { jobTitle: { before: 'A', after: 'B' } } }),
    ]);
    expect(pair(await world.host('p1'), (await world.records())[0]).host.jobTitle).toBe('B');
  });
  it('tells what the record holds, in the types it has, and nothing that a message claims of it [S7] [K3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const deal = await world.add(
      { Name: 'Deal', StageName: 'Prospecting', CloseDate: '2026-06-01', Amount: 5.5 },
      'Opportunity',
    );
    const id = await linked(world);
    const fields = ['Name', 'Amount', 'StageName', 'IsWon'];
    await world.store.subscriptions.put({ bot: 'demo', object: 'Opportunity', fields });
    const deps = receiver(world);
    const token = await rotateToken(deps, 'address', 'demo');
    const forged =
      '<sf:StageName>Closed Won</sf:StageName><sf:Amount>99999999</sf:Amount><sf:IsDeleted>true</sf:IsDeleted>';
    const never = '0065i00000ZZZZZAAA';
    const about = (ids: string[], first: number) =>
      message(ids, forged, undefined, first).replaceAll('sf:Contact', 'sf:Opportunity');
    // A contact's id under another object's name, an id that nobody has, one that is none, and the real one, three times.
    const ids = [id, never, '006!!'.padEnd(15, '0').replaceAll('!', 'x'), deal, deal];
    expect(await receiveMessage(deps, token, about(ids, 0))).toMatchObject({ status: 200 });
    expect(await receiveMessage(deps, token, about([deal], 9))).toMatchObject({ status: 200 });
    const toldOf = async () => (await world.store.feed.after('demo', 0, 100)).filter((row) => row.kind === 'record');
    expect(await world.calls(() => world.inbox())).toBe(1);
    const truth = { Name: 'Deal', Amount: 5.5, StageName: 'Prospecting', IsWon: false };
    const changes = Object.fromEntries(Object.entries(truth).map(([name, after]) => [name, { before: null, after }]));
    expect((await toldOf()).map((row) => [row.sfId, row.changes])).toEqual([[deal, changes]]);
    // Once for all that name the same state: later messages, and the poll.
    await receiveMessage(deps, token, about([deal], 20));
    await world.poll();
    await world.inbox();
    expect(await toldOf()).toHaveLength(1);
    await world.edit(deal, { StageName: 'Qualification' }, 'Opportunity');
    await world.poll();
    await world.inbox();
    expect((await toldOf()).map((row) => row.changes.StageName?.after)).toEqual(['Prospecting', 'Qualification']);
  });

  it('what was told last is what the record holds, also when it went there and back within one second [S7] [K3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const deal = await world.add({ Name: 'Deal', StageName: 'Prospecting', CloseDate: '2026-09-01' }, 'Opportunity');
    await world.store.subscriptions.put({ bot: 'demo', object: 'Opportunity', fields: ['StageName'] });
    const deps = receiver(world);
    const token = await rotateToken(deps, 'address', 'demo');
    const stages = ['Prospecting', 'Qualification', 'Prospecting'];
    for (const [at, StageName] of stages.entries()) {
      if (at > 0) await world.edit(deal, { StageName }, 'Opportunity');
      for (const again of [0, 1]) {
        const body = message([deal], '', undefined, 10 * at + again).replaceAll('sf:Contact', 'sf:Opportunity');
        await receiveMessage(deps, token, body);
        await world.inbox();
      }
    }
    const told = (await world.store.feed.after('demo', 0, 100)).filter((row) => row.kind === 'record');
    expect(told.map((row) => row.changes.StageName?.after)).toEqual(stages);
    // A reader that was slower than the others brings what the record held before: it is not told over what came since.
    const at = (stamp: string, key: string) => ({ sfId: deal, stamp, key });
    const scope = { bot: 'demo', orgId: (await world.org()).orgId };
    expect(await world.store.told.news(scope, [at('2026-01-01T00:00:00.000Z', 'older')], 1)).toEqual([]);
  });

  it('never tells a field that policy closes, whichever way it is told of and whenever it was closed [P5] [K3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const row = await world.fresh.store.bots.get('demo');
    if (!row) throw new Error('no bot');
    const close = async (rules: Partial<Policy['objects'][string]>) => {
      const now = await world.fresh.store.bots.get('demo');
      if (!now) throw new Error('no bot');
      const Opportunity = { ...row.policy.objects.Opportunity, ...rules } as Policy['objects'][string];
      const policy = { ...row.policy, objects: { ...row.policy.objects, Opportunity } };
      await world.fresh.store.bots.savePolicy('demo', policy, 'ada', world.clock.now, now.policyRevision);
    };
    const ask = door(world);
    const subscribe = (fields: string[]) => ask('PUT', '/api/bots/demo/sync/subscriptions/Opportunity', { fields });
    await close({ denyFields: ['Amount'], maskFields: ['NextStep'] });
    for (const name of ['Amount', 'amount', 'NextStep'])
      await expect(subscribe(['Name', name])).rejects.toMatchObject({ code: 'permission_denied' });
    await close({ read: false });
    await expect(subscribe(['Name'])).rejects.toMatchObject({ code: 'permission_denied' });
    await close({});
    await subscribe(['Name', 'Amount', 'NextStep', 'Type']);
    await world.poll();
    const values = {
      Name: 'Deal',
      StageName: 'Prospecting',
      CloseDate: '2026-06-01',
      Amount: 77_001,
      NextStep: 'secret 77002',
    };
    const deal = await world.add(values, 'Opportunity');
    await world.poll();
    await world.inbox();
    world.clock.advance(60_000);
    await close({ denyFields: ['Amount'], maskFields: ['NextStep'] });
    // What stands in the feed already, what a poll finds, and what a message names.
    await world.edit(deal, { Type: 'New Customer' }, 'Opportunity');
    await world.poll();
    await world.inbox();
    const deps = receiver(world);
    world.clock.advance(60_000);
    await world.edit(deal, { Type: 'Existing Customer' }, 'Opportunity');
    await receiveMessage(
      deps,
      await rotateToken(deps, 'address', 'demo'),
      message([deal]).replace('sf:Contact', 'sf:Opportunity'),
    );
    await world.inbox();
    const bodies: string[] = [];
    const server = createServer(async (request, response) => {
      bodies.push(await text(request));
      response.writeHead(204).end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    await world.store.webhooks.put({
      bot: 'demo',
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      secret: world.delivery.cipher.encrypt('whsec_AAAA'),
      ...{ delivered: 0, attempts: 0, nextAt: 0, leaseUntil: 0, state: 'on', lastError: null },
    });
    expect(await deliver(world.delivery, 'demo')).toBe(3);
    server.close();
    const { changes } = await bodyOf(ask('GET', '/api/changes'));
    expect(changes).toHaveLength(3);
    for (const told of [JSON.stringify(changes), bodies.join()]) {
      expect(told).toContain('Existing Customer');
      expect(told).not.toMatch(/7700[12]|Amount|NextStep/);
    }
  });

  it('reads at a rate of its own, however many messages come: a flood waits and is read together [K3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await linked(world);
    await world.worker.turn('demo');
    const deps = receiver(world);
    const token = await rotateToken(deps, 'address', 'demo');
    let sent = 0;
    const flood = async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) {
        await receiveMessage(deps, token, message([id], '', undefined, sent++));
        await world.worker.turn('demo');
      }
    };
    const calls = await world.calls(() => flood(60));
    expect(calls).toBeLessThanOrEqual(31);
    world.clock.advance(11_000);
    // Nothing is lost: the next look takes all that came.
    await world.edit(id, { Title: 'during the flood' });
    await world.worker.turn('demo');
    expect((await world.host('p1')).fields.jobTitle).toBe('during the flood');
    const { orgId } = await world.org();
    expect(await world.store.inbox.pending({ bot: 'demo', orgId }, 100)).toEqual([]);
  });

  it('loses no message when the webhook is set again: a new secret, a new address, or on again after 410 [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const tell = (localId: string) =>
      world.store.feed.add('demo', [
        { type: 'updated', kind: 'party', localId, object: 'Contact', sfId: null, changes: {}, at: 0 },
      ]);
    const got: string[] = [];
    let status = 500;
    const server = createServer(async (request, response) => {
      const { data } = JSON.parse(await text(request));
      if (status === 200) got.push(`${request.url} ${data.id}`);
      response.writeHead(status).end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { delivery: deps } = world;
    await tell('before the first');
    await setWebhook(deps, 'demo', `${base}/one`);
    await tell('a');
    expect(await deliver(deps, 'demo')).toBe(0);
    const old = (await world.store.webhooks.get('demo'))?.secret;
    await setWebhook(deps, 'demo', `${base}/two`);
    expect(await world.store.webhooks.get('demo')).toMatchObject({ attempts: 0, lastError: null });
    expect((await world.store.webhooks.get('demo'))?.secret).not.toBe(old);
    status = 410;
    expect(await deliver(deps, 'demo')).toBe(0);
    await tell('b');
    await setWebhook(deps, 'demo', `${base}/two`);
    status = 200;
    expect(await deliver(deps, 'demo')).toBe(2);
    server.close();
    expect(got).toEqual(['/two a', '/two b']);
  });
});
