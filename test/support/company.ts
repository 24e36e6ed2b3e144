import { shippedPolicy } from '../../permissions/policy.ts';
import { SAMPLES } from '../../src/console/app/pages/declared-samples.ts';
import type { Org } from '../../src/ports/salesforce.ts';
import { refusalOf } from '../../src/sync/inbound/stream-problems.ts';
import { soapMessage } from '../sync/soap.ts';
import { type Door, openDoor, proposeMove } from './door.ts';
import type { WorldOptions } from './world.ts';

/**
 * A small company that has used its installation for some days, played through the real gate and sync: no page of the console is
 * empty, and one thing of each kind that can go wrong is there.
 */
export interface Company extends Door {
  /** Runs what is due, as the worker would. */
  settle(): Promise<void>;
  party(id: string, fields: Readonly<Record<string, string | null>>): Promise<unknown>;
  readonly of: {
    readonly waiting: string;
    readonly decided: string;
    readonly asked: string;
    readonly written: number;
    readonly conflict: string;
  };
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const UNSEEN = /[\u202E\u2066\u200B]/g;

/** What strangers may write: markup, what turns the reading around, what cannot be seen, and more of it than anybody wants. */
export const HOSTILE = `<img src=x onerror="document.title='ran'"> [x](javascript:alert(1)) \u202Egpj.\u2066exe\u200B ${'long '.repeat(2_000)}`;

const OPEN_DEALS = SAMPLES[0][1];

export async function openCompany({
  isHostile = false,
  ...options
}: WorldOptions & { readonly isHostile?: boolean } = {}): Promise<Company> {
  let sync: Awaited<ReturnType<Door['world']['app']['sync']>> | undefined;
  const door = await openDoor(options, async ({ app }) => {
    sync = await app.sync();
    return { routes: sync.routes, syncHead: sync.mark };
  });
  const { world } = door;
  const { app, bot, clock } = world;
  const { runner, hosts, batches, manualLinks } = sync ?? (await app.sync());
  const org = () => app.connections.open(bot, { signal: AbortSignal.timeout(50_000) });
  const settle = async () => void (await runner.runAllDue(bot, await org()));
  const party: Company['party'] = (id, fields) => hosts.put(bot, 'party', [{ id, fields }]);
  const contactOf = async (email: string) =>
    String((await (await org()).query(`SELECT Id FROM Contact WHERE Email = '${email}'`)).records[0]?.Id);
  const said = (words: string) => (isHostile ? `${words} ${HOSTILE}` : words);
  /** What the gate lets through: nothing that cannot be seen, and no more than the field takes. */
  const asked = (words: string, most: number) => said(words).replaceAll(UNSEEN, '').slice(0, most);

  await app.access.createOperator('ada', 'admin');
  await app.access.createOperator('bo', 'approver');
  await app.access.createOperator('vic', 'viewer');
  await app.store.bots.create({
    name: 'shop',
    audience: 'public',
    profile: 'public',
    createdAt: clock.now,
    grants: ['READ_ACCOUNT', 'CREATE_LEAD'],
    policy: { ...shippedPolicy('public', app.actions), mode: 'read-only' },
  });

  // Calls over two days: found, not found, refused, asked.
  for (let n = 0; n < 12; n += 1) {
    await world.call('GetAccount', { name: 'Acme Industries' });
    if (n % 4 === 0) await world.refusal('GetAccount', { name: 'Nobody Ltd' });
    clock.advance(4 * HOUR);
  }
  const first = await proposeMove(world, {
    stageName: 'Negotiation/Review',
    nextStep: asked('Send the contract', 200),
  });
  clock.advance(4 * MINUTE);
  await world.approve(first.id);
  const second = await proposeMove(world, { amount: 90_000 });
  clock.advance(2 * MINUTE);
  await app.approvals.decide(second.id, {
    ...{ answer: 'reject', by: 'operator:bo', via: 'console', assurance: 'session' },
    reason: asked('The customer called: no change of price before May.', 500),
  });
  await world.setPolicy((policy) => ({
    ...policy,
    actions: { ...policy.actions, CreateLead: { ...policy.actions.CreateLead!, decision: 'deny' } },
  }));
  await world.refusal('CreateLead', { lastName: asked('Doe', 80), company: 'Doe Ltd', email: 'jane@doe.example' });
  clock.advance(20 * MINUTE);

  // People and cases: in step, a conflict, without a name, two of a kind, a company that nobody knows.
  const jobTitle = said('Head of Purchasing');
  await party('ana', { email: 'ana@example.com', name: 'Ana Lim', phone: '555-0100', jobTitle });
  for (const [id, name] of [
    ['joe', 'Joe Park'],
    ['mia', 'Mia Okafor'],
    ['lou', 'Lou Brandt'],
  ] as const)
    await party(id, { email: `${id}@example.com`, name, phone: '555-0140' });
  await settle();
  clock.advance(30 * MINUTE);
  await (await org()).patch('Contact', await contactOf('ana@example.com'), { Phone: '555-0111' });
  await party('ana', { phone: '555-0122' });
  await manualLinks.retry(bot, (await org()).orgId, 'party', ['ana']);
  await settle();
  for (let n = 1; n <= 3; n += 1) await party(`nameless-${n}`, { email: `n${n}@example.com` });
  for (const name of ['One', 'Two'])
    await (await org()).create(
      'Contact',
      { LastName: `Twin ${name}`, Email: 'twin@example.com' },
      { allowDuplicates: true },
    );
  await party('twin', { email: 'twin@example.com', name: 'Twin Who' });
  await party('cleo', { email: 'cleo@example.com', name: 'Cleo Ruiz', company: 'Nowhere Ltd', department: 'Legal' });
  await hosts.put(bot, 'case', [{ id: 'c1', fields: { title: said('Renewal of Globex'), status: 'open' } }]);
  await settle();
  clock.advance(10 * MINUTE);
  const key = await door.operatorKey('admin');
  const ask = async (method: string, path: string, json?: unknown) => {
    const answer = await door.ask(method, path, { key, ...(json === undefined ? {} : { json }) });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
    return answer.json;
  };
  const mapped = await ask('GET', `/api/bots/${bot}/mappings/party`);
  await ask('PUT', `/api/bots/${bot}/mappings/party`, { mapping: mapped.mapping, version: mapped.version });
  await ask('POST', `/api/bots/${bot}/sync/batches`, { kind: 'party' });
  await batches.work(bot, await org());
  await settle();
  const { url } = await ask('POST', `/api/bots/${bot}/sync/inbound-token`);
  await fetch(new URL(new URL(url).pathname, door.url), {
    method: 'POST',
    headers: { 'content-type': 'text/xml' },
    body: soapMessage([await contactOf('joe@example.com')], '', (await org()).orgId),
  });
  await app.apiUse.note();
  if (isHostile) await app.audit.record({ bot, principal: HOSTILE, channel: 'cli', action: HOSTILE, event: 'noted' });

  // An action without code, and streams: one that is heard, one that nobody selected.
  const deals = { ...OPEN_DEALS, description: asked(OPEN_DEALS.description, 400) };
  await ask('PUT', `/api/bots/${bot}/declared-actions/OpenDeals`, deals);
  await ask('PUT', `/api/bots/${bot}/permissions`, { grant: ['CUSTOM_OPEN_DEALS'] });
  await ask('PUT', `/api/bots/${bot}/declared-actions/OpenDeals`, { ...deals, limit: 9 });
  await hear(org, bot, sync ?? (await app.sync()), clock.now);

  // What waits now, upon what stands in the record.
  if (isHostile)
    for (const { Id } of await world.records('Opportunity'))
      await world.sim('POST', 'records/Opportunity', { Id, NextStep: HOSTILE.slice(0, 250) });
  const waiting = await proposeMove(world, { nextStep: asked('Call Ana on Friday', 200) });
  // Cards are in the order in which their time is over.
  clock.advance(MINUTE);
  const query = await world.call('RunSOQL', {
    soql: 'SELECT Name, Amount FROM Opportunity WHERE Amount > 9 ORDER BY Amount DESC',
  });
  for (let n = 0; n < 3; n += 1) await world.call('GetAccount', { name: 'Acme Industries' });
  clock.advance(3 * MINUTE);
  const { logs } = await ask('GET', `/api/bots/${bot}/sync/logs?conflict=true`);
  const [written] = await app.store.audit.find({ action: 'UpdateOpportunity', event: 'done', limit: 1 });
  return {
    ...door,
    settle,
    party,
    of: {
      waiting: waiting.id,
      decided: second.id,
      asked: query.proposal?.id ?? '',
      written: written?.seq ?? 0,
      conflict: logs[0]?.id ?? '',
    },
  };
}

/** As a worker that listens leaves it. */
async function hear(
  org: () => Promise<Org>,
  bot: string,
  { parts }: Awaited<ReturnType<Door['world']['app']['sync']>>,
  now: number,
): Promise<void> {
  const { orgId } = await org();
  const of = (object: string) => ({
    ...{
      bot,
      orgId,
      objects: [object],
      channel: `/data/${object}ChangeEvent`,
      replayId: null,
      retryAt: 0,
      since: now - HOUR,
    },
    ...{ lastGapAt: null, day: new Date(now).toISOString().slice(0, 10) },
  });
  await parts.store.streams.put([
    { ...of('Contact'), state: 'live', error: null, lastEventAt: now - MINUTE, delivered: 12 },
    {
      ...of('Opportunity'),
      ...{ state: 'refused', lastEventAt: null, delivered: 0 },
      error: refusalOf('/data/OpportunityChangeEvent', ['Opportunity'], {
        kind: 'no_channel',
        quote: '404::{/data/OpportunityChangeEvent}',
      }),
    },
  ]);
}
