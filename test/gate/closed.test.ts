import { describe, expect, it } from 'vitest';
import { type Policy, parsePolicy, shippedPolicy } from '../../permissions/policy.ts';
import { reachOf } from '../../src/policy/reach.ts';
import { grantNotes } from '../../src/policy/save.ts';
import { createWorld } from '../support/world.ts';

/** What a call meets before anything else: grants, policy and open objects, each with its true cause. */

const actions = new URL('../support/actions/fixtures/', import.meta.url);
const objects = (change: object) => (policy: Policy) => ({ ...policy, objects: { ...policy.objects, ...change } });
const wish = { reference: 'OPP-123', amount: 90_000 };
const lead = { lastName: 'Doe', company: 'Doe Ltd' };

describe('a closed object', () => {
  it.each<[string, (policy: Policy) => Policy, string, object, string]>([
    [
      'not to be written',
      objects({ Opportunity: { ...shippedPolicy('internal').objects.Opportunity!, write: false } }),
      'UpdateOpportunity',
      wish,
      'objects.Opportunity.write',
    ],
    [
      'not listed',
      (p) => ({ ...p, objects: { Account: p.objects.Account! } }),
      'UpdateOpportunity',
      wish,
      'objects.Opportunity.write',
    ],
    [
      'named in two cases',
      objects({ lead: { ...shippedPolicy('internal').objects.Lead!, write: false } }),
      'CreateLead',
      lead,
      'objects.lead.write',
    ],
    [
      'not to be read',
      objects({ Opportunity: { ...shippedPolicy('internal').objects.Opportunity!, read: false } }),
      'UpdateOpportunity',
      wish,
      'objects.Opportunity.read',
    ],
    [
      'of an action that came later',
      objects({ Task: { ...shippedPolicy('internal').objects.Task!, write: false } }),
      'CreateTask',
      { subject: 'x' },
      'objects.Task.write',
    ],
  ])('%s is refused at the first step, with its place [U5]', async (_, policy, action, args, place) => {
    await using world = await createWorld({ policy, actions });
    const refusal = await world.refusal(action, args);
    expect(refusal).toMatchObject({ code: 'permission_denied', fields: [{ name: place }] });
    expect(`${refusal.message} ${refusal.next}`).toContain(place);
    const tried = world.app.gate.dryRun({ bot: world.bot, action, args, principal: 'local', channel: 'cli' });
    await expect(tried).rejects.toMatchObject({ code: 'permission_denied', fields: [{ name: place }] });
    expect(await world.app.approvals.list({})).toEqual([]);
  });

  it.each([['denyFields'], ['maskFields']])('field of %s is refused before anybody is asked [U5]', async (tag) => {
    const { Opportunity } = shippedPolicy('internal').objects;
    await using world = await createWorld({ policy: objects({ Opportunity: { ...Opportunity!, [tag]: ['amount'] } }) });
    const refusal = await world.refusal('UpdateOpportunity', wish);
    expect(refusal).toMatchObject({ code: 'permission_denied', fields: [{ name: 'Amount' }] });
    expect(refusal.next).toContain('objects.Opportunity');
    expect(await world.app.approvals.list({})).toEqual([]);
  });
});

describe('what a bot may call', () => {
  it('is told with its true cause, and the command that mends it [U6]', async () => {
    await using world = await createWorld({ grants: ['UPDATE_OPPORTUNITY', 'RUN_SOQL', 'READ_ACCOUNT'] });
    const missing = await world.refusal('CreateLead', lead);
    expect(missing.message).toBe('This bot does not hold CREATE_LEAD, which CreateLead needs.');
    expect(missing.next).toContain('gatehouse grant demo CREATE_LEAD');

    await world.setPolicy((policy) => ({
      ...policy,
      actions: {
        UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, decision: 'never' },
        RunSOQL: { ...policy.actions.RunSOQL!, decision: 'deny' },
      },
    }));
    for (const [action, args] of [
      ['UpdateOpportunity', wish],
      ['RunSOQL', { soql: 'SELECT Id FROM Account LIMIT 1' }],
    ] as const) {
      const refusal = await world.refusal(action, args);
      expect(refusal.message).not.toContain('does not hold');
      expect(refusal.next).toContain(`actions.${action}`);
    }
    const listed = (await world.app.gate.actions(world.bot)).map(({ name }) => name);
    expect(listed).toEqual(['GetAccount', 'GetProposal']);
    expect((await world.call('GetAccount', { name: 'Acme Industries' })).status, 'granted and not named').toBe(
      'waiting',
    );
  });

  it('finds nothing in an object’s own members [K12]', async () => {
    await using world = await createWorld();
    for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      expect(await world.refusal(name, {})).toMatchObject({ code: 'not_found' });
      expect(await world.refusal('UpdateOpportunity', JSON.parse(`{"id":"x","${name}":1}`))).toMatchObject({
        code: 'invalid_input',
        fields: [{ name }],
      });
      for (const soql of [
        `SELECT ${name}(Id) FROM Account`,
        `SELECT ${name} FROM Account`,
        `SELECT Id FROM ${name}`,
        `SELECT ${name}.Name FROM Account`,
        `SELECT Id FROM Account WHERE Name = ${name}`,
      ])
        expect(await world.refusal('RunSOQL', { soql }), soql).toMatchObject({ code: 'query_refused' });
      expect(await world.refusal('RunSOQL', { soql: 'SELECT Id FROM Account', cursor: name })).toMatchObject({
        code: 'invalid_input',
      });
    }
  });

  it('has no policy under the names of an object’s own members [K12 C1]', () => {
    for (const text of [
      '{"__proto__":{"mode":"off"}}',
      '{"actions":{"__proto__":{"decision":"deny"}}}',
      '{"actions":{"constructor":{"decision":"deny"}}}',
      '{"objects":{"__proto__":{"read":true}}}',
      '{"objects":{"Account":{"__proto__":["x"]}}}',
      '{"toString":1}',
    ])
      expect(parsePolicy(JSON.parse(text), ['CreateLead']), text).toHaveProperty('problems');
  });
});

describe('an action that is added', () => {
  it('is one file: listed, asked about, shown on the connect page, opened in new policies, named at the grant [U8 U6]', async () => {
    // A bot that was there before the action.
    const policy = (own: Policy) => ({ ...own, objects: shippedPolicy('internal').objects });
    await using world = await createWorld({ grants: ['CREATE_LEAD'], actions, policy });
    const listed = await world.app.gate.actions(world.bot);
    expect(listed.map(({ name }) => name)).toContain('CreateTask');

    const { app } = world;
    expect(shippedPolicy('internal').objects.Task).toMatchObject({ write: false });
    expect(shippedPolicy('internal', app.actions).objects.Task).toMatchObject({ read: true, write: true });
    const bot = (await app.store.bots.get(world.bot))!;
    expect(grantNotes(app.actions, bot, 'CREATE_LEAD')).toEqual([
      expect.stringMatching(/^CreateTask is not in the policy of demo: every call waits for a person/),
      expect.stringMatching(/^CreateTask writes Task, .* Set objects.Task.write to true/),
    ]);

    await world.setPolicy((policy) => ({ ...policy, objects: shippedPolicy('internal', app.actions).objects }));
    const waiting = await world.call('CreateTask', { subject: 'Call Jane' });
    expect(waiting.status).toBe('waiting');
    expect((await world.approve(waiting.proposal!.id)).status).toBe('done');

    const shipped = { ...bot, policy: shippedPolicy('internal', app.actions) };
    expect(reachOf(shipped, app.actions).writes).toEqual(expect.arrayContaining(['Lead', 'Task']));
  });
});
