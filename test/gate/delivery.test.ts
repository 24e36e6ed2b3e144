import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import type { Viewer } from '../../src/ports/gate.ts';
import { createWorld, readAsAnother, type World } from '../support/world.ts';

/** What was stored for a bot is told at every door as a fresh call would be answered: by policy, grant and org of now. */

const own = (action: string, change: object) => (policy: Policy) => ({
  ...policy,
  actions: { ...policy.actions, [action]: { ...policy.actions[action]!, ...change } },
});
const object = (name: string, change: object) => (policy: Policy) => ({
  ...policy,
  objects: { ...policy.objects, [name]: { ...policy.objects[name]!, ...change } },
});
const ME: Viewer = { bot: 'demo', principal: 'agent:test', channel: 'rest' };
const soql = 'SELECT Name, Phone FROM Account LIMIT 3';
const asking = own('RunSOQL', { decision: 'confirm', rules: [] });

async function approvedQuery(world: World): Promise<string> {
  const { proposal } = await world.call('RunSOQL', { soql });
  expect((await world.approve(proposal!.id)).result).toMatchObject({ returned: 3 });
  return proposal!.id;
}

async function answerOf(ask: Promise<unknown>): Promise<unknown> {
  return ask.catch((error: unknown) => error);
}

/** Every door by which a bot gets what is stored. */
const doors = (world: World, id: string): Record<string, () => Promise<unknown>> => ({
  GetProposal: () => world.call('GetProposal', { id }),
  'another key of the bot': () => world.call('GetProposal', { id }, { principal: 'agent:other' }),
  REST: () => world.app.gate.proposal(id, ME),
});

const closings: [string, (world: World) => Promise<unknown>, string][] = [
  ['the object is closed', (w) => w.setPolicy(object('Account', { read: false })), 'query_refused'],
  ['the field is denied', (w) => w.setPolicy(object('Account', { denyFields: ['Phone'] })), 'query_refused'],
  ['the field is masked', (w) => w.setPolicy(object('Account', { maskFields: ['phone'] })), 'query_refused'],
  ['the grant is revoked', (w) => w.app.store.bots.revoke(w.bot, 'RUN_SOQL'), 'permission_denied'],
  ['the action is denied', (w) => w.setPolicy(own('RunSOQL', { decision: 'deny' })), 'permission_denied'],
  ['the action is never let', (w) => w.setPolicy(own('RunSOQL', { decision: 'never' })), 'permission_denied'],
  ['the action is switched off', (w) => w.setPolicy((p) => ({ ...p, off: ['RunSOQL'] })), 'off'],
  ['the bot is off', (w) => w.setPolicy((p) => ({ ...p, mode: 'off' })), 'off'],
  [
    'the bot is in another org',
    (w) => w.app.store.connections.patch(w.bot, { orgId: '00D0000000000ZZEAQ' }),
    'conflict',
  ],
  ['the bot reads as another user', (w) => readAsAnother(w), 'conflict'],
  ['the bot is not connected', (w) => w.app.connections.disconnect(w.bot), 'not_connected'],
];

describe('the rows of an approved query', () => {
  it.each(closings)('are told at no door once %s [K8]', async (_, close, code) => {
    await using world = await createWorld({ policy: asking });
    const id = await approvedQuery(world);
    await close(world);
    for (const [door, ask] of Object.entries(doors(world, id)))
      expect(await answerOf(ask()), door).toMatchObject({ code });
    expect(await answerOf(world.call('RunSOQL', { soql })), 'a repeat').not.toHaveProperty('result');
    const rows = await world.app.store.audit.find({ proposal: id, event: 'refused', limit: 10 });
    expect(rows.length).toBeGreaterThanOrEqual(3);
  });

  it.each<[string, string, { maxRows?: number; maxChildRows?: number }, number]>([
    ['rows', soql, { maxRows: 2 }, 2],
    ['rows below a row', 'SELECT Name, (SELECT LastName FROM Contacts) FROM Account LIMIT 3', { maxChildRows: 1 }, 3],
  ])(
    'are told as far as the limit of now goes, once policy allows fewer %s [K8]',
    async (_, query, limits, returned) => {
      await using world = await createWorld({ policy: asking });
      const { proposal } = await world.call('RunSOQL', { soql: query, format: 'detailed' });
      const first = (await world.approve(proposal!.id)).result as { rows: Record<string, unknown>[] };
      const most = (rows: readonly Record<string, unknown>[]) =>
        Math.max(...rows.flatMap((row) => Object.values(row)).map((cell) => (Array.isArray(cell) ? cell.length : 0)));
      await world.setPolicy((policy) => ({ ...policy, soql: { ...policy.soql, ...limits } }));
      for (const [door, ask] of Object.entries(doors(world, proposal!.id))) {
        const { result } = (await ask()) as { result: { rows: Record<string, unknown>[] } };
        expect(result, door).toMatchObject({ returned, note: expect.stringContaining('left out') });
        expect(result.rows, door).toHaveLength(returned);
        expect(result, door).not.toHaveProperty('nextCursor');
        expect(most(result.rows), door).toBeLessThanOrEqual(limits.maxChildRows ?? most(first.rows));
      }
      const told = await world.app.store.audit.find({ proposal: proposal!.id, event: 'told', limit: 1 });
      expect(JSON.parse(told[0]!.detail)).toMatchObject({ rows: returned });
    },
  );

  it('are told after a change that leaves them open, each time with its row in the audit [K8]', async () => {
    await using world = await createWorld({ policy: asking });
    const id = await approvedQuery(world);
    await world.setPolicy(object('Account', { denyFields: ['Fax'] }));
    for (const ask of Object.values(doors(world, id)))
      expect(await ask()).toMatchObject({ status: 'done', result: { returned: 3 } });
    const told = await world.app.store.audit.find({ proposal: id, event: 'told', limit: 10 });
    expect(told).toHaveLength(3);
    for (const row of told) {
      expect(JSON.parse(row.detail)).toMatchObject({ objects: ['Account'], rows: 3 });
      expect(JSON.parse(row.detail).fields).toContain('Account.Phone');
      expect(String(world.app.audit.unsealed(row)?.query)).toMatch(/^SELECT Name, Phone FROM Account LIMIT 3/);
    }
  });
});

it('an account that was looked up with a person’s yes is not told once policy hides a field of it [K8]', async () => {
  await using world = await createWorld({ policy: own('GetAccount', { decision: 'confirm' }) });
  const { proposal } = await world.call('GetAccount', { name: 'Acme Industries' });
  await world.approve(proposal!.id);
  const read = () => world.call('GetProposal', { id: proposal!.id });
  expect(await read()).toMatchObject({ status: 'done', result: { account: { Name: 'Acme Industries' } } });
  await world.setPolicy(object('Account', { denyFields: ['Phone'] }));
  expect(await answerOf(read())).toMatchObject({ code: 'conflict', next: expect.stringContaining('Call GetAccount') });
});

describe('a card of a write', () => {
  const MOVE = { reference: 'OPP-123', amount: 91_000 };

  it.each<[string, (world: World) => Promise<unknown>]>([
    ['the object is closed', (w) => w.setPolicy(object('Opportunity', { read: false }))],
    ['the field is denied', (w) => w.setPolicy(object('Opportunity', { denyFields: ['Amount'] }))],
    ['a field that tells it is masked', (w) => w.setPolicy(object('Opportunity', { maskFields: ['Amount'] }))],
    ['its name is denied', (w) => w.setPolicy(object('Opportunity', { denyFields: ['Name'] }))],
    ['the grant is revoked', (w) => w.app.store.bots.revoke(w.bot, 'UPDATE_OPPORTUNITY')],
    ['the action is denied', (w) => w.setPolicy(own('UpdateOpportunity', { decision: 'deny' }))],
    ['the bot is in another org', (w) => w.app.store.connections.patch(w.bot, { orgId: '00D0000000000ZZEAQ' })],
    ['the bot reads as another user', (w) => readAsAnother(w)],
  ])('tells how it stands and nothing of the record once %s [K8]', async (_, close) => {
    await using world = await createWorld();
    const waiting = await world.call('UpdateOpportunity', MOVE);
    const { id, changes, target } = waiting.proposal!;
    await close(world);
    for (const [door, ask] of Object.entries(doors(world, id))) {
      const said = await ask();
      expect(said, door).toMatchObject({
        status: 'waiting',
        proposal: { id, changes: [], summary: 'UpdateOpportunity' },
      });
      expect(JSON.stringify(said), door).not.toContain(target!.name);
      expect(JSON.stringify(said), door).not.toContain(String(changes[0]?.before));
    }
  });

  it('keeps its words after a change of policy that closes nothing of it [K8]', async () => {
    await using world = await createWorld();
    const { proposal } = await world.call('UpdateOpportunity', MOVE);
    await world.setPolicy(object('Opportunity', { denyFields: ['Description'] }));
    expect(await world.call('GetProposal', { id: proposal!.id })).toMatchObject({
      proposal: { changes: proposal!.changes, target: proposal!.target },
    });
  });

  it('and the repeat of one that ran, tell that it ran and not what the record held [K8]', async () => {
    await using world = await createWorld();
    const { proposal } = await world.call('UpdateOpportunity', MOVE);
    await world.approve(proposal!.id);
    await world.setPolicy(object('Opportunity', { denyFields: ['Amount'] }));
    const said = [
      await world.call('GetProposal', { id: proposal!.id }),
      await answerOf(world.call('UpdateOpportunity', MOVE)),
    ];
    expect(said[0]).toMatchObject({ status: 'done' });
    for (const one of said) expect(JSON.stringify(one)).not.toContain(String(proposal!.changes[0]?.before));
  });
});

it('look-alikes of a waiting lead are not told once Leads may not be read [K8]', async () => {
  await using world = await createWorld();
  const [lead] = await world.records('Lead');
  const args = { lastName: 'Doe', company: 'Doe Ltd', email: String(lead!.Email) };
  const { proposal } = await world.call('CreateLead', args);
  expect(JSON.stringify(proposal)).toContain(String(lead!.Id));
  await world.setPolicy(object('Lead', { read: false, write: true }));
  expect(JSON.stringify(await world.call('GetProposal', { id: proposal!.id }))).not.toContain(String(lead!.Id));
});
