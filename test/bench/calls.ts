import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

/**
 * What a model waits for: a real MCP client over stdio, the built product beside a bare server on the same SDK, each call in turn
 * against one org that answers at once. Ratios and differences say something on any machine; the bare milliseconds only on a quiet one.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURES = path.join(ROOT, 'dist/bench/fixtures');
// The built product, as it is shipped.
const gatehouse: typeof import('../../src/index.ts') = await import(new URL('../src/index.js', import.meta.url).href);

/** Another count is for a short look: `BENCH_STARTS=1 npm run bench -- calls`. */
const STARTS = Number(process.env.BENCH_STARTS ?? 5);
const CALLS = 100;
const SLOW_CALLS = 10;
const OPPORTUNITY = '0065i0000000001AAA';
const SOQL = `SELECT Name, StageName FROM Opportunity WHERE Id = '${OPPORTUNITY}' LIMIT 1`;

let wishes = 0;
const get = { name: 'GetAccount', arguments: { id: '0015i0000000001AAA' } };
const soql = { name: 'RunSOQL', arguments: { soql: SOQL } };
/** Each a wish of its own, or it would be told as done already. */
const update = () => {
  wishes += 1;
  return { name: 'UpdateOpportunity', arguments: { id: OPPORTUNITY, nextStep: `Step ${wishes}` } };
};

type Tool = { readonly name: string; readonly arguments: Record<string, unknown> };

interface Org {
  readonly url: string;
  readonly child: ChildProcess;
  set(state: Readonly<Record<string, number | boolean>>): Promise<void>;
  calls(): Promise<number>;
}

interface Server {
  readonly startMs: number;
  call(tool: Tool): Promise<unknown>;
  memoryMb(): Promise<number>;
  close(): Promise<void>;
}

export async function benchCallsOverStdio() {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-bench-'));
  const org = await openOrg();
  try {
    const env = { ...environment(org, folder), ...(await install(org, folder)) };
    const ours = () => connect([path.join(ROOT, 'dist/src/main.js'), 'mcp', '--bot', 'bench'], env);
    const bare = () => connect([path.join(FIXTURES, 'bare-server.js')], { ORG_URL: org.url });
    const met = new Figures();
    for (let start = 0; start < STARTS; start += 1) {
      const pair = [await bare(), await ours()] as const;
      try {
        await inTurns(org, pair, met);
      } finally {
        await Promise.all(pair.map((server) => server.close()));
      }
    }
    for (const [name, open] of [
      ['bare', bare],
      ['ours', ours],
    ] as const) {
      const server = await open();
      await atLength(server, name, met);
      await server.close();
    }
    // The breaker stays open for a minute, so nothing may come after it.
    const refused = await ours();
    await org.set({ isDown: true });
    for (let n = 0; n < 10; n += 1) await refused.call(get);
    if (!JSON.stringify(await refused.call(get)).includes('circuit_open')) throw new Error('the breaker is not open');
    for (let n = 0; n < CALLS; n += 1) met.add('refused', await timed(() => refused.call(get)));
    await refused.close();
    return rows(met);
  } finally {
    org.child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One start of each: every figure of it, a call of the one after a call of the other. */
async function inTurns(org: Org, [bare, ours]: readonly [Server, Server], met: Figures) {
  met.add('bare start', bare.startMs).add('ours start', ours.startMs);
  const raw = () =>
    fetch(`${org.url}/services/data/v66.0/query?q=${encodeURIComponent(SOQL)}`).then((answer) => answer.json());
  for (let n = 0; n < 20; n += 1)
    for (const server of [bare, ours]) for (const tool of [get, soql, update()]) await done(server, tool);
  const side = async (name: string, tool: () => Tool, calls: number) => {
    for (let n = 0; n < calls; n += 1) {
      met.add(`raw ${name}`, await timed(raw));
      met.add(`bare ${name}`, await timed(() => done(bare, tool())));
      met.add(`ours ${name}`, await timed(() => done(ours, tool())));
    }
    const before = await org.calls();
    await done(ours, tool());
    met.add(`requests ${name}`, (await org.calls()) - before);
  };
  await side('get', () => get, CALLS);
  await side('soql', () => soql, CALLS);
  await side('update', update, CALLS);
  await org.set({ delayMs: 50 });
  await side('slow update', update, SLOW_CALLS);
  await org.set({ delayMs: 0 });
}

/** What a process holds after 1,000 calls, and how many it answers a second. */
async function atLength(server: Server, name: string, met: Figures) {
  for (let n = 0; n < 1_000; n += 1) await done(server, get);
  met.add(`${name} memory`, await server.memoryMb());
  for (const at of [1, 8, 32]) met.add(`${name} at ${at}`, await perSecond(server, at));
}

function rows(met: Figures) {
  const over = (whose: string, name: string) => met.of(`${whose} ${name}`) - met.of(`raw ${name}`);
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const overhead = (name: string, target: string) => ({
    value: `${ms(over('ours', name))}, bare ${ms(over('bare', name))}: ${(over('ours', name) / over('bare', name)).toFixed(2)}`,
    target,
  });
  const whole = (name: string, target: string) => ({
    value: `${ms(met.of(`ours ${name}`))}, bare ${ms(met.of(`bare ${name}`))}`,
    target,
  });
  const pair = (name: string, unit: string, target?: string) => ({
    value: `${met.of(`ours ${name}`).toFixed(0)} ${unit}, bare ${met.of(`bare ${name}`).toFixed(0)}`,
    target,
  });
  return [
    { name: 'the raw request', value: ms(met.of('raw get')) },
    { name: 'GetAccount by id: overhead over it', ...overhead('get', 'at most 1.5 of the bare one') },
    { name: 'RunSOQL that policy lets run: overhead', ...overhead('soql', 'at most 2 of the bare one') },
    { name: 'UpdateOpportunity that policy lets run: whole call', ...whole('update', 'at most 12') },
    { name: 'the same with 50 ms to the org', ...whole('slow update', 'at most 115') },
    { name: 'a call refused while the breaker is open', value: ms(met.of('refused')), target: 'at most 5' },
    { name: 'requests of a GetAccount', value: met.of('requests get'), target: '1' },
    { name: 'requests of a RunSOQL', value: met.of('requests soql'), target: '1' },
    { name: 'requests of an UpdateOpportunity', value: met.of('requests update'), target: '2' },
    { name: 'memory after 1,000 calls', ...pair('memory', 'MB', 'at most 105') },
    ...[1, 8, 32].map((at) => ({ name: `GetAccount calls a second, ${at} at once`, ...pair(`at ${at}`, 'calls') })),
    {
      name: 'start to tools/list',
      value: `${(met.of('ours start') / met.of('bare start')).toFixed(2)} of the bare one`,
      target: 'at most 1.15',
    },
  ];
}

/** Every measurement by its name; a figure is the median. */
class Figures {
  readonly #all = new Map<string, number[]>();

  add(name: string, value: number): this {
    const known = this.#all.get(name);
    if (known === undefined) this.#all.set(name, [value]);
    else known.push(value);
    return this;
  }

  of(name: string): number {
    const sorted = [...(this.#all.get(name) ?? [])].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  }
}

async function openOrg(): Promise<Org> {
  const child = spawn(process.execPath, [path.join(FIXTURES, 'fake-org.js')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve) => child.stdout.once('data', (line) => resolve(String(line).trim())));
  const ask = async (query: string) => (await fetch(`${url}/_bench?${query}`)).json() as Promise<{ calls: number }>;
  return {
    url,
    child,
    set: async (state) => {
      await ask(
        Object.entries(state)
          .map(([name, value]) => `${name}=${value}`)
          .join('&'),
      );
    },
    calls: async () => (await ask('')).calls,
  };
}

function environment(org: Org, folder: string): Record<string, string> {
  return {
    GATEHOUSE_DATA: folder,
    GATEHOUSE_LOG: 'silent',
    SALESFORCE_CLIENT_ID: 'bench',
    SALESFORCE_CLIENT_SECRET: 'bench',
    SALESFORCE_EXTRA_HOSTS: new URL(org.url).host,
    SALESFORCE_LOGIN_URL: org.url,
  };
}

/** A bot as it is shipped, but for one line: its updates run by themselves. */
async function install(org: Org, folder: string): Promise<{ GATEHOUSE_BOT_KEY: string }> {
  const app = await gatehouse.createApp(gatehouse.readConfig(environment(org, folder)));
  const shipped = gatehouse.shippedPolicy('internal');
  await app.store.bots.create({
    name: 'bench',
    audience: 'internal',
    profile: 'internal',
    createdAt: Date.now(),
    grants: ['READ_ACCOUNT', 'RUN_SOQL', 'UPDATE_OPPORTUNITY'],
    policy: {
      ...shipped,
      actions: { ...shipped.actions, UpdateOpportunity: { ...shipped.actions.UpdateOpportunity!, decision: 'auto' } },
    },
  });
  await app.connections.connect('bench', { flow: 'client-credentials', loginUrl: org.url });
  const key = await app.access.issueKey('agent', 'bench');
  await app.close();
  return { GATEHOUSE_BOT_KEY: key };
}

async function connect(args: readonly string[], env: Record<string, string>): Promise<Server> {
  const began = performance.now();
  const client = new Client({ name: 'bench', version: '1.0.0' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...(process.env.BENCH_NODE?.split(' ') ?? []), ...args],
    env: { PATH: process.env.PATH ?? '', ...env },
    stderr: 'inherit',
  });
  await client.connect(transport);
  await client.listTools();
  const startMs = performance.now() - began;
  return {
    startMs,
    call: (tool) => client.callTool(tool),
    async memoryMb() {
      const status = await readFile(`/proc/${transport.pid}/status`, 'utf8').catch(() => '');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
    },
    close: () => client.close(),
  };
}

/** A call that was not answered as wished would only make a figure look good. */
async function done(server: Server, tool: Tool): Promise<void> {
  const answer = (await server.call(tool)) as { isError?: boolean; structuredContent?: { status?: string } };
  if (answer.isError || !['done', undefined].includes(answer.structuredContent?.status))
    throw new Error(`${tool.name}: ${JSON.stringify(answer)}`);
}

async function perSecond(server: Server, atOnce: number): Promise<number> {
  const calls = 320;
  let left = calls;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left > 0) {
        left -= 1;
        await done(server, get);
      }
    }),
  );
  return (calls * 1000) / (performance.now() - began);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
