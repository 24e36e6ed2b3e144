import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { deliver } from '../../src/sync/webhooks/deliver.ts';
import { describeStores } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { createSyncWorld } from './world.ts';

describeStores((_name, openFresh) => {
  it('takes people and cases, gives them back, and adds the people that a case names and nobody knows [S3] [P4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    expect(
      await bodyOf(ask('PUT', '/api/parties/p1', { email: 'ada@example.com', name: 'Ada', custom: { shoeSize: 44 } })),
    ).toMatchObject({ externalId: 'p1', name: 'Ada', custom: { shoeSize: 44 }, version: 1 });
    expect(await bodyOf(ask('PUT', '/api/parties/p1', { phone: '1' }))).toMatchObject({
      name: 'Ada',
      phone: '1',
      version: 2,
    });
    expect(await bodyOf(ask('PUT', '/api/parties/p1', { phone: '1' }))).toMatchObject({ version: 2 });
    const parties = [
      { externalId: 'p1', role: 'complainant', name: 'must not overwrite' },
      { externalId: 'p9', role: 'respondent', name: 'Bob New', email: 'bob@example.com' },
    ];
    await ask('PUT', '/api/cases/c1', {
      title: 'Broken crane',
      status: 'open',
      amount: 100,
      expectedDate: '2026-06-30',
      parties,
    });
    expect(await bodyOf(ask('GET', '/api/parties/p1'))).toMatchObject({ name: 'Ada' });
    expect(await bodyOf(ask('GET', '/api/parties/p9'))).toMatchObject({ name: 'Bob New' });
    const outcome = await world.case('c1');
    expect(outcome).toMatchObject({ operation: 'create', object: 'Opportunity' });
    expect(outcome.roles.map((role) => [role.party, role.role])).toEqual([
      ['p1', 'Complainant'],
      ['p9', 'Respondent'],
    ]);
    expect(await world.records()).toHaveLength(2);
    expect(await world.records('OpportunityContactRole')).toEqual([
      expect.objectContaining({ Role: 'Complainant', IsPrimary: true }),
      expect.objectContaining({ Role: 'Respondent' }),
    ]);
    // People leave and change roles; what colleagues added stays.
    const deal = outcome.id;
    await ask('PUT', '/api/cases/c1', { status: 'in_progress', parties: [{ externalId: 'p9', role: 'complainant' }] });
    world.clock.advance(60_000);
    await world.settle();
    expect((await world.records('OpportunityContactRole')).map((role) => role.Role)).toEqual(['Complainant']);
    expect((await world.records('Opportunity'))[0]).toMatchObject({
      Id: deal,
      StageName: 'Qualification',
      CloseDate: '2026-06-30',
      Amount: 100,
    });
    expect(await bodyOf(ask('DELETE', '/api/parties/p1'))).toEqual({ deleted: true });
    await expect(ask('GET', '/api/parties/p1')).rejects.toMatchObject({ code: 'not_found' });
    await expect(ask('DELETE', '/api/parties/p1')).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['PUT', '/api/parties/p1', { emial: 'x' }],
    ['PUT', '/api/parties/p1', { email: 'not an email', phone: 'x'.repeat(41) }],
    ['PUT', '/api/parties/a%2Fb', { name: 'x' }],
    ['PUT', '/api/parties/p1', { name: 'nul\u0000' }],
    ['PUT', '/api/parties/p1', { custom: { __proto__: 1, constructor: {} } }],
    ['PUT', '/api/parties/p1', 'text'],
    ['PUT', '/api/parties/p1', {}],
    ['PUT', '/api/parties/p1', null],
    ['PUT', '/api/parties/p1', undefined],
    ['PUT', '/api/cases/c1', {}],
    ['PUT', '/api/parties', { parties: [] }],
    ['PUT', '/api/cases/c1', { amount: 'much' }],
    ['PUT', '/api/cases/c1', { expectedDate: '2026-02-31' }],
    ['PUT', '/api/cases/c1', { parties: [{ externalId: 'p', role: 'judge' }] }],
    ['GET', '/api/changes?after=-1', undefined],
    ['GET', '/api/bots/demo/sync/logs?before=garbage', undefined],
    ['GET', '/api/bots/demo/sync/logs?since=yesterday', undefined],
    ['GET', '/api/bots/demo/sync/logs?conflict=perhaps', undefined],
    ['GET', '/api/crm/sync-logs?platform=hubspot', undefined],
    ['POST', '/api/crm/salesforce/sync', {}],
    ['PUT', '/api/bots/demo/mappings/party', { mapping: {}, version: 0 }],
    ['POST', '/api/bots/demo/sync/links', { kind: 'party', localId: 'p1', recordId: 'short' }],
    ['PUT', '/api/bots/demo/sync/webhook', { url: 'http://10.0.0.1/hook' }],
    ['PUT', '/api/bots/demo/sync/subscriptions/Opportunity', { fields: ['StageNam'] }],
  ])('refuses %s %s with %j and says which field', async (method, path, body) => {
    await using world = await createSyncWorld(openFresh);
    await expect(door(world)(method, path, body)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await world.store.hosts.page('demo', 'party', '', 10)).toEqual([]);
  });

  it.each([
    ['/api/parties/p1', { custom: { name: 7 } }, 'custom.name'],
    ['/api/parties', { parties: [{ externalId: 'p1', custom: { email: 'nobody' } }] }, 'parties.0.custom.email'],
    ['/api/cases/c1', { custom: { amount: 'lots' } }, 'custom.amount'],
    [
      '/api/cases/c1',
      { parties: [{ externalId: 'p1', role: 'other', custom: { phone: 1 } }] },
      'parties.0.custom.phone',
    ],
  ])('takes no field of its own as a custom one: %s %j', async (path, body, name) => {
    await using world = await createSyncWorld(openFresh);
    await expect(door(world)('PUT', path, body)).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [{ name, problem: expect.stringMatching(/^\w+ is a field of its own: send it beside custom$/) }],
    });
  });

  const rules = (rule: object) => ({ kind: 'party', object: 'Contact', rules: [{ remote: 'Phone', ...rule }] });
  const check = '/api/bots/demo/mappings/party/check';
  it.each<[string, string, unknown, string, string]>([
    ['PUT', '/api/parties/a%2Fb', { name: 'x' }, 'id', 'letters, digits and . _ : @ + = ~ -, at most 128'],
    ['PUT', '/api/parties/p1', { emial: 'x' }, 'emial', 'is not known here'],
    ['PUT', '/api/parties/p1', undefined, '(body)', 'name at least one field'],
    ['PUT', '/api/cases/c1', { expectedDate: 'soon' }, 'expectedDate', 'a date such as 2026-05-31'],
    ['PUT', '/api/cases/c1', { expectedDate: '2026-02-31' }, 'expectedDate', 'a day that the calendar has'],
    [
      'PUT',
      '/api/parties/p1',
      { custom: { size: {} } },
      'custom.size',
      'a text of at most 32,000 characters, a number, true, false or null',
    ],
    [
      'PUT',
      '/api/parties/p1',
      { custom: { size: ['Lifts', 'Cranes'] } },
      'custom.size',
      'no list: write several choices as one text, such as "Red;Green"',
    ],
    ['GET', '/api/bots/demo/mappings/zebra', undefined, 'kind', 'must be one of party, case'],
    [
      'POST',
      check,
      rules({ local: '1st' }),
      'mapping.rules.0.local',
      'a host field is a letter, then letters, digits or _; here one or a list of at most 10',
    ],
    [
      'POST',
      check,
      rules({ local: 'phone', transforms: [{ use: 'upper' }] }),
      'mapping.rules.0.transforms.0.use',
      'one of split_name, join_name, trim, lower, date, template, default, values',
    ],
    [
      'POST',
      check,
      rules({ local: 'phone', transforms: ['trim'] }),
      'mapping.rules.0.transforms.0',
      'an object such as {"use":"trim"}',
    ],
    [
      'POST',
      '/api/bots/demo/sync/retry',
      {},
      '(body)',
      'either {"kind", "localIds"}, or {"failed": true} with or without "kind" and "problem"',
    ],
  ])('says once and in words what is wrong with %s %s %j', async (method, path, body, name, problem) => {
    await using world = await createSyncWorld(openFresh);
    await expect(door(world)(method, path, body)).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [{ name, problem }],
    });
  });

  it('says of a custom name that is none what a name is', async () => {
    await using world = await createSyncWorld(openFresh);
    await expect(door(world)('PUT', '/api/parties/p1', { custom: { 'shoe-size': 44 } })).rejects.toMatchObject({
      fields: [{ name: 'custom.shoe-size', problem: 'a custom name is a letter, then letters, digits or _' }],
    });
  });

  it('keeps a record to a hundred custom fields, however few come at a time, so that it can be sent back [P4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const named = (from: number, to: number, value: string | null) =>
      Object.fromEntries(Array.from({ length: to - from }, (_, n) => [`f${from + n}`, value]));
    const put = (custom: object) => ask('PUT', '/api/parties/p1', { custom });
    await put(named(0, 60, 'x'));
    await expect(put(named(60, 101, 'x'))).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [{ name: 'custom', problem: 'at most 100 custom fields' }],
    });
    const twice = [named(0, 60, 'x'), named(60, 120, 'x')].map((custom) => ({ externalId: 'p2', custom }));
    await expect(ask('PUT', '/api/parties', { parties: twice })).rejects.toMatchObject({ code: 'invalid_input' });
    // Cleared ones make room, and the whole record goes in again as it came out.
    await put(named(0, 60, null));
    await put(named(60, 160, 'x'));
    await expect(put({ f0: 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
    const whole = await bodyOf(ask('GET', '/api/parties/p1'));
    expect(Object.keys(whole.custom as object)).toHaveLength(160);
    expect(await bodyOf(ask('PUT', '/api/parties/p1', whole))).toEqual(whole);
  });

  it('takes back what it answered [P4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const parties = [{ externalId: 'p1', role: 'complainant', name: 'Ada' }];
    await ask('PUT', '/api/cases/c1', { title: 'Crane', custom: { floor: 3 }, parties });
    for (const path of ['/api/parties/p1', '/api/cases/c1', '/api/parties', '/api/cases']) {
      const answer = await bodyOf(ask('GET', path));
      expect(await bodyOf(ask('PUT', path, answer))).toEqual(answer);
    }
    for (const path of ['/api/parties/p1', '/api/cases/c1'])
      await expect(ask('PUT', path, { externalId: 'x1' })).rejects.toMatchObject({
        code: 'invalid_input',
        fields: [{ name: 'externalId', problem: 'is another id than the path names' }],
      });
    for (const kind of ['party', 'case']) {
      const path = `/api/bots/demo/mappings/${kind}`;
      const answer = await bodyOf(ask('GET', path));
      expect(await bodyOf(ask('POST', `${path}/check`, answer))).toMatchObject({ problems: [] });
      expect(await bodyOf(ask('POST', `${path}/check`, answer.mapping))).toMatchObject({ problems: [] });
      expect(await bodyOf(ask('PUT', path, answer))).toMatchObject({ version: 1, links: 0 });
      expect(await bodyOf(ask('GET', path))).toMatchObject({ mapping: answer.mapping, version: 1 });
    }
  });

  it('syncs now and shows the log in the fixed form [W9] [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/parties/p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '+1234567890' });
    const connectorId = (await world.fresh.store.connections.get('demo'))?.id;
    const synced = await bodyOf(ask('POST', '/api/crm/salesforce/sync', { customerId: 'p1', connectorId }));
    expect(synced).toMatchObject({ status: 'success', operation: 'create', direction: 'to_crm' });
    const { logs } = await bodyOf(ask('GET', '/api/crm/sync-logs?customerId=p1&platform=salesforce'));
    expect(logs).toEqual([
      {
        id: expect.any(String),
        operation: 'create',
        direction: 'to_crm',
        status: 'success',
        crmRecordId: synced.crmRecordId,
        changes: { Email: 'ada@example.com', FirstName: 'Ada', LastName: 'Lovelace', Phone: '+1234567890' },
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    await expect(
      ask('POST', '/api/crm/salesforce/sync', { customerId: 'p1', connectorId: 'another' }),
    ).rejects.toMatchObject({ code: 'not_found' });
    await expect(ask('POST', '/api/crm/salesforce/sync', { customerId: 'nobody' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('lists subscriptions, by the names that Salesforce gives their fields, and ends them [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const path = '/api/bots/demo/sync/subscriptions';
    expect(await bodyOf(ask('GET', path))).toEqual({ subscriptions: [] });
    const asked = { object: 'Opportunity', fields: ['StageName', 'Amount'] };
    expect(await bodyOf(ask('PUT', `${path}/opportunity`, { fields: ['stagename', 'Amount'] }))).toEqual(asked);
    expect(await bodyOf(ask('GET', path))).toEqual({ subscriptions: [asked] });
    await ask('DELETE', `${path}/Opportunity`);
    expect(await bodyOf(ask('GET', path))).toEqual({ subscriptions: [] });
  });

  it('starts a batch, shows its progress and its times, and stops it [S3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    for (const id of ['a', 'b', 'c']) await ask('PUT', `/api/parties/${id}`, { name: id });
    const batches = '/api/bots/demo/sync/batches';
    const { id, ...started } = await bodyOf(ask('POST', batches, { kind: 'party', size: 2 }));
    const createdAt = new Date(world.clock.now).toISOString();
    expect(started).toMatchObject({ state: 'running', total: 3, batches: 2, batchesDone: 0, createdAt });
    expect(await bodyOf(ask('POST', `${batches}/${id}/pause`))).toMatchObject({ state: 'paused' });
    expect(await bodyOf(ask('POST', `${batches}/${id}/resume`))).toMatchObject({ state: 'running' });
    await world.worker.turn('demo');
    const done = { state: 'done', done: 3, failed: 0, batchesDone: 2, finishedAt: createdAt };
    expect(await bodyOf(ask('GET', `${batches}/${id}`))).toMatchObject(done);
    const startAt = new Date(world.clock.now + 3_600_000).toISOString();
    const later = await bodyOf(ask('POST', batches, { kind: 'case', startAt }));
    expect(later).toMatchObject({ state: 'scheduled', startAt });
    expect((await bodyOf(ask('GET', batches))).batches).toHaveLength(2);
    expect(await bodyOf(ask('POST', `${batches}/${later.id}/cancel`))).toMatchObject({ state: 'cancelled' });
    await expect(ask('GET', `${batches}/nothing`)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('sends signed webhooks in order, repeats after a failure with the same id, and keeps the feed [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const got: { id: string; body: string; isSigned: boolean }[] = [];
    let status = 200;
    let secret = '';
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers;
        const expected = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
          .update(`${id}.${at}.${body}`)
          .digest('base64');
        got.push({ id: String(id), body, isSigned: signature === `v1,${expected}` });
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    secret = (await bodyOf(ask('PUT', '/api/bots/demo/sync/webhook', { url }))).secret;
    expect(JSON.stringify(await world.store.webhooks.get('demo'))).not.toContain(secret.slice(6));
    await ask('PUT', '/api/parties/p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    const { crmRecordId } = await bodyOf(ask('POST', '/api/crm/salesforce/sync', { customerId: 'p1' }));
    for (const title of ['B', 'C']) {
      world.clock.advance(60_000);
      await world.edit(crmRecordId, { Title: title });
      await world.settle();
    }
    status = 500;
    expect(await deliver(world.delivery, 'demo')).toBe(0);
    expect(await deliver(world.delivery, 'demo')).toBe(0);
    status = 200;
    world.clock.advance(60_000);
    await Promise.all([deliver(world.delivery, 'demo'), deliver(world.delivery, 'demo')]);
    server.close();
    expect(got.every((one) => one.isSigned)).toBe(true);
    expect(got[1]?.id).toBe(got[0]?.id);
    expect(got.slice(1).map((one) => JSON.parse(one.body).data.changes.jobTitle.after)).toEqual(['B', 'C']);
    const { changes, next } = await bodyOf(ask('GET', '/api/changes?after=0'));
    expect(changes.map((change: { type: string }) => change.type)).toEqual(['party.updated', 'party.updated']);
    expect(await bodyOf(ask('GET', `/api/changes?after=${next}`))).toEqual({ changes: [], next });
    expect(await bodyOf(ask('GET', '/api/bots/demo/sync/webhook'))).toMatchObject({
      state: 'on',
      waiting: 0,
      problem: null,
    });
  });
});
