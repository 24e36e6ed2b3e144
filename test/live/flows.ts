import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SALESFORCE_ACTIONS } from '../../permissions/catalog.ts';
import type { App, Envelope } from '../../src/index.ts';
import type { LiveOrg, LiveSettings } from './org.ts';

/** The main flows of Gatehouse, played against the org, each told with what came of it. */

export interface Played {
  readonly flow: string;
  readonly works: boolean;
  readonly told: string;
}

const BOT = 'live';

/** As it is built and shipped: this runs beside it, in `dist/live`. */
const BUILT = new URL('../src/', import.meta.url);

/** One that is under way when somebody stops it is played to its end: what it makes is deleted afterwards. */
export async function playFlows(org: LiveOrg, stop: AbortSignal, tell: (played: Played) => void): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-live-'));
  const { settings } = org;
  const hosts = [settings.loginUrl, org.origin].map((url) => new URL(url));
  const env = {
    ...{ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent', GATEHOUSE_ALLOW_PASSWORD: '1' },
    ...{ SALESFORCE_LOGIN_URL: settings.loginUrl, SALESFORCE_CLIENT_ID: settings.clientId },
    ...(settings.clientSecret === undefined ? {} : { SALESFORCE_CLIENT_SECRET: settings.clientSecret }),
    SALESFORCE_API_VERSION: settings.version,
    // A simulated org stands on this machine; Salesforce's own hosts need no list.
    SALESFORCE_EXTRA_HOSTS: hosts
      .filter(({ hostname }) => hostname === '127.0.0.1')
      .map(({ host }) => host)
      .join(','),
  };
  const gatehouse: typeof import('../../src/index.ts') = await import(new URL('index.js', BUILT).href);
  const app = await gatehouse.createApp(gatehouse.readConfig(env));
  const play = async (flow: string, work: () => Promise<string>) => {
    if (stop.aborted) return false;
    try {
      tell({ flow, works: true, told: await work() });
      return true;
    } catch (error) {
      tell({ flow, works: false, told: error instanceof Error ? error.message : String(error) });
      return false;
    }
  };
  try {
    const policy = gatehouse.shippedPolicy('internal', app.actions);
    if (!(await play('connect', () => connect(app, settings, policy)))) return;
    await play('a lead, approved by a person', () => createLead(app, org));
    await play('an opportunity, changed and taken back', () => changeAndUndo(app, org));
    await play('a query, judged and asked', () => runQuery(app, org));
    await play('a person, out and back', () => syncPerson(app, org, env));
    await play('the check of the org', async () => {
      const bot = await app.store.bots.get(BOT);
      if (bot === undefined) throw new Error('the bot is gone');
      const { tooLittle, tooMuch } = await (await app.orgSetup()).check(bot, AbortSignal.timeout(120_000));
      return `${tooLittle.length} objects with too little, ${tooMuch.length} with too much`;
    });
  } finally {
    // The token goes with it.
    await app.connections.disconnect(BOT).catch(() => {});
    await app.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function connect(
  app: App,
  settings: LiveSettings,
  policy: Parameters<App['store']['bots']['create']>[0]['policy'],
): Promise<string> {
  await app.store.bots.create({
    ...{ name: BOT, audience: 'internal', profile: 'internal', createdAt: app.now() },
    grants: [...SALESFORCE_ACTIONS],
    policy,
  });
  const { username, password = '', jwtKeyFile, loginUrl } = settings;
  const status = await app.connections.connect(
    BOT,
    username === undefined
      ? { flow: 'client-credentials', loginUrl }
      : jwtKeyFile === undefined
        ? { flow: 'password', username, password, loginUrl }
        : { flow: 'jwt', username, privateKey: await readFile(jwtKeyFile, 'utf8'), loginUrl },
  );
  return `as ${status.username}, ${status.environment}`;
}

async function call(app: App, action: string, args: object): Promise<Envelope> {
  const envelope = await app.gate.call({ bot: BOT, principal: 'agent:live', channel: 'rest', action, args });
  return envelope.status === 'waiting' ? approve(app, envelope) : envelope;
}

const approve = (app: App, { proposal }: Envelope): Promise<Envelope> =>
  app.approvals.decide(proposal?.id ?? '', {
    ...{ answer: 'approve', by: 'operator:live', via: 'cli', assurance: 'session' },
    ...(proposal?.choices?.[0] === undefined ? {} : { choice: proposal.choices[0].id }),
  });

function mustBeDone({ status, proposal }: Envelope): void {
  if (status !== 'done') throw new Error(`${status}: ${proposal?.problem?.message ?? ''}`);
}

async function createLead(app: App, org: LiveOrg): Promise<string> {
  mustBeDone(await call(app, 'CreateLead', { lastName: org.run, company: org.run }));
  const found = await org.query(`SELECT Id FROM Lead WHERE LastName = '${org.run}'`);
  if (found.length === 0) throw new Error('done, and not in the org');
  return 'stands in the org';
}

async function changeAndUndo(app: App, org: LiveOrg): Promise<string> {
  const id = await org.create('Opportunity', { Name: org.run, StageName: 'Prospecting', CloseDate: '2031-01-31' });
  const next = async () => (await org.query(`SELECT NextStep FROM Opportunity WHERE Id = '${id}'`))[0]?.NextStep;
  mustBeDone(await call(app, 'UpdateOpportunity', { id, nextStep: 'Call them' }));
  if ((await next()) !== 'Call them') throw new Error('done, and not changed');
  const done = (await app.store.audit.find({ bot: BOT, limit: 50 })).find(
    ({ action, event }) => action === 'UpdateOpportunity' && event === 'done',
  );
  mustBeDone(await approve(app, await app.approvals.undo(done?.seq ?? 0, 'operator:other')));
  if ((await next()) !== null) throw new Error('taken back, and still changed');
  return 'changed, and taken back';
}

async function runQuery(app: App, org: LiveOrg): Promise<string> {
  const query = `SELECT Id, LastName FROM Lead WHERE LastName = '${org.run}' LIMIT 5`;
  mustBeDone(await call(app, 'RunSOQL', { soql: query }));
  return 'answered';
}

async function syncPerson(app: App, org: LiveOrg, env: Readonly<Record<string, string>>): Promise<string> {
  const { url, server } = await serve(env);
  try {
    const key = await app.access.issueKey('host', BOT);
    const host = async (method: string, body?: object) => {
      const answer = await fetch(`${url}/api/parties/live-1`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`the host app was answered ${answer.status}`);
      return (await answer.json()) as { jobTitle?: string };
    };
    const email = `${org.run.replace(/\W+/g, '.')}@example.com`;
    await host('PUT', { name: `Ada ${org.run}`, jobTitle: 'Analyst', email });
    mustBeDone(await call(app, 'SyncParty', { partyId: 'live-1' }));
    const [contact] = await org.query(`SELECT Id FROM Contact WHERE Email = '${email}'`);
    if (contact === undefined) throw new Error('synced, and not in the org');
    // Salesforce knows whole seconds: a change in the same one is nobody's later word.
    await delay(1_500);
    const { status } = await org.api('PATCH', `/sobjects/Contact/${contact.Id}`, { json: { Title: 'Director' } });
    if (status !== 204) throw new Error(`the colleague's change was answered ${status}`);
    mustBeDone(await call(app, 'SyncParty', { partyId: 'live-1' }));
    const { jobTitle } = await host('GET');
    if (jobTitle !== 'Director') throw new Error(`the host app has ${jobTitle}`);
    return 'made there, changed there, and brought back';
  } finally {
    const gone = new Promise((resolve) => server.once('close', resolve));
    server.kill();
    await gone;
  }
}

/** The door of the host app. */
async function serve(env: Readonly<Record<string, string>>): Promise<{ url: string; server: ChildProcess }> {
  const main = fileURLToPath(new URL('main.js', BUILT));
  const server = spawn(process.execPath, [main, 'serve', '--port', '0', '--json'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout.on('data', (chunk: Buffer) => {
      text += String(chunk);
      const [, found] = /"url": "([^"]+)"/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    server.once('close', () => reject(new Error('gatehouse serve did not start')));
  });
  return { url, server };
}
