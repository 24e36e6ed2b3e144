import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createSealedText } from '../../src/store/sealed-text.ts';
import { deliver } from '../../src/sync/deliver.ts';
import { syncRoutes } from '../../src/sync/routes/mount.ts';
import type { RouteAnswer, RouteDeps, RouteRequest } from '../../src/sync/routes/route.ts';
import { describeStores } from '../support/databases.ts';
import { createSyncWorld, type SyncWorld } from './world.ts';

function depsOf(world: SyncWorld): RouteDeps {
  return {
    sync: world.sync,
    store: world.store,
    now: () => world.clock.now,
    newId: () => crypto.randomUUID(),
    owner: 'door',
    wait: async () => {},
    policyOf: async (bot) => (await world.fresh.store.bots.get(bot))?.policy,
    connectionOf: (bot) => world.fresh.store.connections.get(bot),
    connectorOf: async (bot) => (await world.fresh.store.connections.get(bot))?.id,
    connectionStatus: (bot) => world.connections.status(bot),
    noteEvent: (bot, at) => world.fresh.store.connections.patch(bot, { lastEventAt: at }),
    openOrg: (bot) => world.org(bot),
    onChange() {},
    hasBot: async (bot) => (await world.fresh.store.bots.get(bot)) !== undefined,
    publicUrl: 'https://gate.example',
    seal: createSealedText('a secret of this test', 'webhooks'),
    fetch,
  };
}

type Ask = (method: string, path: string, body?: unknown, more?: Partial<RouteRequest>) => Promise<RouteAnswer>;

function door(world: SyncWorld): Ask {
  const routes = syncRoutes(depsOf(world));
  return async (method, target, body, more = {}) => {
    const url = new URL(target, 'http://door');
    for (const route of routes) {
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
      const match = new RegExp(`^${route.path.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(url.pathname);
      if (!match || route.method !== method) continue;
      const params = Object.fromEntries(names.map((name, n) => [name, decodeURIComponent(match[n + 1] ?? '')]));
      return route.handle({
        bot: route.key === 'host' ? 'demo' : '',
        params,
        query: Object.fromEntries(url.searchParams),
        body,
        text: '',
        principal: 'test',
        signal: new AbortController().signal,
        ...more,
      });
    }
    throw new Error(`no route ${method} ${target}`);
  };
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of answers
const bodyOf = async (answer: Promise<RouteAnswer>): Promise<any> => (await answer).body;

/** The rows of an export. */
async function linesOf(answer: Promise<RouteAnswer>) {
  const { status, body, contentType } = await answer;
  expect([status, contentType]).toEqual([200, 'application/jsonl']);
  let text = '';
  for await (const part of body as AsyncIterable<string>) text += part;
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

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
    ['PUT', '/api/parties/p1', undefined, 'body', 'is missing'],
    ['PUT', '/api/cases/c1', { expectedDate: 'soon' }, 'expectedDate', 'a date such as 2026-05-31'],
    ['PUT', '/api/cases/c1', { expectedDate: '2026-02-31' }, 'expectedDate', 'a day that the calendar has'],
    [
      'PUT',
      '/api/parties/p1',
      { custom: { size: [44] } },
      'custom.size',
      'a text of at most 32,000 characters, a number, true, false or null',
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
      'body',
      'either {"kind", "localIds"}, or {"failed": true} with or without "kind"',
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

  it('shows each trouble people meet in log and links with its cure, exports, and retries [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/cases/c1', { title: 'Won for nothing', status: 'resolved' });
    await world.case('c1').catch(() => {});
    const { logs } = await bodyOf(ask('GET', '/api/bots/demo/sync/logs?status=failed'));
    expect(logs).toEqual([
      expect.objectContaining({
        localId: 'c1',
        operation: 'none',
        calls: expect.any(Number),
        error: expect.objectContaining({
          code: 'validation_rule',
          next: expect.any(String),
          salesforce: expect.objectContaining({ quote: 'A won opportunity needs an amount.' }),
        }),
      }),
    ]);
    const { links } = await bodyOf(ask('GET', '/api/bots/demo/sync/links?state=failed'));
    expect(links).toHaveLength(1);
    expect((await linesOf(ask('GET', '/api/bots/demo/sync/logs?format=jsonl'))).map((row) => row.localId)).toEqual([
      'c1',
    ]);
    await world.control('POST', 'settings', { validation: false });
    expect(await bodyOf(ask('POST', '/api/bots/demo/sync/retry', { failed: true }))).toEqual({ retried: 1 });
    await world.settle();
    expect(await world.records('Opportunity')).toHaveLength(1);
    await expect(ask('GET', '/api/bots/nobody/sync/logs')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('exports the whole log, however long, and as much as a limit asks for [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await world.sync.hosts.put(
      'demo',
      'party',
      Array.from({ length: 1_234 }, (_, n) => ({
        id: `p${n}`,
        fields: { email: `p${n}@example.com`, name: `P ${n}` },
      })),
    );
    await world.sync.drain.all('demo', await world.org());
    const logs = '/api/bots/demo/sync/logs';
    const rows = await linesOf(ask('GET', `${logs}?format=jsonl`));
    expect(new Set(rows.map((row) => row.id)).size).toBe(1_234);
    expect(await linesOf(ask('GET', `${logs}?format=jsonl&limit=700`))).toEqual(rows.slice(0, 700));
    expect(await linesOf(ask('GET', `${logs}?format=jsonl&status=failed`))).toEqual([]);
    const page = await bodyOf(ask('GET', logs));
    expect(page.logs).toEqual(rows.slice(0, 100));
    expect((await bodyOf(ask('GET', `${logs}?before=${page.next}&limit=7`))).logs).toEqual(rows.slice(100, 107));
  });

  it('finds rows of the log by time, by operation, and those with a conflict [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const find = async (query: string) => {
      const { logs } = await bodyOf(ask('GET', `/api/bots/demo/sync/logs?${query}`));
      return logs.map((row: { localId: string; operation: string }) => `${row.localId} ${row.operation}`);
    };
    const iso = () => encodeURIComponent(new Date(world.clock.now).toISOString());
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', jobTitle: 'winner' });
    const { id } = await world.party('p1');
    world.clock.advance(60_000);
    const since = iso();
    await world.put('p2', { email: 'bob@example.com', name: 'Bob "winner":' });
    await world.party('p2');
    world.clock.advance(60_000);
    const until = iso();
    await world.edit(id, { Title: 'at Salesforce' });
    await world.put('p1', { jobTitle: 'at the host' });
    await world.party('p1');
    expect(await find(`since=${since}&until=${until}`)).toEqual(['p2 create']);
    expect(await find(`until=${since}`)).toEqual(['p1 create']);
    const { next } = await bodyOf(ask('GET', '/api/bots/demo/sync/logs?operation=create&limit=1'));
    expect(await find(`before=${next}&until=${until}`)).toEqual(['p1 create']);
    expect(await find(`before=${next}&since=${since}`)).toEqual([]);
    expect(await find('operation=create')).toEqual(['p2 create', 'p1 create']);
    const conflicts = await find('conflict=true');
    expect(new Set(conflicts)).toEqual(new Set(['p1 update']));
    expect(await find(`conflict=true&until=${until}`)).toEqual([]);
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

  it('saves a checked mapping; existing links follow in the fields that changed and in no other [sync-P27] [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    for (let n = 0; n < 5; n++)
      await ask('PUT', `/api/parties/p${n}`, {
        email: `p${n}@example.com`,
        name: `Person Nr${n}`,
        custom: { team: `Team ${n}` },
      });
    await world.settle();
    const stamps = new Map((await world.records()).map((record) => [record.Id, record.Phone]));
    const { mapping, version } = await bodyOf(ask('GET', '/api/bots/demo/mappings/party'));
    const bad = { ...mapping, rules: [...mapping.rules, { local: 'team', remote: 'Departmnt' }] };
    await expect(ask('PUT', '/api/bots/demo/mappings/party', { mapping: bad, version })).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [expect.objectContaining({ problem: expect.stringContaining('no field Departmnt') })],
    });
    const good = { ...mapping, rules: [...mapping.rules, { local: 'team', remote: 'Department' }] };
    expect(await bodyOf(ask('PUT', '/api/bots/demo/mappings/party', { mapping: good, version }))).toMatchObject({
      version: 1,
      links: 5,
    });
    await expect(ask('PUT', '/api/bots/demo/mappings/party', { mapping: good, version })).rejects.toMatchObject({
      code: 'conflict',
    });
    world.clock.advance(60_000);
    await world.settle();
    for (const record of await world.records()) expect(record.Department).toMatch(/^Team \d$/);
    const backfill = (await world.log()).filter((row) => row.operation === 'update');
    expect(backfill).toHaveLength(5);
    expect(backfill.every((row) => row.changes.length === 1 && row.changes[0]?.field === 'Department')).toBe(true);
    expect(stamps.size).toBe(5);
    const suggested = async () => (await bodyOf(ask('GET', '/api/bots/demo/mappings/party/suggestions'))).suggestions;
    expect(await suggested()).toEqual([]);
    await ask('PUT', '/api/parties/a-late-one', { custom: { fax: '+1 555', birthDate: '1980-01-02' } });
    expect(await suggested()).toEqual([
      expect.objectContaining({ confidence: expect.any(Number), reason: expect.stringContaining('Birthdate') }),
      expect.objectContaining({ rule: expect.objectContaining({ remote: ['Fax'] }) }),
    ]);
    const { lines } = await bodyOf(ask('POST', '/api/bots/demo/mappings/party/preview', { localId: 'p1' }));
    expect(lines).toEqual(
      expect.arrayContaining([expect.objectContaining({ rule: 'Department', sends: { Department: 'Team 1' } })]),
    );
  });

  it('asks the org anew before it says that a mapping does not fit, and only then [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const base = '/api/bots/demo/mappings/party';
    const calls = async (work: () => Promise<unknown>) => {
      const count = async () => (await world.control('GET', 'calls')).count;
      const before = await count();
      await work();
      return (await count()) - before;
    };
    const { mapping } = await bodyOf(ask('GET', base));
    const check = async () => (await bodyOf(ask('POST', `${base}/check`, mapping))).problems;
    const save = (version: number) => ask('PUT', base, { mapping, version });
    await world.control('POST', 'settings', { withoutFields: ['Contact.TimeZone__c'] });
    await (await world.org()).describe('Contact', { isFresh: true });
    const problem = { name: 'rules.6.remote', problem: 'Contact has no field TimeZone__c' };
    expect(await calls(async () => expect(await check()).toEqual([problem]))).toBe(1);
    await world.control('POST', 'settings', { withoutFields: [] });
    expect(await calls(() => save(0))).toBe(1);
    expect(await calls(() => save(1))).toBe(0);
    expect(await calls(async () => expect(await check()).toEqual([]))).toBe(0);
  });

  it('saves over the version in force and over no other [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const { mapping } = await bodyOf(ask('GET', '/api/bots/demo/mappings/case'));
    const save = (version: number) => ask('PUT', '/api/bots/demo/mappings/case', { mapping, version });
    await expect(save(500)).rejects.toMatchObject({ code: 'conflict', next: expect.stringMatching(/^Load it again/) });
    expect(await bodyOf(save(0))).toMatchObject({ version: 1 });
    await expect(save(2)).rejects.toMatchObject({ code: 'conflict' });
    await expect(save(0)).rejects.toMatchObject({ code: 'conflict' });
    const both = await Promise.allSettled([save(1), save(1)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await bodyOf(ask('GET', '/api/bots/demo/mappings/case'))).toMatchObject({ version: 2 });
  });

  it('refuses a mapping of the other kind wherever it takes one [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const { mapping, version } = await bodyOf(ask('GET', '/api/bots/demo/mappings/party'));
    const base = '/api/bots/demo/mappings/case';
    await ask('PUT', '/api/cases/c1', { title: 'Crane' });
    const refusal = { code: 'invalid_input', message: 'This is a mapping for a party.' };
    await expect(ask('PUT', base, { mapping, version })).rejects.toMatchObject(refusal);
    await expect(ask('POST', `${base}/check`, mapping)).rejects.toMatchObject(refusal);
    await expect(ask('POST', `${base}/preview`, { mapping, localId: 'c1' })).rejects.toMatchObject(refusal);
  });

  it('previews nothing but what is there [S4]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const id = await world.add({ LastName: 'Lovelace', Title: 'Countess' });
    const preview = (body?: unknown) => bodyOf(ask('POST', '/api/bots/demo/mappings/party/preview', body));
    await expect(preview({ localId: 'nobody' })).rejects.toMatchObject({ code: 'not_found' });
    for (const body of [{}, undefined])
      await expect(preview(body)).rejects.toMatchObject({
        code: 'invalid_input',
        fields: [{ name: 'body', problem: 'name a localId, a recordId or both' }],
      });
    const badId = { code: 'invalid_input', fields: [expect.objectContaining({ name: 'recordId' })] };
    for (const recordId of ['001000000000001AAA', `${id.slice(0, 15)}zzz`, 'short'])
      await expect(preview({ recordId })).rejects.toMatchObject(badId);
    await expect(preview({ recordId: '003000000000001' })).rejects.toMatchObject({ code: 'not_found' });
    const { lines } = await preview({ recordId: id.slice(0, 15) });
    expect(lines).toContainEqual(expect.objectContaining({ rule: 'Title', receives: { jobTitle: 'Countess' } }));
  });

  it('has one log row per effect with before and after; replayed, they rebuild both sides [sync-P31] [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = (
      await (async () => {
        await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1' });
        return world.party('p1');
      })()
    ).id;
    const calls = await world.calls(async () => {
      for (let n = 0; n < 6; n++) {
        world.clock.advance(60_000);
        if (n % 2 === 0) await world.put('p1', { phone: `host ${n}`, jobTitle: `host ${n}` });
        if (n % 3 !== 1) await world.edit(id, { Title: `salesforce ${n}` }, 'Contact', world.clock.now + 1_000);
        world.clock.advance(10_000);
        await world.sync.drain.all('demo', await world.org());
      }
      await world.party('p1');
    });
    const rows = [...(await world.log('p1'))].reverse();
    const crm = new Map<string, unknown>();
    const host = new Map<string, unknown>();
    for (const row of rows)
      for (const change of row.changes) (row.direction === 'to_crm' ? crm : host).set(change.field, change.after);
    const [record] = await world.records();
    expect(crm.get('Phone')).toBe(record?.Phone);
    expect((await world.host('p1')).fields.jobTitle).toBe(record?.Title);
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
    expect(rows.every((row) => row.changes.every((change) => 'before' in change && 'after' in change))).toBe(true);
    const counted = rows.slice(1).reduce((sum, row) => sum + row.calls, 0);
    expect(counted).toBeLessThanOrEqual(calls);
    expect(counted).toBeGreaterThan(0);
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
    expect(await deliver(depsOf(world), 'demo')).toBe(0);
    expect(await deliver(depsOf(world), 'demo')).toBe(0);
    status = 200;
    world.clock.advance(60_000);
    await Promise.all([deliver(depsOf(world), 'demo'), deliver(depsOf(world), 'demo')]);
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
