import type { App } from '../app.ts';
import { DEMO_BOT } from './bots.ts';
import type { Stage } from './demo-stage.ts';

/** What happens in the demo. Every claim is read back from the org, past the gate. */
export async function playScenes(stage: Stage, app: App): Promise<void> {
  const org = await openOrg(app);

  stage.scene('A lead');
  stage.user(
    'Hi, Maria Jensen here from Blue Fjord. Could somebody call me about the sensors? maria@bluefjord.example',
  );
  const lead = { lastName: 'Jensen', firstName: 'Maria', company: 'Blue Fjord', email: 'maria@bluefjord.example' };
  const created = await stage.call('CreateLead', lead);
  stage.check('the lead is made', created.status === 'done');
  stage.check('the org holds it', (await org.count("Lead WHERE Email = 'maria@bluefjord.example'")) === 1);

  stage.note('The connection drops, and the bot sends the same call again.');
  const again = await stage.call('CreateLead', lead);
  stage.check('the repeated call says that it was done already', again.result?.alreadyDone === true);
  stage.check('the org still holds one lead', (await org.count("Lead WHERE Email = 'maria@bluefjord.example'")) === 1);

  stage.scene('A question');
  stage.user('What is the status of OPP-123?');
  const account = await stage.call('GetAccount', { opportunity: 'OPP-123' });
  const { StageName: stageNow } = await org.opportunity('OPP-123');
  stage.check(
    `the answer holds the stage of the record, ${JSON.stringify(stageNow)}`,
    JSON.stringify(account.result ?? {}).includes(JSON.stringify(stageNow)),
  );

  stage.scene('A move that a person refuses');
  stage.user('Great news, mark OPP-456 as won!');
  stage.personWill('decline');
  const declined = await stage.call('UpdateOpportunity', { reference: 'OPP-456', stageName: 'Closed Won' });
  stage.check('the person was asked', stage.questions().length === 1);
  stage.check('the bot is told that it was declined', declined.status === 'declined');
  stage.check('the record is unchanged', (await org.opportunity('OPP-456')).StageName === 'Negotiation/Review');

  stage.scene('A move that a person allows');
  stage.user('OPP-123 is signed for 90,000. Please move it to Closed Won.');
  stage.personWill('approve');
  const moved = await stage.call('UpdateOpportunity', {
    reference: 'OPP-123',
    stageName: 'Closed Won',
    amount: 90_000,
  });
  const [question = ''] = stage.questions();
  stage.check(
    'the person saw before and after',
    question.includes('Negotiation/Review') && question.includes('Closed Won'),
  );
  stage.check('it is done', moved.status === 'done');
  const { StageName, Amount } = await org.opportunity('OPP-123');
  stage.check('the org holds the new stage and amount', StageName === 'Closed Won' && Amount === 90_000);

  stage.scene('A query that is repaired');
  stage.user('Which open deals are the largest?');
  const wrong = 'SELECT Name, StageName, Amount FROM Opportunity WHERE IsClosed == false ORDER BY Amount DESC LIMIT 3';
  const refused = await stage.call('RunSOQL', { soql: wrong });
  stage.check('the query is refused before it reaches Salesforce', refused.error?.code === 'query_refused');
  const [, good = '', bad = ''] = /Write (\S+) instead of (\S+)\./.exec(refused.error?.next ?? '') ?? [];
  stage.note('The bot repairs it from that hint alone.');
  const repaired = await stage.call('RunSOQL', { soql: bad === '' ? wrong : wrong.replace(bad, good) });
  stage.check('the broad query was shown to a person first', stage.questions().length === 1);
  stage.check('it is answered with three rows', repaired.result?.returned === 3);

  stage.scene('A permission that is taken away');
  stage.note('An operator revokes RUN_SOQL.');
  await app.store.bots.revoke(DEMO_BOT, 'RUN_SOQL');
  stage.check('the bot is no longer shown RunSOQL', !(await stage.tools()).includes('RunSOQL'));
  const forbidden = await stage.call('RunSOQL', { soql: 'SELECT COUNT() FROM Account' });
  stage.check('calling it anyway is refused', forbidden.error?.code === 'permission_denied');
}

async function openOrg({ connections }: App) {
  const org = await connections.open(DEMO_BOT, { signal: AbortSignal.timeout(60_000) });
  return {
    count: async (what: string) => (await org.query(`SELECT COUNT() FROM ${what}`)).total,
    async opportunity(reference: string): Promise<Readonly<Record<string, unknown>>> {
      const { records } = await org.query(
        `SELECT Name, StageName, Amount FROM Opportunity WHERE Reference__c = '${reference}'`,
      );
      return records[0] ?? {};
    },
  };
}
