import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse } from '../support/cli.ts';
import { connectStdio } from '../support/mcp-client.ts';

/** Several processes of the built program on one data folder. */

let house: Gatehouse;
beforeEach(async () => {
  house = await createGatehouse();
});
afterEach(() => house[Symbol.asyncDispose]());

const leadsNamed = async (lastName: string) => {
  const soql = `SELECT COUNT() FROM Lead WHERE LastName = '${lastName}'`;
  const { json } = await house.run(['call', 'demo', 'RunSOQL', JSON.stringify({ soql }), '--json']);
  return json.result.total;
};

describe('one data folder', () => {
  it('is one org to two stdio servers and serve, whichever starts first [X5]', async () => {
    await using first = await connectStdio(house);
    await using server = await house.start(['serve', '--port', '0']);
    await using second = await connectStdio(house);

    expect((await first.call('CreateLead', { lastName: 'Early', company: 'A' })).status).toBe('done');
    expect((await second.call('CreateLead', { lastName: 'Late', company: 'B' })).status).toBe('done');
    const key = (await house.run(['bot', 'key', 'demo', '--json'])).json.key;
    const answer = await fetch(`${server.document.url}/api/bots/demo/actions/RunSOQL`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ soql: "SELECT COUNT() FROM Lead WHERE LastName = 'Early'" }),
    });
    expect((await answer.json()) as unknown).toMatchObject({ status: 'done', result: { total: 1 } });
    expect(await leadsNamed('Late')).toBe(1);
  });

  it('survives every process: what was written is there for the next ones [X5]', async () => {
    {
      await using first = await connectStdio(house);
      await first.call('CreateLead', { lastName: 'Kept', company: 'A' });
    }
    await using server = await house.start(['serve', '--port', '0']);
    expect((await server.stop()).code).toBe(0);
    expect(await leadsNamed('Kept')).toBe(1);
  });

  it('may be opened by many processes at the same instant when it is still empty [X2]', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => house.run(['bot', 'list', '--json'])));
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, '']));
    const servers = await Promise.all([connectStdio(house), connectStdio(house)]);
    for (const { client, call } of servers) {
      expect((await client.listTools()).tools.length).toBeGreaterThan(5);
      expect((await call('GetAccount', { name: 'Globex Shipping' })).status).toBe('done');
      await client.close();
    }
  });

  it('lets a person in another process answer what a stdio client waits for [C4]', async () => {
    const operator = (await house.run(['operator', 'create', 'ann', '--role', 'approver', '--json'])).json;
    await using session = await connectStdio(house);
    const waiting = await session.call('UpdateOpportunity', { reference: 'OPP-125', amount: 250_000 });
    expect(waiting.status).toBe('waiting');
    const { id } = waiting.proposal;
    const looking = session.call('GetProposal', { id, waitSeconds: 20 });
    const approved = await house.run(['approve', id, '--json'], { env: { GATEHOUSE_OPERATOR_KEY: operator.key } });
    expect(approved.json.status).toBe('done');
    expect((await looking).status).toBe('done');
  });
});

describe('the stdio server', () => {
  it('needs the agent key of its bot where one is given, and refuses any other [X2] [P4]', async () => {
    const acme = (await house.run(['bot', 'create', 'acme', '--profile', 'read-only', '--json'])).json;
    const shop = (await house.run(['bot', 'create', 'shop', '--json'])).json;
    await using session = await connectStdio(house, { bot: 'acme', env: { GATEHOUSE_BOT_KEY: acme.key } });
    expect((await session.client.listTools()).tools.map(({ name }) => name)).toContain('GetAccount');

    for (const [key, code] of [
      [shop.key, 'permission_denied'],
      [acme.hostKey, 'permission_denied'],
      ['gha_made-up', 'unauthenticated'],
    ]) {
      const ran = await house.run(['mcp', '--bot', 'acme', '--json'], { env: { GATEHOUSE_BOT_KEY: key } });
      expect([ran.code, ran.stdout, ran.error.code]).toEqual([1, '', code]);
    }
    const unknown = await house.run(['mcp', '--bot', 'nobody', '--json']);
    expect([unknown.code, unknown.error.code]).toEqual([1, 'not_found']);
  });

  it('ends quietly, with nothing on standard output, when its client goes away', async () => {
    const ran = await house.run(['mcp', '--bot', 'demo']);
    expect([ran.code, ran.stdout]).toEqual([0, '']);
  });
});

describe('serve', () => {
  it('says where it is, what it is, and how a client reaches it [X1] [U3]', async () => {
    await using server = await house.start(['serve', '--port', '0'], { env: { GATEHOUSE_PRINT_SIGN_IN: '1' } });
    const { url, mcp, simulated, dataDir, signIn, mcpServers } = server.document;
    expect(simulated).toBe(true);
    expect(dataDir).toBe(house.dataDir);
    expect(mcp).toBe(`${url}/mcp`);
    expect(signIn).toContain(`${url}/sign-in#`);
    expect(mcpServers['gatehouse-http'].headers.Authorization).toMatch(/^Bearer gha_/);
    expect(mcpServers['gatehouse-stdio']).toMatchObject({
      args: [expect.stringMatching(/main\.js$/), 'mcp', '--bot', 'demo'],
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    // The first admin came by the link: no key is told of that nobody holds.
    const { operators } = (await house.run(['operator', 'list', '--json'])).json;
    expect(operators).toMatchObject([{ name: 'admin', keys: 0 }]);
    expect((await server.stop('SIGINT')).code).toBe(0);
  });

  it('keeps sign-in links and keys out of what is not a terminal [C3]', async () => {
    await using server = await house.start(['serve', '--port', '0']);
    expect(JSON.stringify(server.document)).not.toMatch(/gha_|gho_|sign-in#/);
  });

  it('explains a port that is taken, and one that is none', async () => {
    await using server = await house.start(['serve', '--port', '0']);
    const { port } = new URL(server.document.url);
    const taken = await house.run(['serve', '--port', port, '--json']);
    expect([taken.code, taken.stdout]).toEqual([1, '']);
    expect(taken.error).toMatchObject({ code: 'config_invalid', next: expect.stringContaining('--port') });
    expect((await house.run(['serve', '--port', '70000'])).code).toBe(2);
  });

  it('refuses the simulated org where others could reach it, unless told [X5]', async () => {
    const open = await house.run(['serve', '--port', '0', '--json'], { env: { HOST: '0.0.0.0' } });
    expect([open.code, open.error.code]).toEqual([1, 'config_invalid']);
    expect(open.error.next).toContain('GATEHOUSE_SIM=1');
  });
});
