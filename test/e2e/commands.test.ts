import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse } from '../support/cli.ts';

/** The built program, as a person or a script runs it. */

let house: Gatehouse;
let operatorKey: string;
let agentKey: string;
let hostKey: string;

const run = (...args: string[]) => house.run(args);
const json = async (...args: string[]) => {
  const ran = await house.run([...args, '--json']);
  expect(ran.stderr).toBe('');
  expect(ran.code).toBe(0);
  return ran.json;
};
const refused = async (args: readonly string[], env: Record<string, string> = {}) => {
  const ran = await house.run([...args, '--json'], { env });
  expect(ran.stdout).toBe('');
  expect(ran.code).toBe(1);
  return ran.error;
};
const asOperator = (args: readonly string[]) =>
  house.run([...args, '--json'], { env: { GATEHOUSE_OPERATOR_KEY: operatorKey } });

beforeAll(async () => {
  house = await createGatehouse();
  operatorKey = (await json('operator', 'create', 'ann', '--role', 'approver')).key;
  ({ key: agentKey, hostKey } = await json('bot', 'create', 'acme', '--profile', 'internal'));
});
afterAll(() => house[Symbol.asyncDispose]());

describe('bots and grants', () => {
  it('makes a bot that starts connected to the simulated org and holds its profile [X1]', async () => {
    const made = await json('bot', 'create', 'shop', '--profile', 'public');
    expect(made).toEqual({
      bot: 'shop',
      key: expect.stringMatching(/^gha_.{40,}/),
      hostKey: expect.stringMatching(/^ghh_.{40,}/),
      grants: ['CREATE_LEAD', 'READ_ACCOUNT'],
    });
    const status = await json('status', 'shop');
    expect(status).toMatchObject({
      simulated: true,
      pending: 0,
      connection: { state: 'connected', environment: 'simulated' },
    });
  });

  it('grants nothing to a bot without a profile [P2]', async () => {
    expect((await json('bot', 'create', 'bare')).grants).toEqual([]);
    expect(await refused(['call', 'bare', 'GetAccount', '{"name":"Globex Shipping"}'])).toMatchObject({
      code: 'permission_denied',
    });
  });

  it('refuses a second bot of one name, and names that cannot be addresses', async () => {
    expect(await refused(['bot', 'create', 'acme'])).toMatchObject({
      code: 'conflict',
      next: expect.stringContaining('bot key'),
    });
    for (const name of ['../x', 'A', 'a b', 'ä', 'x'.repeat(64)])
      expect(await refused(['bot', 'create', name])).toMatchObject({ code: 'invalid_input' });
  });

  it('lists bots without any key', async () => {
    const { stdout } = await run('bot', 'list', '--json');
    expect(JSON.parse(stdout).bots.map(({ bot }: { bot: string }) => bot)).toContain('acme');
    expect(stdout).not.toMatch(/gh[aho]_/);
  });

  it('makes further keys, and revokes the earlier ones when told to [P4]', async () => {
    await json('bot', 'create', 'keyed');
    const first = await json('bot', 'key', 'keyed');
    const second = await json('bot', 'key', 'keyed', '--replace');
    expect(first.key).not.toBe(second.key);
    expect(second.revoked).toBe(2);
    expect((await json('bot', 'key', 'keyed', '--host')).key).toMatch(/^ghh_/);
    expect(await refused(['bot', 'key', 'nobody'])).toMatchObject({ code: 'not_found' });
  });

  it('grants and revokes, warns about wide grants of public bots, and refuses what belongs to people [P1] [P3]', async () => {
    expect(await json('grant', 'shop', 'RUN_SOQL')).toMatchObject({
      warnings: [expect.stringContaining('RUN_SOQL'), expect.stringContaining('still says "deny"')],
    });
    expect((await json('grant', 'shop', 'RUN_SOQL', '--revoke')).grants).not.toContain('RUN_SOQL');
    expect(await refused(['grant', 'shop', 'CREATE_OAUTH'])).toMatchObject({
      code: 'invalid_input',
      fields: [{ name: 'CREATE_OAUTH', problem: expect.stringContaining('belongs to people') }],
    });
    expect(await refused(['grant', 'nobody', 'RUN_SOQL'])).toMatchObject({ code: 'not_found' });
  });
});

describe('calls through the gate', () => {
  it('reads an account and prints one envelope', async () => {
    const envelope = await json('call', 'acme', 'GetAccount', '{"name":"Globex Shipping"}');
    expect(envelope).toMatchObject({ status: 'done', result: { account: { Name: 'Globex Shipping' } } });
  });

  it('says in words what it did, for people', async () => {
    const { stdout, code } = await run('call', 'acme', 'GetAccount', '{"name":"Globex Shipping"}');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Done\.\n {2}account/);
    expect(stdout).not.toContain('\u001b');
  });

  it('writes once, however often it is said [A4]', async () => {
    const lead = JSON.stringify({ lastName: 'Ohm', company: 'Ohm Ltd', email: 'ohm@ohm.example' });
    const first = await json('call', 'acme', 'CreateLead', lead);
    const again = await json('call', 'acme', 'CreateLead', lead);
    expect(first.status).toBe('done');
    expect(again).toMatchObject({ status: 'done', result: { id: first.result.id, alreadyDone: true } });
  });

  it('answers bad calls with the vocabulary of errors, each with a next step [E]', async () => {
    const cases = [
      ['nobody', 'GetAccount', '{}', 'not_found'],
      ['acme', 'GetAcount', '{}', 'not_found'],
      ['acme', 'GetAccount', '{"id":"0015i00000Zz1AbAAX"}', 'invalid_input'],
      ['acme', 'GetAccount', '{"name":"x","extra":1}', 'invalid_input'],
      ['acme', 'GetAccount', '[]', 'invalid_input'],
      ['acme', 'RunSOQL', '{"soql":"DELETE FROM Account"}', 'query_refused'],
      ['acme', 'UpdateOpportunity', '{"reference":"OPP-123","closeDate":"2026-02-30"}', 'invalid_input'],
      ['acme', 'CreateLead', `{"lastName":"${'x'.repeat(40_000)}","company":"y"}`, 'invalid_input'],
      ['acme', 'CreateLead', '{"lastName":"a\u202eb","company":"y"}', 'invalid_input'],
      ['acme', 'GetAccount', '{"name":"Globex","name":"Acme Industries"}', 'invalid_input'],
    ] as const;
    for (const [bot, action, args, code] of cases) {
      const error = await refused(['call', bot, action, args]);
      expect(error, action + args.slice(0, 60)).toMatchObject({ code, next: expect.stringMatching(/\w{3,}/) });
    }
  });

  it('takes arguments that are not JSON for a mistake on the command line', async () => {
    const ran = await run('call', 'acme', 'GetAccount', 'name=Acme', '--json');
    expect([ran.code, ran.stdout, ran.error.code]).toEqual([2, '', 'invalid_input']);
  });
});

describe('what waits for a person', () => {
  const propose = (reference: string, amount: number) =>
    json('call', 'acme', 'UpdateOpportunity', JSON.stringify({ reference, amount }));

  it('waits, is listed, is approved with an operator key, and runs once [C3] [C4]', async () => {
    const waiting = await propose('OPP-124', 13_000);
    expect(waiting).toMatchObject({ status: 'waiting', proposal: { link: expect.stringContaining('/approvals/') } });
    const { id } = waiting.proposal;
    expect((await json('proposals')).proposals).toContainEqual(
      expect.objectContaining({ id, bot: 'acme', state: 'pending' }),
    );
    expect((await json('status', 'acme')).pending).toBe(1);

    expect((await asOperator(['approve', id])).json).toMatchObject({ status: 'done' });
    expect((await json('proposals', '--bot', 'acme')).proposals).toEqual([]);
    expect((await json('proposals', '--all')).proposals).toContainEqual(
      expect.objectContaining({ id, state: 'done', decidedBy: 'operator:ann' }),
    );
    const replayed = await asOperator(['approve', id]);
    expect([replayed.code, replayed.error.code]).toEqual([1, 'conflict']);
  });

  it('refuses to decide without an operator key, and with a key of a bot [C3] [P4]', async () => {
    const { id } = (await propose('OPP-124', 14_000)).proposal;
    for (const verb of ['approve', 'reject']) {
      expect(await refused([verb, id])).toMatchObject({
        code: 'unauthenticated',
        next: expect.stringContaining('GATEHOUSE_OPERATOR_KEY'),
      });
      expect(await refused([verb, id], { GATEHOUSE_OPERATOR_KEY: agentKey })).toMatchObject({
        code: 'permission_denied',
      });
      expect(await refused([verb, id], { GATEHOUSE_OPERATOR_KEY: hostKey })).toMatchObject({
        code: 'permission_denied',
      });
      expect(await refused([verb, id], { GATEHOUSE_OPERATOR_KEY: 'gho_made-up' })).toMatchObject({
        code: 'unauthenticated',
      });
    }
    const viewer = await json('operator', 'create', 'vic', '--role', 'viewer');
    expect(await refused(['approve', id], { GATEHOUSE_OPERATOR_KEY: viewer.key })).toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('DECIDE_PROPOSALS'),
    });
    expect((await asOperator(['reject', id])).json).toMatchObject({ status: 'declined' });
    expect((await asOperator(['approve', id])).error).toMatchObject({ code: 'conflict' });
  });

  it('lets only one of two approvals at the same moment run it [C6]', async () => {
    const { id } = (await propose('OPP-126', 61_000)).proposal;
    const answers = await Promise.all([asOperator(['approve', id]), asOperator(['approve', id])]);
    expect(answers.map(({ code }) => code).sort()).toEqual([0, 1]);
    const settled = await json('proposals', '--all', '--bot', 'acme');
    expect(settled.proposals).toContainEqual(expect.objectContaining({ id, state: 'done' }));
  });

  it('answers unknown ids and unknown bots', async () => {
    expect((await asOperator(['approve', 'AAAAAAAAAAAAAAAAAAAAAA'])).error).toMatchObject({ code: 'not_found' });
    expect(await refused(['proposals', '--bot', 'nobody'])).toMatchObject({ code: 'not_found' });
  });
});

describe('policy', () => {
  it('saves what it printed, as the next revision', async () => {
    const policy = await json('policy', 'get', 'acme');
    policy.actions.GetAccount.decision = 'deny';
    const file = path.join(house.dataDir, '..', 'policy.json');
    await writeFile(file, JSON.stringify(policy));
    const { revision } = await json('policy', 'set', 'acme', file);
    expect(revision).toBeGreaterThan(1);
    expect(await refused(['call', 'acme', 'GetAccount', '{"name":"Globex Shipping"}'])).toMatchObject({
      code: 'permission_denied',
    });
    policy.actions.GetAccount.decision = 'auto';
    const saved = await house.run(['policy', 'set', 'acme', '--json'], { input: JSON.stringify(policy) });
    expect(saved.json).toEqual({ bot: 'acme', revision: revision + 1, warnings: [] });
  });

  it('stops at unknown and mistyped keys and saves nothing [C1]', async () => {
    const before = await json('policy', 'get', 'acme');
    const attempts: [string, string][] = [
      ['{"mod":"off"}', 'mod'],
      ['{"actions":{"GetAcount":{"decision":"auto"}}}', 'actions.GetAcount'],
      [
        '{"actions":{"GetAccount":{"decision":"auto","rules":[{"if":{"amountAbov":1},"then":"confirm"}]}}}',
        'amountAbov',
      ],
      ['{"off":["Nothing"]}', 'off[0]'],
      ['null', '(top)'],
    ];
    for (const [input, place] of attempts) {
      const ran = await house.run(['policy', 'set', 'acme', '--json'], { input });
      expect(ran.code, input).toBe(1);
      expect(JSON.stringify(ran.error.fields), input).toContain(place);
    }
    expect((await house.run(['policy', 'set', 'acme', '--json'], { input: '{' })).error.code).toBe('invalid_input');
    expect(await refused(['policy', 'set', 'acme', '/nowhere/policy.json'])).toMatchObject({ code: 'invalid_input' });
    expect(await json('policy', 'get', 'acme')).toEqual(before);
  });
});

describe('connections', () => {
  it('disconnects, refuses calls, and connects again [O6]', async () => {
    await json('bot', 'create', 'cut', '--profile', 'read-only');
    expect(await json('disconnect', 'cut')).toEqual({ bot: 'cut', revoked: true, wasConnected: true });
    expect(await json('disconnect', 'cut')).toEqual({ bot: 'cut', revoked: false, wasConnected: false });
    expect((await json('status', 'cut')).connection.state).toBe('disconnected');
    expect(await refused(['call', 'cut', 'GetAccount', '{"name":"Globex Shipping"}'])).toMatchObject({
      code: 'not_connected',
    });
    expect((await json('connect', 'cut')).connection.state).toBe('connected');
    expect((await json('call', 'cut', 'GetAccount', '{"name":"Globex Shipping"}')).status).toBe('done');
  });

  it('prints the link of the web flow, and says what the other flows lack', async () => {
    expect(await json('connect', 'acme', '--flow', 'web', '--sandbox')).toMatchObject({
      url: 'http://localhost:3000/connect/acme?sandbox=1',
    });
    for (const [code, ...args] of [
      [2, '--flow', 'jwt'],
      [2, '--flow', 'jwt', '--username', 'u'],
      // Off unless it is allowed: nobody is asked for a password first.
      [1, '--flow', 'password', '--username', 'u'],
    ] as const) {
      const ran = await run('connect', 'acme', ...args, '--json');
      expect([ran.code, ran.stdout]).toEqual([code, '']);
    }
  });
});

describe('sync', () => {
  it('has nothing to do for a host app that saved nothing', async () => {
    const nothing = { create: 0, update: 0, delete: 0, none: 0, failed: 0, problems: 0 };
    expect(await json('sync', 'acme')).toEqual({
      bot: 'acme',
      synced: [
        { object: 'party', ...nothing },
        { object: 'case', ...nothing },
      ],
    });
    expect((await json('sync', 'acme', '--object', 'party', '--batch')).synced).toMatchObject([
      { object: 'party', state: 'done', total: 0 },
    ]);
    expect(await refused(['sync', 'nobody'])).toMatchObject({ code: 'not_found' });
    expect((await run('sync', 'acme', '--object', 'lead')).code).toBe(2);
  });
});

describe('operators', () => {
  it('shows a sign-in link on a terminal only [C3]', async () => {
    expect(await refused(['operator', 'sign-in', 'ann'])).toMatchObject({ code: 'permission_denied' });
    const ran = await house.run(['operator', 'sign-in', 'ann', '--json'], { env: { GATEHOUSE_PRINT_SIGN_IN: '1' } });
    expect(ran.json.url).toMatch(/^http:\/\/localhost:3000\/sign-in#/);
  });

  it('refuses a taken name and a role that does not exist', async () => {
    expect(await refused(['operator', 'create', 'ann', '--role', 'admin'])).toMatchObject({ code: 'conflict' });
    const king = await refused(['operator', 'create', 'bob', '--role', 'king']);
    expect(king).toMatchObject({ code: 'invalid_input', next: expect.stringContaining('admin, approver, viewer') });
  });
});

describe('soql check', () => {
  const check = (input: string, ...args: string[]) => house.run(['soql', 'check', ...args, '--json'], { input });

  it('judges line by line, and goes on after a line that is none [Q5]', async () => {
    const ran = await check(
      '{"q":"SELECT Id FROM Account"}\nnot json\n{"q":"DELETE"}\n\n{"q":"SELECT COUNT() FROM Lead"}',
      '--no-policy',
    );
    expect(ran.code).toBe(0);
    const lines = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ ok }) => ok)).toEqual([true, false, false, true]);
    expect(lines[0]).toMatchObject({ send: 'SELECT Id FROM Account', objects: ['Account'] });
    expect(lines[2]).toMatchObject({ code: expect.any(String), position: 0, rule: expect.any(String) });
  });

  it('judges by a policy file, and refuses one with a mistyped key', async () => {
    const file = path.join(house.dataDir, '..', 'soql-policy.json');
    const policy = {
      allowObjects: ['Account'],
      denyFields: ['Account.Secret__c'],
      maxRows: 10,
      maxChildRows: 5,
      maxOffset: 0,
      maxLength: 500,
    };
    await writeFile(file, JSON.stringify(policy));
    const ran = await check(
      '{"q":"SELECT Id FROM Account"}\n{"q":"SELECT Secret__c FROM Account"}\n{"q":"SELECT Id FROM User"}',
      '--policy',
      file,
    );
    const lines = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ ok: true, send: expect.stringMatching(/LIMIT 10/) });
    expect(lines.slice(1).map(({ ok }) => ok)).toEqual([false, false]);

    await writeFile(file, JSON.stringify({ ...policy, maxRow: 1 }));
    const bad = await check('', '--policy', file);
    expect([bad.code, bad.error.code]).toEqual([1, 'invalid_input']);
    expect(bad.error.next).toContain('maxRow');
  });

  it('wants to be told what to judge by', async () => {
    expect((await check('')).code).toBe(2);
    expect((await check('', '--policy', '/nowhere.json')).error.code).toBe('invalid_input');
  });
});

it('sets a batch that comes again, once however often it is said, and says which part of its time is wrong [W5]', async () => {
  const words = ['sync', 'acme', '--object', 'party', '--batch', '--every', 'week', '--on', 'monday', '--at', '02:30'];
  const first = await json(...words, '--zone', 'Europe/Berlin');
  expect(first.synced).toEqual([
    {
      object: 'party',
      batch: expect.any(String),
      state: 'scheduled',
      next: expect.stringMatching(/^20\d\d-.*T0[01]:30/),
    },
  ]);
  expect(await json(...words, '--zone', 'Europe/Berlin')).toEqual(first);
  expect(await refused([...words, '--zone', '+02:00'])).toMatchObject({ fields: [{ name: 'zone' }] });
  expect((await run('sync', 'acme', '--at', '02:30')).code).toBe(2);
});
