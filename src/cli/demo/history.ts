import { createOperator } from '../../access/operators.ts';
import type { App } from '../../app/app.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { createBot } from '../../policy/bots.ts';
import { changePolicy } from '../../policy/save.ts';
import type { Sim } from '../../sim/sim.ts';
import { DEMO_BOT } from '../bots.ts';
import type { MovedClock, Played } from './played.ts';
import { leaveTroubles } from './troubles.ts';

/** A month of a small company, played through the real gate by a clock that is moved: what the console of the demo shows. */

const DAYS = 31;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The public bot, which strangers write to. */
const SHOP = 'shop';
const ADA = { principal: 'operator:ada', channel: 'console' } as const;

export const historyBegins = (until: number): number => until - DAYS * DAY_MS;

export async function playHistory(app: App, org: Sim, clock: MovedClock, until: number): Promise<void> {
  const key = await createOperator(app, 'ada', 'admin', { principal: 'local', channel: 'cli' });
  await createOperator(app, 'bo', 'approver', ADA);
  await createOperator(app, 'vic', 'viewer', ADA);
  await createBot(app, DEMO_BOT, 'internal', ADA);
  await createBot(app, SHOP, 'public', ADA);
  const played = await openDoors(app, clock, key);
  await people(played);
  const dice = createDice();
  for (let day = 0; day < DAYS; day++) {
    const morning = historyBegins(until) + day * DAY_MS + 2 * HOUR_MS;
    if (day === 9) await stricterPolicy(played);
    if (day === 12) await played.ask('POST', `/api/bots/${DEMO_BOT}/sync/batches`, { kind: 'party' });
    clock.to(morning);
    await setApiUse(org, day, dice);
    await aDay(played, dice, { day, morning, isBusy: day % 7 < 5 });
    await app.apiUse.note();
    await app.retention.recover();
  }
  clock.to(until - 2 * HOUR_MS);
  await leaveTroubles(played, until);
  await app.apiUse.note();
  await app.audit.verify();
  clock.to(until);
}

/** The same numbers every time, so that everybody sees the same month. */
function createDice(): (sides: number) => number {
  let state = 20_260;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * sides);
  };
}

async function openDoors(app: App, clock: MovedClock, key: string): Promise<Played> {
  const [{ serveRoutes }, { routes, worker }] = await Promise.all([import('../../http/server.ts'), app.sync()]);
  const http = serveRoutes(app, routes);
  const hostKey = await app.access.issueKey('host', DEMO_BOT);
  return {
    app,
    clock,
    async ask(method, path, body) {
      const bearer = path.startsWith('/api/bots/') ? key : hostKey;
      const request = new Request(`http://localhost${path}`, {
        method,
        headers: { host: 'localhost', authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = await http.fetch(request, { remoteAddress: '127.0.0.1' });
      const json: unknown = await answer.json();
      if (answer.ok) return json;
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(json)}`);
    },
    call: (action, args, more) =>
      app.gate.call({ bot: DEMO_BOT, principal: 'agent:chat', channel: 'mcp', action, args, ...more }).catch(refused),
    async decide(envelope, answer, by = 'ada') {
      const id = envelope?.status === 'waiting' ? envelope.proposal?.id : undefined;
      if (id === undefined) return;
      clock.to(clock.now() + 4 * MINUTE_MS);
      const decision = { answer, by: `operator:${by}`, via: 'console', assurance: 'session' } as const;
      await app.approvals.decide(id, decision).catch(refused);
    },
    // Trouble of Salesforce is part of the history; the next turn goes on.
    sync: () => worker.turn(DEMO_BOT).catch(() => {}),
  };
}

/** A refusal is in the audit, which is why it was asked for. */
function refused(error: unknown): undefined {
  if (error instanceof GatehouseError) return undefined;
  throw error;
}

const PEOPLE = [
  ['Rosa Gonzalez', 'acme', 'Head of Procurement'],
  ['Jan de Vries', 'acme', 'Plant Manager'],
  ['Greta Baum', 'globex', 'Chief Operating Officer'],
  ['Claire Moreau', 'stark', 'Directrice technique'],
  ['Ingrid Solberg', 'northwind', 'Buyer'],
  ['Noor Peeters', 'wonka', 'Purchasing'],
  ['Ana Silva', 'sunline', 'Service Lead'],
  ['Tom Ferreira', 'casaferreira', 'Owner'],
  ['Lena Brandt', 'brandt', 'Controller'],
  ['Kofi Mensah', 'mensah', 'Operations'],
  ['Mei Lin', 'linworks', 'Founder'],
  ['Pavel Novak', 'novak', 'Buyer'],
] as const;

async function people({ ask, sync }: Played): Promise<void> {
  const parties = PEOPLE.map(([name, company, jobTitle], n) => ({
    externalId: `party-${n + 1}`,
    name,
    email: `${name.toLowerCase().replaceAll(' ', '.')}@${company}.example`,
    jobTitle,
    phone: `+49 30 555 0${100 + n}`,
    custom: { department: n % 2 === 0 ? 'Purchasing' : 'Service' },
  }));
  await ask('PUT', '/api/parties', { parties });
  const cases = ['Sensor 14 is silent', 'Invoice for March', 'Second login', 'Gateway restarts'].map((title, n) => ({
    externalId: `case-${n + 1}`,
    title,
    status: 'in_progress',
    amount: 1_000 * (n + 1),
    parties: [{ externalId: `party-${n + 1}`, role: 'complainant' }],
  }));
  await ask('PUT', '/api/cases', { cases });
  await sync();
}

/** The second revision of the policy, as an admin would write it after a week. */
async function stricterPolicy({ app, ask }: Played): Promise<void> {
  await changePolicy(
    app,
    DEMO_BOT,
    ({ actions, ...policy }) => {
      const { UpdateOpportunity: shipped, ...others } = actions;
      if (shipped === undefined) throw new Error('The shipped policy names every action.');
      const UpdateOpportunity = {
        ...shipped,
        expiresMinutes: 2 * 24 * 60,
        autoFields: ['NextStep'],
        rules: [
          { if: { amountChangeAbove: 50_000 }, then: 'confirm' as const, assurance: 'session' as const },
          ...shipped.rules,
        ],
      };
      return { ...policy, actions: { ...others, UpdateOpportunity } };
    },
    ADA,
  );
  await ask('PUT', `/api/bots/${DEMO_BOT}/sync/subscriptions/Opportunity`, { fields: ['StageName'] });
}

const DEALS = ['OPP-123', 'OPP-124', 'OPP-125', 'OPP-126', 'OPP-200', 'OPP-300', 'OPP-301'] as const;
const STEPS = [
  'Send the contract',
  'Call the buyer',
  'Ask for the floor plan',
  'Book a workshop',
  'Wait for the board',
];
const ACCOUNTS = ['Acme Industries', 'Globex Shipping', 'Initech Software', 'Stark Energy Cooperative', 'Wonka Foods'];
const VISITORS = ['Berg', 'Okoro', 'Lindqvist', 'Haddad', 'Moreno', 'Kaya', 'Rossi', 'Dubois', 'Park', 'Weiss'];

async function aDay(
  played: Played,
  dice: (sides: number) => number,
  { day, morning, isBusy }: { readonly day: number; readonly morning: number; readonly isBusy: boolean },
): Promise<void> {
  const { call, decide, sync, ask, clock } = played;
  const pick = <T>(list: readonly [T, ...T[]] | readonly T[]): T => list[dice(list.length)] as T;
  const turns = isBusy ? 3 + dice(4) : 1 + dice(2);
  for (let turn = 0; turn < turns; turn++) {
    clock.to(morning + turn * (80 + dice(30)) * MINUTE_MS);
    const conversation = `chat-${day}-${turn}`;
    await call('GetAccount', { name: pick(ACCOUNTS), include: ['opportunities'] }, { conversation });
    switch (dice(8)) {
      case 0:
      case 1: {
        const name = pick(VISITORS);
        const email = `${name.toLowerCase()}.${day}.${turn}@visitor.example`;
        await call(
          'CreateLead',
          { lastName: name, firstName: 'Sam', company: `${name} GmbH`, email },
          { conversation },
        );
        break;
      }
      case 2:
      case 3:
        await call('UpdateOpportunity', { reference: pick(DEALS), nextStep: `${pick(STEPS)} (${day}.${turn})` });
        break;
      case 4:
        await decide(
          await call(
            'UpdateOpportunity',
            { reference: pick(DEALS), amount: 10_000 + 500 * dice(80) },
            { conversation },
          ),
          dice(4) === 0 ? 'reject' : 'approve',
          dice(2) === 0 ? 'ada' : 'bo',
        );
        break;
      case 5:
        await call('RunSOQL', { soql: 'SELECT Name, StageName FROM Opportunity WHERE IsClosed = false LIMIT 5' });
        break;
      case 6:
        // Nobody came in time: it expires.
        await call('RunSOQL', {
          soql: `SELECT AccountId, SUM(Amount) FROM Opportunity GROUP BY AccountId LIMIT ${5 + turn}`,
        });
        break;
      default:
        await call('RunSOQL', { soql: 'SELECT Name FROM User WHERE IsActive == true' });
    }
    if (dice(3) === 0) {
      const n = 1 + dice(PEOPLE.length);
      await ask('PUT', `/api/parties/party-${n}`, { phone: `+49 30 555 ${1_000 + day * 10 + turn}` });
      await sync();
    }
  }
  const visitor = { lastName: pick(VISITORS), email: `shop.${day}@visitor.example`, company: 'Private' };
  await call('CreateLead', visitor, { bot: SHOP, channel: 'chat', principal: 'agent:page', from: `visitor-${day}` });
  if (day % 5 === 0) await call('RunSOQL', { soql: 'SELECT Id FROM Account' }, { bot: SHOP });
  clock.to(morning + 14 * HOUR_MS);
  await sync();
}

/** Other programs use the org too: their part of the day's budget is what the chart would show of a real one. */
async function setApiUse(org: Sim, day: number, dice: (sides: number) => number): Promise<void> {
  const apiUsed = day % 7 < 5 ? 25_000 + dice(45_000) : 5_000 + dice(6_000);
  const body = JSON.stringify({ apiUsed });
  const headers = { 'content-type': 'application/json' };
  await org.fetch(new Request('http://sim.localhost/_sim/settings', { method: 'POST', headers, body }), {
    loopback: true,
  });
}
