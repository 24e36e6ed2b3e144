import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse, MAIN } from '../support/cli.ts';
import { connectStdio, KINDS, type Reply } from './door.ts';

/** The built program on its standard streams, as an MCP client starts it. */

let house: Gatehouse;
const command = () => ({ command: process.execPath, args: [MAIN, 'mcp', '--bot', 'demo'], env: house.env });
const MOVE = (nextStep: string) => ({ reference: 'OPP-124', nextStep });
const yes = (): Reply => ({ action: 'accept', content: { decision: 'approve' } });

beforeAll(async () => {
  house = await createGatehouse();
});
afterAll(() => house[Symbol.asyncDispose]());

describe.each(KINDS)('gatehouse mcp and a %s client', (kind) => {
  it('list, call, ask and answer, keyless on the simulated org [X2] [C4]', async () => {
    const client = await connectStdio(kind, command(), { person: yes });
    try {
      expect((await client.tools()).map(({ name }) => name)).toContain('UpdateOpportunity');
      expect(await client.prompts()).not.toEqual([]);
      const account = await client.call('GetAccount', { opportunity: 'OPP-123' });
      expect(account.structuredContent.status).toBe('done');
      const moved = await client.call('UpdateOpportunity', MOVE(`asked by ${kind}`));
      expect(moved.structuredContent.status).toBe('done');
      expect(client.questions).toHaveLength(1);
    } finally {
      await client.close();
    }
  });

  it('cancel a call: its form counts no more [C5]', async () => {
    const given = new AbortController();
    const client = await connectStdio(kind, command(), {
      person: () => {
        given.abort();
        return yes();
      },
    });
    try {
      const call = client.call('UpdateOpportunity', MOVE(`cancelled by ${kind}`), { signal: given.signal });
      await expect(call).rejects.toThrow();
      const { proposals } = (await house.run(['proposals', '--json'])).json;
      expect(proposals).toMatchObject([{ action: 'UpdateOpportunity', state: 'pending' }]);
    } finally {
      await client.close();
    }
  });
});

describe('gatehouse mcp', () => {
  it('serves nobody whose key was revoked since it was started [K8]', async () => {
    const { json } = await house.run(['bot', 'create', 'leaver', '--profile', 'internal', '--json']);
    const env = { ...house.env, GATEHOUSE_BOT_KEY: String(json.key) };
    const client = await connectStdio('classic', { ...command(), args: [MAIN, 'mcp', '--bot', 'leaver'], env });
    try {
      expect(await client.tools()).not.toEqual([]);
      await house.run(['bot', 'key', 'leaver', '--replace', '--json']);
      const answer = await client.call('GetAccount', { opportunity: 'OPP-123' });
      expect(JSON.parse(answer.content[0].text)).toMatchObject({ error: { code: 'unauthenticated' } });
      await expect(client.tools()).rejects.toThrow(/revoked/);
      await expect(client.prompts()).rejects.toThrow(/revoked/);
    } finally {
      await client.close();
    }
  });

  it('prints nothing but the wire, and leaves when its input ends', async () => {
    const child = spawn(process.execPath, [MAIN, 'mcp', '--bot', 'demo'], {
      env: { ...house.env, GATEHOUSE_LOG: 'silent' },
    });
    const text = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      text.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      text.stderr += chunk;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.write('this is no JSON\n');
    child.stdin.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } })}\n`,
    );
    await expect.poll(() => text.stdout, { timeout: 10_000 }).toContain('\n');
    child.stdin.end();

    expect(await ended).toBe(0);
    const lines = text.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ id: 1, result: { serverInfo: { name: 'gatehouse' } } }]);
    expect(text.stderr).toBe('');
  });

  it.each([
    ['with its last line ended', '\n'],
    ['in the middle of the last line', ''],
  ])(
    'answers everything that was asked before its input ended, %s, asks nobody who is gone, and is silent on stderr [M11]',
    async (_, end) => {
      const child = spawn(process.execPath, [MAIN, 'mcp', '--bot', 'demo'], {
        env: { ...house.env, GATEHOUSE_LOG: 'silent' },
      });
      const text = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].on('data', (chunk) => {
          text[name] += chunk;
        });
      const ended = new Promise((resolve) => child.once('close', resolve));
      const call = (id: number, name: string, args: object) => ({
        id,
        method: 'tools/call',
        params: { name, arguments: args },
      });
      const clientInfo = { name: 't', version: '1' };
      const asked = [
        {
          id: 1,
          method: 'initialize',
          params: { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo },
        },
        { method: 'notifications/initialized' },
        { id: 2, method: 'tools/list' },
        call(3, 'GetAccount', { opportunity: 'OPP-123' }),
        call(4, 'CreateLead', { lastName: 'Pipe', company: 'Pipe Ltd' }),
        call(5, 'UpdateOpportunity', MOVE('Nobody is there')),
      ];
      child.stdin.end(asked.map((one) => JSON.stringify({ jsonrpc: '2.0', ...one })).join('\n') + end);

      expect(await ended).toBe(0);
      const answers = text.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const statusOf = (id: number) => answers.find((one) => one.id === id)?.result?.structuredContent?.status;
      expect(answers.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4, 5]);
      expect([3, 4, 5].map(statusOf)).toEqual(['done', 'done', 'waiting']);
      expect(text.stderr).toBe('');
    },
  );

  it('answers a message that is too long, and goes on with the next', async () => {
    const child = spawn(process.execPath, [MAIN, 'mcp', '--bot', 'demo'], {
      env: { ...house.env, GATEHOUSE_LOG: 'silent' },
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const clientInfo = { name: 'test', version: '1' };
    send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
    const params = { name: 'GetAccount', arguments: { name: 'x'.repeat(11_000_000), id: 3 } };
    send({ id: 'long', method: 'tools/call', params });
    child.stdin.write(`${JSON.stringify({ method: 'tools/call', params, jsonrpc: '2.0', id: 7 })}\n`);
    send({ id: 9, method: 'ping' });
    child.stdin.end();
    await new Promise((resolve) => child.once('exit', resolve));
    const answers = new Map(
      said
        .trim()
        .split('\n')
        .map((line) => [JSON.parse(line).id, JSON.parse(line)]),
    );
    expect(answers.get('long')).toMatchObject({ error: { code: -32_600, message: expect.stringContaining('larger') } });
    expect(answers.get(7)).toMatchObject({ error: { code: -32_600 } });
    expect(answers.get(9)).toMatchObject({ result: {} });
  });

  it('reads a line as a body over HTTP is read: nothing in it is dropped without a word [K12]', async () => {
    const child = spawn(process.execPath, [MAIN, 'mcp', '--bot', 'demo'], {
      env: { ...house.env, GATEHOUSE_LOG: 'warn' },
    });
    let said = '';
    let logged = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    child.stderr.on('data', (chunk) => {
      logged += chunk;
    });
    const clientInfo = { name: 'test', version: '1' };
    const start = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const call = (id: number, given: string) =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"GetAccount","arguments":${given}}}`;
    const lines = [
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: start }),
      call(2, '{"name":"Acme Industries","name":"Globex"}'),
      call(3, '{"__proto__":{"name":"Globex"},"name":"Acme Industries"}'),
      call(4, `{"name":${'['.repeat(50)}${']'.repeat(50)}}`),
      `\uFEFF${call(5, '{"name":"Acme Industries"}')}`,
      `[${call(6, '{"name":"Acme Industries"}')}]`,
      'no JSON',
      '',
      call(7, '{"name":"Acme Industries"}'),
    ];
    child.stdin.end(lines.map((line) => `${line}\n`).join(''));
    await new Promise((resolve) => child.once('exit', resolve));
    const answers = new Map(
      said
        .trim()
        .split('\n')
        .map((line) => [JSON.parse(line).id, JSON.parse(line)]),
    );
    expect(answers.get(2)).toMatchObject({
      error: { code: -32_600, message: expect.stringContaining('"name" twice') },
    });
    expect(answers.get(3)).toMatchObject({ error: { message: expect.stringContaining('__proto__') } });
    expect(answers.get(4)).toMatchObject({ error: { message: expect.stringContaining('deep') } });
    expect(answers.get(5)).toMatchObject({ error: { message: expect.stringContaining('not valid JSON') } });
    expect(answers.get(7)).toMatchObject({ result: { structuredContent: { status: 'done' } } });
    expect(logged).toContain('a line of its own');
    expect(logged.trim().split('\n')).toHaveLength(6);
  });

  it('tells links that lead somewhere: to a server that runs, else to a page of its own, else to a command [M12] [M13]', async () => {
    const own = await createGatehouse();
    const client = await connectStdio('classic', {
      command: process.execPath,
      args: [MAIN, 'mcp', '--bot', 'demo'],
      env: own.env,
    });
    const linkOf = async (nextStep: string): Promise<string> =>
      (await client.call('UpdateOpportunity', MOVE(nextStep))).structuredContent.proposal.link;
    const opens = async (link: string) => (await fetch(link, { redirect: 'manual' })).status < 500;
    try {
      const alone = await linkOf('alone');
      expect(alone).toMatch(/^http:\/\/localhost:\d+\/approvals\//);
      expect(await opens(alone)).toBe(true);
      // People sign in there with a link from a terminal.
      const signIn = await own.run(['operator', 'sign-in', 'admin', '--json'], {
        env: { GATEHOUSE_PRINT_SIGN_IN: '1' },
      });
      expect(`${signIn.json?.url} ${signIn.stderr}`).toContain(new URL(alone).origin);

      const first = await own.start(['serve', '--port', '0']);
      const second = await own.start(['serve', '--port', '0']);
      expect([first, second].map(({ document }) => document.url)).toContain(
        new URL(await linkOf('two servers')).origin,
      );
      await second.stop();
      expect(new URL(await linkOf('one server')).origin).toBe(first.document.url);
      await first.stop();
      expect(new URL(await linkOf('none again')).origin).toBe(new URL(alone).origin);
    } finally {
      await client.close();
    }
    // One that is gone before anybody could open its page says what to start.
    const call = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'UpdateOpportunity', arguments: MOVE('gone') },
    };
    const ran = await own.run(['mcp', '--bot', 'demo'], { input: `${JSON.stringify(call)}\n` });
    expect(JSON.parse(ran.stdout).result.structuredContent.next).toMatch(
      /gatehouse serve.*gatehouse approve [0-9a-f]{32}/,
    );
    await own[Symbol.asyncDispose]();
  });

  it('starts twice on one folder at once, as a negotiating client does', async () => {
    const clients = await Promise.all(KINDS.map((kind) => connectStdio(kind, command())));
    const lists = await Promise.all(clients.map((client) => client.tools()));
    await Promise.all(clients.map((client) => client.close()));
    expect(lists[0]).toEqual(lists[1]);
  });

  it('refuses a key of another bot before it serves anything [X2]', async () => {
    const { key } = (await house.run(['bot', 'create', 'other', '--json'])).json;
    const ran = await house.run(['mcp', '--bot', 'demo', '--json'], { env: { GATEHOUSE_BOT_KEY: key } });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toBe('');
    expect(ran.error.code).toBe('permission_denied');
  });
});
