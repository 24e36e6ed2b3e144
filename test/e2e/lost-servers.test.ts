import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse, type Started } from '../support/cli.ts';
import { missing } from '../support/databases.ts';
import {
  createOwnPostgres,
  createOwnRedis,
  type OwnPostgres,
  postgresBinaries,
  redisBinary,
  until,
} from '../support/servers.ts';

/** The built program while its servers are ended, restarted and moved under load. */

const bin = postgresBinaries();
const redis = redisBinary();

interface Loaded {
  readonly statuses: () => readonly number[];
  stop(): Promise<void>;
}

/** Loops of a request; a server that hangs up counts as 0. */
function load(url: string, init: RequestInit, loops = 4): Loaded {
  let isOn = true;
  let statuses: number[] = [];
  const loop = async () => {
    while (isOn)
      statuses.push(
        await fetch(url, init).then(
          (answer) => answer.text().then(() => answer.status),
          () => 0,
        ),
      );
  };
  const running = Array.from({ length: loops }, loop);
  return {
    statuses() {
      const since = statuses;
      statuses = [];
      return since;
    },
    async stop() {
      isOn = false;
      await Promise.all(running);
    },
  };
}

const readiness = (server: Started) =>
  fetch(`${server.document.url}/readyz`).then(
    ({ status }) => status,
    () => 0,
  );

describe('PostgreSQL of its own', () => {
  if (bin === undefined) {
    missing('initdb', 'PostgreSQL is not installed here (no initdb under /usr/lib/postgresql).');
    return;
  }

  let postgres: OwnPostgres;
  let house: Gatehouse;
  let servers: readonly Started[];
  let operator: string;
  let agent: string;

  beforeAll(async () => {
    postgres = await createOwnPostgres(bin);
    house = await createGatehouse({ DATABASE_URL: postgres.url, GATEHOUSE_LOG: 'error' });
    operator = (await house.run(['operator', 'create', 'ann', '--role', 'approver', '--json'])).json.key;
    await house.run(['bot', 'create', 'acme', '--profile', 'internal']);
    const policy = (await house.run(['policy', 'get', 'acme', '--json'])).json;
    policy.actions.CreateLead = { decision: 'confirm' };
    await house.run(['policy', 'set', 'acme'], { input: JSON.stringify(policy) });
    agent = (await house.run(['bot', 'key', 'acme', '--json'])).json.key;
    servers = [await house.start(['serve', '--port', '0']), await house.start(['serve', '--port', '0'])];
  }, 180_000);
  afterAll(async () => {
    await house?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });

  const allReady = () =>
    until(async () => (await Promise.all(servers.map(readiness))).every((status) => status === 200));
  const propose = async (lastName: string): Promise<string> => {
    const answer = await fetch(`${servers[0]?.document.url}/api/bots/acme/actions/CreateLead`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent}`, 'content-type': 'application/json' },
      body: JSON.stringify({ lastName, company: 'Only Ltd', email: `${lastName}@only.example` }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: free-form JSON of a route
    return ((await answer.json()) as any).proposal.id;
  };
  const state = async (id: string): Promise<string | undefined> => {
    const answer = await fetch(`${servers[1]?.document.url}/api/proposals/${id}`, {
      headers: { authorization: `Bearer ${operator}` },
    });
    // biome-ignore lint/suspicious/noExplicitAny: free-form JSON of a route
    return ((await answer.json()) as any).detail?.state;
  };
  const approve = (id: string, server: Started | undefined) =>
    fetch(`${server?.document.url}/api/proposals/${id}/approve`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
      body: '{}',
    }).then(
      ({ status }) => status,
      () => 0,
    );
  const leads = async (lastName: string): Promise<number> => {
    const soql = `SELECT COUNT() FROM Lead WHERE LastName = '${lastName}'`;
    const { json } = await house.run(['call', 'acme', 'RunSOQL', JSON.stringify({ soql }), '--json']);
    return json.result.total;
  };

  it('a lost database connection ends no process: backends ended under load [K1]', async () => {
    await allReady();
    const loads = servers.map((server) => load(`${server.document.url}/readyz`, {}));
    for (let round = 0; round < 20; round++) {
      await postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gatehouse'");
      await until(() => loads.every((one) => one.statuses().length > 0));
    }
    for (const one of loads) {
      await one.stop();
      expect(new Set(one.statuses()), 'it always answers, and never with a 500').not.toContain(0);
    }
    await allReady();
  });

  it('lines that died without a word are left in seconds, however many lie in the pool [K1]', async () => {
    await allReady();
    const loads = servers.map((server) => load(`${server.document.url}/readyz`, {}));
    await until(() => loads.every((one) => one.statuses().length > 20));
    for (const one of loads) await one.stop();
    postgres.deaden();
    const answers = await Promise.all(
      servers.map(async ({ document }) => (await fetch(`${document.url}/readyz`)).json() as Promise<unknown>),
    );
    const told = { status: 'not_ready', reason: expect.stringContaining('database') };
    expect(answers).toEqual([told, told]);
    await until(async () => (await Promise.all(servers.map(readiness))).every((status) => status === 200), 15_000);
  });

  it.each(['fast', 'immediate'] as const)(
    'a %s stop under load and a start elsewhere: 503 meanwhile, then on by itself, and each approved write ends once [K1] [C6]',
    async (mode) => {
      await allReady();
      const names = Array.from({ length: 6 }, (_, n) => `${mode}${n}`);
      const ids = await Promise.all(names.map(propose));
      const loads = servers.map((server) => load(`${server.document.url}/readyz`, {}));
      const approvals = Promise.all(ids.map((id, n) => approve(id, servers[n % 2])));
      await postgres.stop(mode);
      await until(async () => (await Promise.all(servers.map(readiness))).every((status) => status === 503));
      await approvals;
      // While it is away a call is refused in words, and the process stands.
      const refused = await fetch(`${servers[0]?.document.url}/api/proposals/${ids[0]}`, {
        headers: { authorization: `Bearer ${operator}` },
      });
      // biome-ignore lint/suspicious/noExplicitAny: free-form JSON of a route
      expect(((await refused.json()) as any).error).toMatchObject({
        message: expect.stringContaining('database'),
        retryable: true,
      });
      await postgres.start();
      await allReady();
      for (const one of loads) {
        await one.stop();
        expect(one.statuses()).not.toContain(0);
      }
      for (const [n, id] of ids.entries()) {
        // Nobody's yes was kept: it waits still, and another yes is possible. Kept: it ends by itself.
        if ((await state(id)) === 'pending') expect(await approve(id, servers[n % 2])).toBe(200);
        await until(async () => (await state(id)) === 'done', 110_000);
      }
      for (const name of names) expect(await leads(name), name).toBe(1);
      expect((await house.run(['audit', 'verify', '--json'])).json).toMatchObject({ ok: true });
    },
    240_000,
  );
});

describe('Redis of its own', () => {
  if (redis === undefined) {
    missing('redis-server', 'redis-server is not installed here.');
    return;
  }

  it('a lost token store ends no process, and everything goes on when it is back [K1]', async () => {
    await using server = await createOwnRedis(redis);
    await using house = await createGatehouse({ REDIS_URL: server.url, GATEHOUSE_LOG: 'error' });
    await using serving = await house.start(['serve', '--port', '0']);
    const { key } = (await house.run(['bot', 'key', 'demo', '--json'])).json;
    const soql = JSON.stringify({ soql: 'SELECT Id FROM Account LIMIT 1' });
    const request = {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: soql,
    };
    const url = `${serving.document.url}/api/bots/demo/actions/RunSOQL`;
    const ask = async () => (await fetch(url, request)).status;
    // The first call opens the token store. It may wait for a person; it is answered all the same.
    await until(async () => (await ask()) < 300);
    const loaded = load(`${serving.document.url}/readyz`, {}, 2);
    for (let round = 0; round < 2; round++) {
      await server.stop();
      await until(async () => (await readiness(serving)) === 503);
      await server.start();
      await until(async () => (await readiness(serving)) === 200);
      expect(await ask()).toBeLessThan(300);
    }
    await loaded.stop();
    expect(loaded.statuses()).not.toContain(0);
  });
});
