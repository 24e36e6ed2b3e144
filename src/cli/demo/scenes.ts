import type { App } from '../../app/app.ts';
import type { Sim } from '../../sim/sim.ts';
import { DEMO_BOT } from '../bots.ts';
import { aColleague } from './colleague.ts';
import { askAsOperator } from './operator.ts';
import type { Stage } from './stage.ts';

/** What happens in the demo. Every claim is checked against the org itself, past the gate. */
export async function playScenes(stage: Stage, app: App, sim: Sim, isStock: boolean): Promise<void> {
  const org = await openOrg(app, stage);
  const deals = isStock ? byName : byReference;
  await aLead(stage, org);
  await aQuestion(stage, org, deals.sensors);
  await aRefusal(stage, org, deals.warehouse);
  await anApproval(stage, org, deals.sensors);
  await aSync(stage, app, org);
  await aConflict(stage, app, org);
  await aColleague(stage, app, sim, await org.idOf(deals.sensors.where));
  await aRepair(stage);
  await aDeclaredAction(stage, app);
  await aRevocation(stage, app);
}

/** How people call a deal, how the bot finds it, and where the org is asked for it. */
interface Deal {
  readonly called: string;
  readonly find: Readonly<Record<string, string>>;
  readonly where: string;
  /** What the bot looks up to tell of it. */
  readonly lookUp: Readonly<Record<string, unknown>>;
}

const referenced = (reference: string): Deal => ({
  called: reference,
  find: { reference },
  where: `Reference__c = '${reference}'`,
  lookUp: { opportunity: reference },
});
const named = (name: string, account: string): Deal => ({
  called: name,
  find: { name },
  where: `Name = '${name}'`,
  lookUp: { name: account, include: ['opportunities'] },
});
const byReference = { sensors: referenced('OPP-123'), warehouse: referenced('OPP-456') };
/** Few orgs number their deals. */
const byName = {
  sensors: named('Acme sensor rollout', 'Acme Industries'),
  warehouse: named('Umber warehouse', 'Umber & Sons'),
};

async function aLead(stage: Stage, org: DemoOrg): Promise<void> {
  stage.scene('A lead, and a repeated call');
  stage.user('Maria Jensen of Blue Fjord here. Could somebody call me about the sensors? maria@bluefjord.example');
  const lead = { lastName: 'Jensen', firstName: 'Maria', company: 'Blue Fjord', email: 'maria@bluefjord.example' };
  const created = await stage.call('CreateLead', lead);
  stage.check('the lead is made', created.status === 'done');
  stage.check('the org holds it', (await org.leads(lead.email)) === 1);

  stage.note('The connection drops before the answer arrives: the bot sends the same call again.');
  const again = await stage.call('CreateLead', lead);
  stage.check('the repeated call is told that it was done already', again.result?.alreadyDone === true);
  stage.check('the org still holds one', (await org.leads(lead.email)) === 1);
}

async function aQuestion(stage: Stage, org: DemoOrg, { called, where, lookUp }: Deal): Promise<void> {
  stage.scene('A question');
  stage.user(`What is the status of ${called}?`);
  const { result } = await stage.call('GetAccount', lookUp);
  const listed = Array.isArray(result?.opportunities) ? result.opportunities : [];
  const told: unknown = result?.opportunity ?? listed.find(({ Name }) => Name === called);
  const stageName = typeof told === 'object' && told !== null && 'StageName' in told ? told.StageName : undefined;
  stage.bot(`${called} is in the stage ${stageName}.`);
  stage.check('that is what the record holds', stageName === (await org.opportunity(where)).StageName);
}

async function aRefusal(stage: Stage, org: DemoOrg, { called, find, where }: Deal): Promise<void> {
  stage.scene('A move that a person declines');
  stage.user(`Great news, mark ${called} as won!`);
  stage.personWill('decline');
  const declined = await stage.call('UpdateOpportunity', { ...find, stageName: 'Closed Won' });
  stage.check('the person was asked', stage.questions().length === 1);
  stage.check('the bot is told that it was declined', declined.status === 'declined');
  stage.check('the record is as it was', (await org.opportunity(where)).StageName === 'Negotiation/Review');
}

async function anApproval(stage: Stage, org: DemoOrg, { called, find, where }: Deal): Promise<void> {
  stage.scene('A move that a person allows');
  stage.user(`${called} is signed for 90,000. Please move it to Closed Won.`);
  stage.personWill('approve');
  const moved = await stage.call('UpdateOpportunity', {
    ...find,
    stageName: 'Closed Won',
    amount: 90_000,
  });
  const [question = ''] = stage.questions();
  stage.check(
    'the person saw before and after',
    ['Negotiation/Review', 'Closed Won'].every((text) => question.includes(text)),
  );
  stage.check('it is done', moved.status === 'done');
  const { StageName, Amount } = await org.opportunity(where);
  stage.check('the org holds the new stage and amount', StageName === 'Closed Won' && Amount === 90_000);
}

async function aSync(stage: Stage, app: App, org: DemoOrg): Promise<void> {
  stage.scene('A customer and her case');
  stage.note('The host app saves a person, and a case in which she is the complainant.');
  const { hosts } = await app.sync();
  const email = 'ana.silva@sunline.example';
  await hosts.put(DEMO_BOT, 'party', [
    { id: 'party-7', fields: { name: 'Ana Silva', email, phone: '+351 21 555 0107' } },
  ]);
  await hosts.put(DEMO_BOT, 'case', [
    { id: 'case-7', fields: { title: 'Sunline warranty' }, parties: [{ party: 'party-7', role: 'complainant' }] },
  ]);

  stage.user('Bring party-7 and then case-7 into Salesforce.');
  const person = await stage.call('SyncParty', { partyId: 'party-7' });
  stage.check('the person is a contact now', person.status === 'done' && (await org.contacts(email)) === 1);
  const synced = await stage.call('SyncCase', { caseId: 'case-7' });
  stage.check('the case is an opportunity with her role', synced.status === 'done' && (await org.roles(email)) === 1);
  const again = await stage.call('SyncParty', { partyId: 'party-7' });
  stage.check(
    'syncing again finds nothing to do',
    again.result?.operation === 'none' && (await org.contacts(email)) === 1,
  );
}

async function aConflict(stage: Stage, app: App, org: DemoOrg): Promise<void> {
  stage.scene('Both sides change, and one field truly conflicts');
  const { hosts } = await app.sync();
  const email = 'ana.silva@sunline.example';
  stage.note(
    'A colleague in Salesforce sets her title and a new phone. A second later the host app sets another phone.',
  );
  await org.change(email, { Title: 'Head of Service', Phone: '+351 21 555 0200' });
  // Salesforce stamps whole seconds: the later edit must be later there, too.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await hosts.put(DEMO_BOT, 'party', [{ id: 'party-7', fields: { phone: '+351 21 555 0300' } }]);

  stage.user('Sync party-7 again.');
  await stage.call('SyncParty', { partyId: 'party-7' });
  const held = await org.contact(email);
  const host = await hosts.get(DEMO_BOT, 'party', 'party-7');
  stage.check(
    'the title came to the host app, for only Salesforce changed it',
    host?.fields.jobTitle === 'Head of Service',
  );
  stage.check(
    'the later phone won on both sides',
    held.Phone === '+351 21 555 0300' && host?.fields.phone === '+351 21 555 0300',
  );

  const logs = await askAsOperator(app, 'GET', `/api/bots/${DEMO_BOT}/sync/logs?localId=party-7`);
  const rows = await logs.text();
  const lost = /\{[^{}]*"lost":"[^"]*"[^{}]*\}/.exec(rows)?.[0] ?? '';
  stage.note(`The sync log keeps what lost, and an operator can put it back: ${lost}`);
  stage.check('the losing phone is kept', lost.includes('+351 21 555 0200'));
}

async function aRepair(stage: Stage): Promise<void> {
  stage.scene('A query, refused, repaired and confirmed');
  stage.user('Which open deals are the largest?');
  const wrong = 'SELECT Name, Amount FROM Opportunity WHERE IsClosed == false ORDER BY Amount DESC NULLS LAST LIMIT 3';
  const refused = await stage.call('RunSOQL', { soql: wrong });
  stage.check('the query is refused before it reaches Salesforce', refused.error?.code === 'query_refused');

  stage.note('The bot repairs it from that hint alone.');
  const [, right, mistake] = /Write (\S+) instead of (\S+)\./.exec(refused.error?.next ?? '') ?? [];
  const repaired = await stage.call('RunSOQL', {
    soql: right === undefined || mistake === undefined ? wrong : wrong.replace(mistake, right),
  });
  stage.check('a query this broad was shown to a person first', stage.questions().length === 1);
  stage.check('it is answered with three rows', repaired.result?.returned === 3);
}

async function aDeclaredAction(stage: Stage, app: App): Promise<void> {
  stage.scene('An action that an operator declares, without code');
  stage.note('The org has an Apex class for orders. An operator declares OrderStatus and grants CUSTOM_ORDER_STATUS.');
  const { botNamed } = await import('../../policy/permit.ts');
  const { saveDeclared } = await import('../../policy/declared.ts');
  const by = { principal: 'operator:demo', channel: 'cli' } as const;
  const { permission } = await saveDeclared(app, await botNamed(app.store, DEMO_BOT), ORDER_STATUS, by);
  await app.store.bots.grant(DEMO_BOT, permission);
  stage.check('the bot is shown OrderStatus like any other tool', (await stage.tools()).includes('OrderStatus'));

  stage.user('Where is my order 10000017?');
  stage.personWill('approve');
  const { result } = await stage.call('OrderStatus', { orderNumber: '10000017' });
  stage.check('code of the org was asked for first', stage.questions().length === 1);
  const status = Object(result?.answer).status;
  stage.bot(`Order 10000017: ${status}.`);
  stage.check('that is what the class answers', status === 'Shipped');
  const wrong = await stage.call('OrderStatus', { orderNumber: '../../data' });
  stage.check('a value that would be another path is refused', wrong.error?.code === 'invalid_input');
}

const ORDER_STATUS = {
  name: 'OrderStatus',
  title: 'Order status',
  description: 'Tells where an order stands. Use when a customer asks about an order. Ask for its number.',
  operation: 'apex-rest',
  method: 'GET',
  path: '/orders/{orderNumber}',
  input: {
    orderNumber: { type: 'text', pattern: '[0-9]{8}', maxLength: 8, required: true, description: 'Eight digits' },
  },
  returns: ['status'],
};

async function aRevocation(stage: Stage, app: App): Promise<void> {
  stage.scene('A permission taken away');
  stage.note('An operator revokes RUN_SOQL.');
  await app.store.bots.revoke(DEMO_BOT, 'RUN_SOQL');
  stage.check('the bot is no longer shown RunSOQL', !(await stage.tools()).includes('RunSOQL'));
  const forbidden = await stage.call('RunSOQL', { soql: 'SELECT COUNT() FROM Account' });
  stage.check('calling it anyway is refused', forbidden.error?.code === 'permission_denied');
}

interface DemoOrg {
  leads(email: string): Promise<number>;
  contacts(email: string): Promise<number>;
  roles(email: string): Promise<number>;
  opportunity(where: string): Promise<Readonly<Record<string, unknown>>>;
  contact(email: string): Promise<Readonly<Record<string, unknown>>>;
  idOf(where: string): Promise<string>;
  /** As a colleague in Salesforce would. */
  change(email: string, fields: Readonly<Record<string, string>>): Promise<void>;
}

async function openOrg({ connections }: App, stage: Stage): Promise<DemoOrg> {
  const org = await connections.open(DEMO_BOT, { signal: AbortSignal.timeout(60_000) });
  const read = async (soql: string) => {
    const { records } = await org.query(soql);
    for (const { attributes: _, ...record } of records) stage.org(JSON.stringify(record));
    return records;
  };
  return {
    leads: async (email) => (await read(`SELECT Name, Company, Status FROM Lead WHERE Email = '${email}'`)).length,
    contacts: async (email) => (await read(`SELECT Name, Email, Phone FROM Contact WHERE Email = '${email}'`)).length,
    roles: async (email) =>
      (await read(`SELECT Role FROM OpportunityContactRole WHERE Contact.Email = '${email}'`)).length,
    opportunity: async (where) =>
      (await read(`SELECT Name, StageName, Amount FROM Opportunity WHERE ${where}`))[0] ?? {},
    contact: async (email) => (await read(`SELECT Name, Title, Phone FROM Contact WHERE Email = '${email}'`))[0] ?? {},
    idOf: async (where) => String((await org.query(`SELECT Id FROM Opportunity WHERE ${where}`)).records[0]?.Id),
    async change(email, fields) {
      const { records } = await org.query(`SELECT Id FROM Contact WHERE Email = '${email}'`);
      await org.patch('Contact', String(records[0]?.Id), fields);
    },
  };
}
