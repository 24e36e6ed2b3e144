import { DEMO_BOT } from '../bots.ts';
import type { Played } from './played.ts';

const MINUTE_MS = 60_000;
const BOT = `/api/bots/${DEMO_BOT}`;

/** How the month ends: a conflict, a problem of each kind, batches, what waits for a person. */
export async function leaveTroubles(played: Played, until: number): Promise<void> {
  const { ask, sync, clock, app } = played;
  await ask('POST', `${BOT}/sync/inbound-token`, {});
  await ask('POST', `${BOT}/sync/flow-token`, {});
  // Nothing listens there: a webhook that fails.
  await ask('PUT', `${BOT}/sync/webhook`, { url: 'http://127.0.0.1:9/changes' });
  await mapping(played);
  await sync();
  await conflict(played);

  const nameless = [1, 2, 3, 4].map((n) => ({ externalId: `form-${n}`, email: `form.${n}@visitor.example` }));
  const org = await app.connections.open(DEMO_BOT, { signal: AbortSignal.timeout(60_000) });
  for (const LastName of ['Twin (Berlin)', 'Twin (Hamburg)'])
    await org.create('Contact', { LastName, Email: 'twin@visitor.example' }, { allowDuplicates: true });
  const person = (externalId: string, name: string, more: object) => ({
    externalId,
    name,
    email: `${externalId}@visitor.example`,
    ...more,
  });
  await ask('PUT', '/api/parties', {
    parties: [
      ...nameless,
      person('twin', 'Who Twin', {}),
      person('cleo', 'Cleo Ruiz', { company: 'Nowhere Ltd' }),
      person('dara', 'Dara Ruiz', { company: 'Nowhere Ltd' }),
      person('emil', 'Emil Holm', { company: 'Northwind Traders' }),
      person('gone', 'Gustav Gone', {}),
    ],
  });
  await ask('PUT', '/api/cases', {
    cases: [
      { externalId: 'won-for-nothing', title: 'Won without an amount', status: 'resolved' },
      { externalId: 'on-hold', title: 'A status nobody mapped', status: 'on hold' },
    ],
  });
  await sync();
  clock.to(until - 80 * MINUTE_MS);
  const { records } = await org.query("SELECT Id FROM Contact WHERE Email = 'gone@visitor.example'");
  await org.remove('Contact', String(records[0]?.Id));
  clock.to(until - 70 * MINUTE_MS);
  await sync();

  await ask('POST', `${BOT}/sync/batches`, {
    kind: 'case',
    repeat: { every: 'week', on: 'sunday', at: '02:30', zone: 'Europe/Berlin' },
  });
  await ask('POST', `${BOT}/sync/batches`, { kind: 'party', only: 'failed' });
  await sync();
  // The host app has sent them a moment ago: the bot's page says that they are ready.
  clock.to(until - 9 * MINUTE_MS);
  await waiting(played);
}

/** One saved version of each, so that there is something to go back to. */
async function mapping({ ask }: Played): Promise<void> {
  // Answers of our own routes.
  const { mapping, version } = (await ask('GET', `${BOT}/mappings/party`)) as {
    readonly mapping: { readonly rules: readonly object[] };
    readonly version: number;
  };
  const rule = { local: ['department'], remote: ['Department'], direction: 'both', transforms: [{ use: 'trim' }] };
  await ask('PUT', `${BOT}/mappings/party`, { mapping: { ...mapping, rules: [...mapping.rules, rule] }, version });
  await ask('PUT', `${BOT}/mappings/case`, (await ask('GET', `${BOT}/mappings/case`)) as object);
}

/** Both sides change one field between two passes; the later one wins, the other is kept. */
async function conflict({ app, ask, sync, clock }: Played): Promise<void> {
  const org = await app.connections.open(DEMO_BOT, { signal: AbortSignal.timeout(60_000) });
  const { records } = await org.query("SELECT Id FROM Contact WHERE Email = 'ana.silva@sunline.example'");
  clock.to(clock.now() + 10 * MINUTE_MS);
  await org.patch('Contact', String(records[0]?.Id), { Phone: '+351 21 555 0200', Title: 'Head of Service' });
  clock.to(clock.now() + 2 * MINUTE_MS);
  await ask('PUT', '/api/parties/party-7', { phone: '+351 21 555 0300' });
  await ask('POST', `${BOT}/sync/retry`, { kind: 'party', localIds: ['party-7'] });
  await sync();
}

async function waiting({ call }: Played): Promise<void> {
  const conversation = 'chat-today';
  await call('UpdateOpportunity', { reference: 'OPP-123', stageName: 'Closed Won', amount: 168_000 }, { conversation });
  await call('UpdateOpportunity', { reference: 'OPP-456', closeDate: '2027-03-31' }, { conversation });
  const same = {
    lastName: 'Okafor',
    firstName: 'Maya',
    company: 'Brightwater',
    email: 'maya.okafor@brightwater.example',
  };
  await call('CreateLead', same, { conversation });
}
