import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import type { AuditRow } from '../../src/ports/store.ts';
import { createWorld, type World } from '../support/world.ts';

/** A page of a cursor is a query like any other, and whatever was read stands in the audit. */

const soql = "SELECT Subject FROM Task WHERE Subject LIKE 'Task %' ORDER BY Subject";
const free = (policy: Policy): Policy => ({
  ...policy,
  actions: { ...policy.actions, RunSOQL: { ...policy.actions.RunSOQL!, decision: 'auto', rules: [] } },
});
const runSoql = (more: object) => (policy: Policy) => ({
  ...policy,
  actions: { ...policy.actions, RunSOQL: { ...policy.actions.RunSOQL!, ...more } },
});

async function withTasks(options: Parameters<typeof createWorld>[0] = {}) {
  const world = await createWorld(options);
  for (let n = 0; n < 30; n += 1)
    await world.sim('POST', 'records/Task', { Subject: `Task ${String(n).padStart(2, '0')}`, Status: 'Not Started' });
  return world;
}

/** The cursor of the first page; a person approves where one is asked. */
async function firstPage(world: World): Promise<string> {
  const answer = await world.call('RunSOQL', { soql });
  const done = answer.status === 'waiting' ? await world.approve(answer.proposal!.id) : answer;
  return String(done.result?.nextCursor);
}

const rowsOf = async (world: World) => world.app.store.audit.page(0, 500);
const told = (world: World, row: AuditRow | undefined) => ({
  ...JSON.parse(row?.detail ?? '{}'),
  query: row && world.app.audit.unsealed(row)?.query,
});

describe('a further page', () => {
  it.each<[string, (policy: Policy) => Policy, string]>([
    ['the action is denied', runSoql({ decision: 'deny' }), 'permission_denied'],
    [
      'a rule denies such queries',
      runSoql({ rules: [{ if: { queryClass: 'non-trivial' }, then: 'deny' }] }),
      'permission_denied',
    ],
    [
      'the object is closed',
      (p) => ({ ...p, objects: { ...p.objects, Task: { ...p.objects.Task!, read: false } } }),
      'query_refused',
    ],
    [
      'the field is denied',
      (p) => ({ ...p, objects: { ...p.objects, Task: { ...p.objects.Task!, denyFields: ['subject'] } } }),
      'query_refused',
    ],
    [
      'the field is masked',
      (p) => ({ ...p, objects: { ...p.objects, Task: { ...p.objects.Task!, maskFields: ['Subject'] } } }),
      'query_refused',
    ],
    ['the budget is spent', (p) => ({ ...p, soql: { ...p.soql, rowsPerHour: 26 } }), 'rate_limited'],
    ['the bot is off', (p) => ({ ...p, mode: 'off' }), 'off'],
  ])('is refused once %s [K8]', async (_, change, code) => {
    await using world = await withTasks({ policy: free });
    const cursor = await firstPage(world);
    await world.setPolicy(change);
    expect((await world.refusal('RunSOQL', { soql, cursor })).code).toBe(code);
    // Nor is what was approved before told once more from memory.
    expect((await world.refusal('RunSOQL', { soql })).code).toBe(code);
  });

  it('is nothing for another customer or person than the one who was answered [K8] [P9]', async () => {
    await using world = await withTasks();
    const cursor = await firstPage(world);
    for (const other of [
      { session: { indexValue: 'ACME-001' } },
      { principal: 'chat:visitor:demo/two', channel: 'chat' as const },
    ])
      expect(await world.refusal('RunSOQL', { soql, cursor }, other)).toMatchObject({ code: 'invalid_input' });
    expect(await world.call('RunSOQL', { soql, cursor })).toMatchObject({ status: 'done' });
  });

  it('asks nobody twice, and asks what nobody was asked [K8]', async () => {
    await using world = await withTasks();
    const approved = await firstPage(world);
    expect(await world.call('RunSOQL', { soql, cursor: approved })).toMatchObject({ status: 'done' });
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Account: { ...policy.objects.Account!, denyFields: ['Fax'] } },
    }));
    expect(await world.call('RunSOQL', { soql, cursor: approved })).toMatchObject({ status: 'done' });

    await world.setPolicy(free);
    const unasked = await firstPage(world);
    await world.setPolicy(runSoql({ rules: [{ if: { queryClass: 'non-trivial' }, then: 'confirm' }] }));
    const waiting = await world.call('RunSOQL', { soql, cursor: unasked });
    expect(waiting).toMatchObject({ status: 'waiting', proposal: { query: { objects: ['Task'] } } });
    expect((await world.approve(waiting.proposal!.id)).result).toMatchObject({ returned: 5 });

    await world.setPolicy((policy) =>
      runSoql({ rules: [...policy.actions.RunSOQL!.rules, { if: { sensitive: true }, then: 'confirm' }] })({
        ...policy,
        objects: { ...policy.objects, Task: { ...policy.objects.Task!, sensitiveFields: ['Subject'] } },
      }),
    );
    expect((await world.call('RunSOQL', { soql, cursor: approved })).status, 'a new question').toBe('waiting');
  });

  it.each(['deny', 'confirm'] as const)(
    'counts as a run, and a rate that says %s stops it like a fresh query [K8]',
    async (then) => {
      await using world = await withTasks({
        policy: runSoql({ decision: 'auto', rules: [{ if: { runsThisHourAtLeast: 2 }, then }] }),
      });
      const cursor = await firstPage(world);
      expect(await world.call('RunSOQL', { soql, cursor })).toMatchObject({ status: 'done' });
      for (const args of [{ soql, cursor }, { soql }]) {
        const stopped = await world.call('RunSOQL', args).catch((error: unknown) => error);
        expect(stopped).toMatchObject(then === 'deny' ? { code: 'permission_denied' } : { status: 'waiting' });
      }
    },
  );

  it('replays no approved answer under another policy [K8]', async () => {
    await using world = await withTasks();
    await firstPage(world);
    expect((await world.call('RunSOQL', { soql })).status).toBe('done');
    await world.setPolicy((p) => ({
      ...p,
      objects: { ...p.objects, Task: { ...p.objects.Task!, maskFields: ['Subject'] } },
    }));
    expect((await world.refusal('RunSOQL', { soql })).code).toBe('query_refused');
  });
});

describe('the audit of a read', () => {
  it.each([
    ['without a rule', free],
    ['that a person approved', (policy: Policy) => policy],
  ])('names query, objects, fields and rows of every page %s [K8 C7]', async (_, policy) => {
    await using world = await withTasks({ policy });
    const cursor = await firstPage(world);
    const first = (await rowsOf(world)).at(-1);
    await world.call('RunSOQL', { soql, cursor });
    const page = (await rowsOf(world)).at(-1);
    const shape = { objects: ['Task'], fields: ['Task.Subject'], class: 'non-trivial', query: `${soql} LIMIT 200` };
    expect(first).toMatchObject({ event: 'done' });
    expect(told(world, first)).toMatchObject({ ...shape, rows: 25 });
    expect(page).toMatchObject({ event: 'done', decision: 'auto' });
    expect(told(world, page)).toMatchObject({ ...shape, rows: 5 });
    expect(page?.detail, 'the text is sealed').not.toContain('LIKE');
  });

  it('names what an action looked up, also where it told candidates, found nothing or read for the host [K8 C7]', async () => {
    await using world = await createWorld();
    const done = await world.call('GetAccount', { name: 'Acme Industries', include: ['contacts'] });
    const row = (await rowsOf(world)).at(-1);
    const found = done.result as { contacts: readonly object[] };
    expect(told(world, row)).toMatchObject({
      objects: ['Account', 'Contact'],
      fields: expect.arrayContaining(['Account.Name', 'Contact.Email']),
      rows: 1 + found.contacts.length,
      query: expect.stringMatching(/FROM Account WHERE Name = 'Acme Industries'[\s\S]*FROM Contact/),
    });
    expect(row?.detail).not.toContain('Acme');

    await world.call('GetAccount', { opportunity: 'OPP-123' });
    expect(told(world, (await rowsOf(world)).at(-1))).toMatchObject({ objects: ['Opportunity', 'Account'], rows: 1 });

    await world.refusal('GetAccount', { name: 'Nobody' });
    const missed = (await rowsOf(world)).at(-1);
    expect(missed).toMatchObject({ event: 'refused' });
    expect(told(world, missed)).toMatchObject({ code: 'not_found', rows: 0, query: expect.stringContaining('Nobody') });

    const [account] = await world.records('Account');
    await world.app.gate.accountContext(world.bot, { indexValue: String(account?.Account_Key__c) });
    expect(told(world, (await rowsOf(world)).at(-1))).toMatchObject({ objects: ['Account'], rows: 1 });
  });
});
