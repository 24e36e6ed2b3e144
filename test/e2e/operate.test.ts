import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Database } from 'sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse, prepareForStock } from '../support/cli.ts';

/** What operators do from the terminal: kill switch, modes, dry run, undo, audit. The built program, as a script runs it. */

let house: Gatehouse;
let approver: Record<string, string>;
let admin: Record<string, string>;
let agentKey: string;

beforeAll(async () => {
  house = await createGatehouse();
  const keyOf = async (name: string, role: string) => ({
    GATEHOUSE_OPERATOR_KEY: (await json('operator', 'create', name, '--role', role)).key as string,
  });
  approver = await keyOf('ann', 'approver');
  admin = await keyOf('ada', 'admin');
  agentKey = (await json('bot', 'create', 'acme', '--profile', 'internal')).key;
  await prepareForStock(house, 'acme');
});
afterAll(() => house[Symbol.asyncDispose]());

const json = async (...args: string[]) => {
  const ran = await house.run([...args, '--json']);
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  return ran.json;
};
const as = (env: Record<string, string>, ...args: string[]) => house.run([...args, '--json'], { env });
const refused = async (args: readonly string[], env: Record<string, string> = {}) => {
  const ran = await house.run([...args, '--json'], { env });
  expect([ran.code, ran.stdout]).toEqual([1, '']);
  return ran.error;
};
const call = (action: string, args: object) => house.run(['call', 'acme', action, JSON.stringify(args), '--json']);

describe('the kill switch', () => {
  it('switches one action off and on again, each a revision and a row of the audit [P5 C7]', async () => {
    const off = await json('policy', 'off', 'acme', 'CreateLead');
    expect(off).toMatchObject({ bot: 'acme', action: 'CreateLead', off: ['CreateLead'] });
    expect((await call('CreateLead', { lastName: 'Off', company: 'x' })).error).toMatchObject({ code: 'off' });
    expect((await call('GetAccount', { name: 'Globex Shipping' })).code).toBe(0);
    const on = await json('policy', 'on', 'acme', 'CreateLead');
    expect(on).toMatchObject({ off: [], revision: off.revision + 1 });
    expect((await call('CreateLead', { lastName: 'On', company: 'x' })).json.status).toBe('done');
    const saved = (await json('audit', 'export')).rows.filter(
      ({ event }: { event: string }) => event === 'policy_saved',
    );
    expect(saved.slice(-2)).toMatchObject([
      { bot: 'acme', policyRevision: off.revision, detail: { off: ['CreateLead'] } },
      { bot: 'acme', policyRevision: on.revision, detail: { off: [] } },
    ]);
    expect(await refused(['policy', 'off', 'acme', 'CreateLeed'])).toMatchObject({ code: 'not_found' });
    expect(await refused(['policy', 'off', 'nobody', 'CreateLead'])).toMatchObject({ code: 'not_found' });
  });

  it('switches a whole bot, also while a server runs [P5]', async () => {
    await using server = await house.start(['serve', '--port', '0']);
    const ask = () =>
      fetch(`${server.document.url}/api/bots/acme/actions/GetAccount`, {
        method: 'POST',
        headers: { authorization: `Bearer ${agentKey}`, 'content-type': 'application/json' },
        body: '{"name":"Globex Shipping"}',
      });
    expect((await ask()).status).toBe(200);
    expect(await json('policy', 'mode', 'acme', 'off')).toMatchObject({ mode: 'off' });
    expect((await ask()).status).toBe(403);
    await json('policy', 'mode', 'acme', 'read-only');
    expect((await ask()).status).toBe(200);
    expect((await call('CreateLead', { lastName: 'Ro', company: 'x' })).error).toMatchObject({ code: 'off' });
    await json('policy', 'mode', 'acme', 'ask');
    expect((await call('CreateLead', { lastName: 'Ask', company: 'x' })).json.status).toBe('waiting');
    await json('policy', 'mode', 'acme', 'automatic');
    const wrong = await house.run(['policy', 'mode', 'acme', 'readonly', '--json']);
    expect([wrong.code, wrong.stdout, wrong.error.next]).toEqual([2, '', expect.stringContaining('read-only')]);
  });

  it('does not lose a race with other saves [P5]', async () => {
    const runs = await Promise.all(
      ['SyncParty', 'SyncCase', 'RunSOQL'].map((action) => house.run(['policy', 'off', 'acme', action, '--json'])),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect((await json('policy', 'get', 'acme')).off.sort()).toEqual(['RunSOQL', 'SyncCase', 'SyncParty']);
    for (const action of ['SyncParty', 'SyncCase', 'RunSOQL']) await json('policy', 'on', 'acme', action);
  });
});

describe('policy try', () => {
  it('tells what a call would meet and why, and does nothing [C1]', async () => {
    const change = JSON.stringify({ reference: 'OPP-123', amount: 77_000 });
    const met = await json('policy', 'try', 'acme', 'UpdateOpportunity', change);
    expect(met).toMatchObject({
      decision: 'confirm',
      assurance: 'client',
      reasons: ['UpdateOpportunity is confirmed by a person.'],
      preview: { changes: [{ field: 'Amount', after: 77_000 }] },
    });
    expect((await json('proposals', '--bot', 'acme')).proposals).not.toContainEqual(
      expect.objectContaining({ action: 'UpdateOpportunity' }),
    );
    expect(await json('policy', 'try', 'acme', 'GetAccount', '{"name":"Globex Shipping"}')).toMatchObject({
      decision: 'auto',
    });
    const shown = await house.run(['policy', 'try', 'acme', 'UpdateOpportunity', change]);
    expect(shown.stdout).toContain('It would wait for a person.');
    expect(
      await refused(['policy', 'try', 'acme', 'UpdateOpportunity', '{"reference":"OPP-123","amont":1}']),
    ).toMatchObject({
      code: 'invalid_input',
    });
    expect((await house.run(['policy', 'try', 'acme', 'UpdateOpportunity', 'amount=1'])).code).toBe(2);
  });
});

describe('policy unused', () => {
  it('says that a bot is too young to be judged, and writes a policy that can be saved as it is [P8]', async () => {
    expect(await json('policy', 'unused', 'acme')).toMatchObject({
      bot: 'acme',
      isYoung: true,
      grants: [],
      places: [],
    });
    const file = path.join(house.dataDir, 'narrower.json');
    const shown = await house.run(['policy', 'unused', 'acme', file]);
    expect(shown.stdout).toContain('acme is younger than 30 days');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(await json('policy', 'get', 'acme'));
  });
});

describe('undo', () => {
  it('asks for a write to be taken back, with an operator key only, and runs once approved [A6 C3]', async () => {
    const lead = (await call('CreateLead', { lastName: 'Mistake', company: 'Oops Ltd' })).json.result.id;
    const row = (await json('audit', 'export')).rows.findLast(
      ({ event, recordId }: Record<string, string>) => event === 'done' && recordId === lead,
    );
    const seq = String(row.seq);
    expect(await refused(['undo', seq])).toMatchObject({ code: 'unauthenticated' });
    expect(await refused(['undo', seq], { GATEHOUSE_OPERATOR_KEY: agentKey })).toMatchObject({
      code: 'permission_denied',
    });
    const asked = (await as(approver, 'undo', seq)).json;
    expect(asked).toMatchObject({ status: 'waiting', proposal: { action: 'Undo', assurance: 'session' } });
    expect((await as(approver, 'approve', asked.proposal.id)).json).toMatchObject({
      status: 'done',
      result: { undone: [{ object: 'Lead', id: lead, how: 'deleted' }] },
    });
    expect(await refused(['undo', '99999'], approver)).toMatchObject({ code: 'not_found' });
    for (const wrong of ['x', '0', '-1', '1.5'])
      expect((await house.run(['undo', wrong, '--json'], { env: approver })).code, wrong).toBe(2);
  });
});

describe('audit', () => {
  it('exports JSON lines, or one document, without a value of a record [C7]', async () => {
    await call('CreateLead', { lastName: 'Secretive', company: 'Hidden Ltd', email: 'sec@hidden.example' });
    const { stdout, code } = await house.run(['audit', 'export']);
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, at) => at + 1));
    expect(stdout).not.toMatch(/Secretive|sec@hidden|Hidden Ltd/);
    expect((await json('audit', 'export')).rows).toHaveLength(lines.length);
  });

  it('erases one person, for an admin only, and still proves the chain [C7]', async () => {
    await call('CreateLead', { lastName: 'Leaver', company: 'Gone Ltd', email: 'leaver@gone.example' });
    expect(await refused(['audit', 'erase', 'leaver@gone.example'])).toMatchObject({ code: 'unauthenticated' });
    expect(await refused(['audit', 'erase', 'leaver@gone.example'], approver)).toMatchObject({
      code: 'permission_denied',
    });
    expect((await as(admin, 'audit', 'erase', 'leaver@gone.example')).json).toMatchObject({ proposals: 1 });
    expect(await refused(['audit', 'erase', 'x'], admin)).toMatchObject({ code: 'invalid_input' });
    const verdict = await json('audit', 'verify');
    expect(verdict).toEqual({ ok: true, rows: expect.any(Number), changed: [] });
  });

  it('verifies, and names the first row that was changed, with exit code 1 [C7]', async () => {
    await new Promise<void>((resolve, reject) => {
      const file = new Database(path.join(house.dataDir, 'gatehouse.db'));
      file.run("update audit set principal = 'somebody else' where seq = 3", (error: Error | null) => {
        file.close();
        if (error === null) resolve();
        else reject(error);
      });
    });
    const ran = await house.run(['audit', 'verify', '--json']);
    expect(ran.code).toBe(1);
    expect(ran.json).toEqual({ ok: false, rows: 2, seq: 3, problem: 'it was edited', changed: [] });
    expect(ran.error).toMatchObject({ code: 'conflict', message: expect.stringContaining('row 3') });
  });
});
