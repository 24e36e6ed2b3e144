import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { App } from '../../src/app/app.ts';
import { serveSim } from '../../src/sim/server.ts';

// The built product, as it is shipped; the path is that of this file once bundled beside it.
const gatehouse: typeof import('../../src/index.ts') = await import(new URL('../src/index.js', import.meta.url).href);
const { createApp, readConfig, shippedPolicy } = gatehouse;

/** F2 to F5 in one process: what a call costs over real HTTP to the simulated org, with gate and audit on. Over stdio: calls.ts. */

interface Bench {
  readonly app: App;
  readonly simUrl: string;
  control(
    route: string,
    body?: unknown,
  ): Promise<{ count: number; oauth: { path: string }[]; records: Record<string, unknown>[] }>;
}

async function withBench<T>(work: (bench: Bench) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-bench-'));
  const sim = await serveSim({ port: 0 });
  const config = readConfig({
    GATEHOUSE_DATA: folder,
    GATEHOUSE_LOG: 'silent',
    SALESFORCE_CLIENT_ID: 'sim',
    SALESFORCE_CLIENT_SECRET: 'sim',
    SALESFORCE_EXTRA_HOSTS: new URL(sim.url).host,
    SALESFORCE_LOGIN_URL: sim.url,
  });
  const app = await createApp(config);
  try {
    await app.store.bots.create({
      name: 'bench',
      audience: 'internal',
      profile: 'internal',
      createdAt: Date.now(),
      grants: ['READ_ACCOUNT', 'CREATE_LEAD', 'UPDATE_OPPORTUNITY'],
      policy: shippedPolicy('internal'),
    });
    await app.connections.connect('bench', { flow: 'client-credentials', loginUrl: sim.url });
    return await work({
      app,
      simUrl: sim.url,
      async control(route, body) {
        const answer = await fetch(`${sim.url}/_sim/${route}`, {
          method: body === undefined ? 'GET' : 'POST',
          ...(body === undefined
            ? {}
            : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        });
        if (!answer.ok) throw new Error(await answer.text());
        return (await answer.json()) as Awaited<ReturnType<Bench['control']>>;
      },
    });
  } finally {
    await app.close();
    await sim.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const getAccount = (app: App, n = 0) =>
  app.gate.call({
    bot: 'bench',
    principal: `agent:bench${n}`,
    channel: 'rest',
    action: 'GetAccount',
    args: { name: 'Acme Industries' },
  });

export async function benchWarmCalls() {
  return withBench(async ({ app, simUrl, control }) => {
    const token = await login(simUrl);
    const fields = 'Id, Name, Type, Industry, Website, Phone, BillingCity, BillingCountry, NumberOfEmployees';
    const soql = `SELECT ${fields} FROM Account WHERE Name = 'Acme Industries' LIMIT 6`;
    const raw = async () => {
      const answer = await fetch(`${simUrl}/services/data/v66.0/query?q=${encodeURIComponent(soql)}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await answer.json();
    };
    for (let n = 0; n < 30; n += 1) await Promise.all([raw(), getAccount(app)]);
    const [ours, bare]: [number[], number[]] = [[], []];
    const before = (await control('calls')).count;
    for (let n = 0; n < 300; n += 1) {
      bare.push(await timed(raw));
      ours.push(await timed(() => getAccount(app)));
    }
    const after = (await control('calls')).count;
    return [
      { name: 'requests per warm read', value: ((after - before) / 300 - 1).toFixed(2), target: '1' },
      {
        name: 'overhead of gate and audit over the raw request, median ms',
        value: (median(ours) - median(bare)).toFixed(2),
        target: 'at most 5',
      },
      { name: 'warm GetAccount as a multiple of the raw request', value: (median(ours) / median(bare)).toFixed(2) },
    ];
  });
}

export async function benchConfirmedUpdate() {
  return withBench(async ({ app, control }) => {
    const propose = (nextStep: string) =>
      app.gate.call({
        bot: 'bench',
        principal: 'agent:bench',
        channel: 'rest',
        action: 'UpdateOpportunity',
        args: { reference: 'OPP-123', nextStep },
      });
    await propose('warm the describe');
    const start = (await control('calls')).count;
    const waiting = await propose('Call back');
    const shown = (await control('calls')).count;
    await app.approvals.decide(waiting.proposal?.id ?? '', {
      answer: 'approve',
      by: 'bench',
      via: 'cli',
      assurance: 'session',
    });
    const done = (await control('calls')).count;
    return [
      { name: 'requests to show a change', value: shown - start, target: '1' },
      { name: 'requests to run it', value: done - shown, target: '2' },
    ];
  });
}

export async function benchExpiredSession() {
  return withBench(async ({ app, control }) => {
    await getAccount(app);
    const before = (await control('calls')).oauth.length;
    await control('expire', {});
    const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => getAccount(app, n)));
    const after = (await control('calls')).oauth.length;
    return [
      { name: 'token requests for 20 calls on an expired session', value: after - before, target: '1' },
      {
        name: 'failed calls among them',
        value: ends.filter(({ status }) => status === 'rejected').length,
        target: '0',
      },
    ];
  });
}

export async function benchOutage() {
  return withBench(async ({ app, control }) => {
    await getAccount(app);
    await control('faults', { type: 'status', status: 503, times: 1000 });
    const before = (await control('calls')).count;
    const times: number[] = [];
    for (let n = 0; n < 10; n += 1) times.push(await timed(() => getAccount(app, n).catch(() => undefined)));
    const after = (await control('calls')).count;
    const refused: number[] = [];
    for (let n = 0; n < 50; n += 1) refused.push(await timed(() => getAccount(app, n).catch(() => undefined)));
    return [
      { name: 'requests for 10 calls in an outage', value: after - before, target: 'at most 5' },
      { name: 'a refusal while the breaker is open, median ms', value: median(refused).toFixed(2), target: 'under 10' },
    ];
  });
}

export async function benchLostReply() {
  return withBench(async ({ app, control }) => {
    await control('faults', { type: 'drop', when: 'after', match: { path: '/sobjects/Lead' }, times: 1 });
    const lead = () =>
      app.gate
        .call({
          bot: 'bench',
          principal: 'agent:bench',
          channel: 'rest',
          action: 'CreateLead',
          args: { lastName: 'Lost', company: 'Reply' },
        })
        .catch(() => undefined);
    await lead();
    await lead();
    const made = (await control('records/Lead')).records.filter(({ LastName }) => LastName === 'Lost');
    return [{ name: 'records after a lost reply and a repeat', value: made.length, target: '1' }];
  });
}

async function login(simUrl: string): Promise<string> {
  const answer = await fetch(`${simUrl}/services/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'sim', client_secret: 'sim' }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  return access_token;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
