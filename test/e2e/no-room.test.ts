import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteFile } from '../../src/store/engines/sqlite.ts';
import { createGatehouse, type Gatehouse, MAIN, type Started } from '../support/cli.ts';
import { missing } from '../support/databases.ts';
import { until } from '../support/servers.ts';

/** The built program where nothing can be written: told by /readyz and in each answer, nothing lost, and on by itself. */

const run = promisify(execFile);
const isRoot = userInfo().uid === 0;

let house: Gatehouse;
beforeEach(async () => {
  house = await createGatehouse({ GATEHOUSE_LOG: 'info', GATEHOUSE_SIM: '1' });
});
afterEach(() => house[Symbol.asyncDispose]());

const readiness = async (server: Started) => (await fetch(`${server.document.url}/readyz`)).status;

async function ask(server: Started, key: string, method: string, route: string, body?: unknown) {
  const answer = await fetch(`${server.document.url}${route}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: free-form JSON of a route
  return { status: answer.status, json: (await answer.json()) as any, again: answer.headers.get('retry-after') };
}

const move = (server: Started, key: string, nextStep: string) =>
  ask(server, key, 'POST', '/api/bots/demo/actions/UpdateOpportunity', { reference: 'OPP-123', nextStep });

it('a command that cannot close its data in order says so in one line, with the exit code of what it did [K12]', async () => {
  await house.run(['audit', 'verify']);
  // No file may grow beyond 64 KB: its log is written, the database behind it is not.
  const limited = `trap '' XFSZ; ulimit -f 64; exec "$0" "$1" audit verify`;
  const { stdout, stderr } = await run('bash', ['-c', limited, process.execPath, MAIN], { env: house.env });
  expect(stdout).toContain('as they were written');
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/could not be closed in order: .*takes no writes.*(space|room)/),
  ]);
});

describe('a full disk', async () => {
  const why = await whyNoSmallDisk();
  if (why !== undefined) {
    missing('small-disk', why);
    return;
  }

  it('is not ready, answers in words, loses nothing, and goes on when there is room again [K12] [C6]', async () => {
    await mkdir(house.dataDir, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', house.dataDir]);
    try {
      const operator = (await house.run(['operator', 'create', 'ann', '--role', 'approver', '--json'])).json.key;
      await using server = await house.start(['serve', '--port', '0']);
      const agent = (await house.run(['bot', 'key', 'demo', '--json'])).json.key;
      const { proposal } = (await move(server, agent, 'Send the contract')).json;
      expect(proposal.state).toBe('pending');
      expect(await readiness(server)).toBe(200);

      await fill(house.dataDir);
      await until(async () => (await readiness(server)) === 503);
      for (let n = 0; n < 3; n++) {
        const refused = await move(server, agent, `Call them ${n}`);
        expect([refused.status, refused.again]).toEqual([503, '10']);
        expect(refused.json.error).toMatchObject({
          code: 'store_unavailable',
          retryable: true,
          message: expect.stringMatching(/takes no writes/),
        });
      }
      const args = { reference: 'OPP-123', nextStep: 'Call them over MCP' };
      const params = { name: 'UpdateOpportunity', arguments: args };
      const answer = await fetch(`${server.document.url}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${agent}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      });
      expect(await answer.text()).toMatch(/store_unavailable.*"isError":true/);
      const command = await house.run(['call', 'demo', 'UpdateOpportunity', JSON.stringify(args), '--json']);
      expect([command.code, JSON.parse(command.stderr).error]).toMatchObject([1, { code: 'store_unavailable' }]);

      await rm(path.join(house.dataDir, 'filler'));
      await until(async () => (await readiness(server)) === 200);
      const approved = await ask(server, operator, 'POST', `/api/proposals/${proposal.id}/approve`, {});
      expect(approved.json.status).toBe('done');
      expect((await house.run(['audit', 'verify', '--json'])).json).toMatchObject({ ok: true });
      await server.stop();
    } finally {
      await run('umount', ['-l', house.dataDir]);
    }
  });
});

describe('a write lock that another process holds', () => {
  it('is told by /readyz and in each answer within seconds, loses nothing, and all goes on when it falls [K12]', async () => {
    const operator = (await house.run(['operator', 'create', 'ann', '--role', 'approver', '--json'])).json.key;
    await using server = await house.start(['serve', '--port', '0']);
    const agent = (await house.run(['bot', 'key', 'demo', '--json'])).json.key;
    const { proposal } = (await move(server, agent, 'Send the contract')).json;
    const approve = () => ask(server, operator, 'POST', `/api/proposals/${proposal.id}/approve`, {});
    const holder = await openSqliteFile(path.join(house.dataDir, 'gatehouse.db'));
    await holder.run('begin immediate');
    const askedAt = performance.now();
    const held = [approve(), ...['a', 'b', 'c', 'd'].map((step) => move(server, agent, step))];
    await until(async () => (await readiness(server)) === 503);
    const shown = await ask(server, operator, 'GET', `/api/proposals/${proposal.id}`);
    expect(shown).toMatchObject({ status: 200, json: { detail: { state: 'pending' } } });
    expect(performance.now() - askedAt).toBeLessThan(10_000);
    const error = { code: 'store_unavailable', retryable: true, message: expect.stringMatching(/does not answer/) };
    for (const { json } of await Promise.all(held)) expect(json).toMatchObject({ error });
    expect(performance.now() - askedAt).toBeLessThan(20_000);

    await holder.run('rollback');
    await holder.close();
    await until(async () => (await readiness(server)) === 200);
    expect((await approve()).json.status).toBe('done');
    expect((await move(server, agent, 'Call them')).json.proposal.state).toBe('pending');
    expect((await house.run(['audit', 'verify', '--json'])).json).toMatchObject({ ok: true });
    await server.stop();
  });
});

describe('a command and a server on a full disk', async () => {
  if ((await whyNoSmallDisk()) !== undefined) return; // told above

  it('say it in words with the cure, never with a stack, and end with the right code [K12]', async () => {
    await mkdir(house.dataDir, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', house.dataDir]);
    try {
      await using server = await house.start(['serve', '--port', '0']);
      await fill(house.dataDir);
      await until(async () => (await readiness(server)) === 503);
      for (const command of [
        ['audit', 'verify'],
        ['operator', 'create', 'bo', '--role', 'viewer'],
      ]) {
        const { code, stderr } = await house.run(command);
        expect([command, code]).toEqual([command, 1]);
        expect(stderr).toMatch(/^Error: .*takes no writes.* (the|its) disk is full.*\nNext: .*(space|room).*\n$/);
      }
      const { code, stderr } = await server.stop();
      expect(code).toBe(0);
      expect(stderr).not.toMatch(/^ +at /m);
    } finally {
      await run('umount', ['-l', house.dataDir]);
    }
  });
});

describe('a folder that became read-only', () => {
  if (!isRoot) {
    missing(
      'other-user',
      'Only root can start a process under an account that rights apply to, and change them under it.',
    );
    return;
  }

  it('is not ready, answers in words, and goes on when it may write again [K12]', async () => {
    const as = { uid: 65_534, gid: 65_534 };
    await chmod(path.dirname(house.dataDir), 0o755);
    await mkdir(house.dataDir, { recursive: true });
    await chown(house.dataDir, as.uid, as.gid);
    await using server = await house.start(['serve', '--port', '0'], { as });
    const agent = (await house.run(['bot', 'key', 'demo', '--json'], { as })).json.key;
    expect(await readiness(server)).toBe(200);
    await chmod(house.dataDir, 0o500);
    await chmod(path.join(house.dataDir, 'audit-heads'), 0o500).catch(() => {});
    await until(async () => (await readiness(server)) === 503);
    const refused = await move(server, agent, 'Call them');
    expect(refused.json.error).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/takes no writes/),
    });
    await chmod(house.dataDir, 0o700);
    await chmod(path.join(house.dataDir, 'audit-heads'), 0o700).catch(() => {});
    await until(async () => (await readiness(server)) === 200);
    expect((await move(server, agent, 'Call them again')).status).toBeLessThan(300);
    for (const folder of ['audit-heads', 'serving']) {
      await chmod(path.join(house.dataDir, folder), 0o500);
      await until(async () => (await readiness(server)) === 503);
      await chmod(path.join(house.dataDir, folder), 0o700);
      await until(async () => (await readiness(server)) === 200);
    }
    expect((await house.run(['audit', 'verify', '--json'], { as })).json).toMatchObject({ ok: true });
    // The note of its address cannot be taken away: it ends all the same.
    await chmod(path.join(house.dataDir, 'serving'), 0o500);
    const { code, stderr } = await server.stop();
    await chmod(path.join(house.dataDir, 'serving'), 0o700);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/^ +at /m)]);
  });
});

it('ends with its cause when it listens and cannot note where, instead of answering without a database for ever [K12]', async () => {
  await mkdir(house.dataDir, { recursive: true });
  await writeFile(path.join(house.dataDir, 'serving'), 'no folder');
  const ended = await house.run(['serve', '--port', '0', '--json']);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/cannot be noted/);
});

async function whyNoSmallDisk(): Promise<string | undefined> {
  if (!isRoot) return 'Only root can mount a small disk.';
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt']);
    await run('umount', ['/mnt']);
    return undefined;
  } catch (error) {
    return `A small disk cannot be mounted here: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** To its last byte. */
async function fill(folder: string): Promise<void> {
  const file = await open(path.join(folder, 'filler'), 'w');
  try {
    for (const size of [1_048_576, 4_096, 1]) {
      const some = Buffer.alloc(size, 'x');
      try {
        for (;;) await file.write(some);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    await file.close();
  }
}
