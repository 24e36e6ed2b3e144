import { describe, expect, it } from 'vitest';
import type { ActionPolicy } from '../../permissions/policy.ts';
import { type Door, openDoor, type SignedIn } from '../support/door.ts';

const OBJECTS = ['Lead', 'Account', 'Contact', 'Opportunity', 'Case', 'Task'];
/** One call of each shipped action, as a model makes it. */
const CALLS = {
  CreateLead: { lastName: 'Rossi', company: 'Rossi Srl', email: 'r@rossi.example' },
  GetAccount: { opportunity: 'OPP-123' },
  UpdateOpportunity: { reference: 'OPP-456', stageName: 'Closed Won' },
  RunSOQL: { soql: 'SELECT Name FROM Account LIMIT 3' },
  SyncParty: { localId: 'p-1' },
  SyncCase: { localId: 'c-1' },
} as const;
const AUTO: ActionPolicy = { decision: 'auto', assurance: 'client', rules: [], autoFields: [], expose: [] };

describe('the playground', () => {
  const begin = async (door: Door, as: SignedIn, live = false) =>
    (await door.ask('POST', '/api/bots/demo/playground', { as, json: { live } })).json;
  const run = async (door: Door, as: SignedIn, id: string, action: string, json: unknown) =>
    (await door.ask('POST', `/api/bots/demo/playground/${id}/actions/${action}`, { as, json })).json.trace;
  const events = async (door: Door, as: SignedIn, id: string, text: string) => {
    const answer = await door.ask('POST', `/api/bots/demo/playground/${id}/messages`, { as, json: { text } });
    return answer.text
      .split('\n\n')
      .flatMap((block) => (block.startsWith('data: ') ? [JSON.parse(block.slice(6))] : []));
  };
  const held = async (door: Door) => {
    const records: unknown[] = [];
    // One by one: the simulated org is one file.
    for (const object of OBJECTS) records.push(await door.world.records(object));
    return { records, proposals: await door.world.app.store.proposals.list({ limit: 100 }) };
  };
  /** Requests to the simulated org that can only be writes; several reads go as one composite, whose writes the records would show. */
  const writes = async (door: Door) =>
    ((await door.world.sim('GET', 'calls')).calls as { method: string; path: string }[]).filter(
      ({ method, path }) => method !== 'GET' && !path.includes('/oauth2/') && !path.endsWith('/composite'),
    );

  it('writes nothing in a dry run, whatever is asked and however policy lets it, and nothing waits afterwards [W7 C1]', async () => {
    for (const audience of ['internal', 'public'] as const) {
      await using door = await openDoor({
        audience,
        policy: (policy) => ({
          ...policy,
          actions: Object.fromEntries(Object.keys(CALLS).map((name) => [name, AUTO])),
        }),
      });
      const as = await door.signIn('admin');
      await door.ask('PUT', '/api/parties/p-1', {
        key: door.keys.host,
        json: { lastName: 'Rossi', email: 'r@x.example' },
      });
      const { id, isLive } = await begin(door, as);
      expect(isLive).toBe(false);
      await door.world.call('GetAccount', CALLS.GetAccount).catch(() => {});
      const before = await held(door);
      const sent = await writes(door);
      for (const [action, args] of Object.entries(CALLS)) {
        const trace = await run(door, as, id, action, args);
        expect([action, trace.outcome === 'waiting' || trace.outcome === 'other']).toEqual([action, false]);
        if (['CreateLead', 'UpdateOpportunity'].includes(action) && audience === 'internal')
          expect(trace).toMatchObject({ decision: 'auto', outcome: 'dry run', answer: { result: { dryRun: true } } });
      }
      await events(door, as, id, 'Move OPP-456 to Closed Won');
      expect(await held(door)).toEqual(before);
      expect(await writes(door)).toEqual(sent);
    }
  }, 60_000);

  it('shows each call of the model with its arguments and rule, and says that nothing was written [W7]', async () => {
    await using door = await openDoor();
    const as = await door.signIn('admin');
    const { id, model, actions } = await begin(door, as);
    expect(model).toBeTruthy();
    expect(actions.map(({ name }: { name: string }) => name)).toContain('UpdateOpportunity');
    const turn = await events(door, as, id, 'Move OPP-456 to Closed Won');
    const trace = turn.find(({ type }) => type === 'trace');
    expect(trace.step).toMatchObject({
      action: 'UpdateOpportunity',
      args: expect.objectContaining({ reference: 'OPP-456' }),
      decision: 'confirm',
      outcome: 'dry run',
      policyRevision: 1,
    });
    expect(trace.step.calls).toBeGreaterThan(0);
    expect(trace.step.reasons.length).toBeGreaterThan(0);
    const said = turn.flatMap(({ type, delta }) => (type === 'text' ? [delta] : [])).join('');
    expect(said).toContain('Dry run: nothing was written.');
    expect(turn.at(-1)).toMatchObject({ type: 'done', reason: 'answered' });
    const read = await door.ask('GET', `/api/bots/demo/playground/${id}`, { as });
    expect(read.json).toMatchObject({ isLive: false, canResume: false });
  });

  it('stays a dry run or live as it was begun, for whoever began it alone, whatever the call says [W7]', async () => {
    await using door = await openDoor();
    const [as, other] = [await door.signIn('admin'), await door.signIn('admin')];
    const { id } = await begin(door, as);
    const path = `/api/bots/demo/playground/${id}`;
    for (const more of ['?live=true', '/messages?live=true'])
      expect((await door.ask('POST', path + more, { as, json: { text: 'Hello', live: true } })).status).toBeGreaterThan(
        399,
      );
    expect((await door.ask('GET', path, { as: other })).status).toBe(404);
    const live = await begin(door, as, true);
    const trace = await run(door, as, live.id, 'UpdateOpportunity', CALLS.UpdateOpportunity);
    expect(trace).toMatchObject({ outcome: 'waiting', answer: { status: 'waiting' } });
    expect(await door.world.app.store.proposals.list({ limit: 5 })).toMatchObject([
      { principal: `operator:${as.name}` },
    ]);
    expect((await run(door, as, id, 'UpdateOpportunity', CALLS.UpdateOpportunity)).outcome).toBe('dry run');
  });

  it('is for who may use it, in a browser, and stops with their role [W7 C3]', async () => {
    await using door = await openDoor();
    const ask = (given: object) => door.ask('POST', '/api/bots/demo/playground', { json: {}, ...given });
    expect((await ask({ key: await door.operatorKey('admin') })).status).toBe(403);
    expect((await ask({ key: door.keys.agent })).status).toBe(403);
    for (const role of ['approver', 'viewer'] as const)
      expect((await ask({ as: await door.signIn(role) })).status).toBe(403);
    await door.signIn('admin');
    const as = await door.signIn('admin');
    const { id } = await begin(door, as);
    await door.world.app.store.operators.setRole(as.name, 'viewer');
    expect((await door.ask('GET', `/api/bots/demo/playground/${id}`, { as })).status).toBe(403);
  });

  it('counts no approved write of it as a run of the bot, and every other one [W7 C1]', async () => {
    await using door = await openDoor({
      policy: (policy) => ({
        ...policy,
        actions: { ...policy.actions, CreateLead: { ...AUTO, decision: 'confirm' } },
      }),
    });
    const { world } = door;
    const runs = () => world.app.store.counters.sum('runs:demo:CreateLead', world.clock.now - 3_600_000);
    const as = await door.signIn('admin');
    const { id } = await begin(door, as, true);
    const tried = await run(door, as, id, 'CreateLead', CALLS.CreateLead);
    expect(await world.approve(tried.answer.proposal.id)).toMatchObject({ status: 'done' });
    expect(await runs()).toBe(0);
    const asked = await world.call('CreateLead', { lastName: 'Ito', company: 'Ito & Sons' }, { conversation: id });
    expect(await world.approve(asked.proposal?.id ?? '')).toMatchObject({ status: 'done' });
    expect(await runs()).toBe(1);
  });

  it('is in the audit on a channel of its own, and counts for no rule by the hour [W7 C7]', async () => {
    await using door = await openDoor({
      policy: (policy) => ({
        ...policy,
        actions: {
          ...policy.actions,
          GetAccount: { ...AUTO, rules: [{ if: { runsThisHourAtLeast: 2 }, then: 'deny' }] },
        },
      }),
    });
    const as = await door.signIn('admin');
    const [dry, live] = [await begin(door, as), await begin(door, as, true)];
    for (const { id } of [dry, live, dry, live])
      expect((await run(door, as, id, 'GetAccount', CALLS.GetAccount)).outcome).toBe('done');
    await door.world.call('GetAccount', CALLS.GetAccount);
    await run(door, as, dry.id, 'UpdateOpportunity', CALLS.UpdateOpportunity);
    const rows = await door.world.app.store.audit.find({ bot: 'demo', limit: 50 });
    const own = rows.filter(({ channel }) => channel === 'playground');
    expect(own.map(({ event }) => event)).toEqual(expect.arrayContaining(['playground_opened', 'done', 'tried']));
    expect(new Set(own.map(({ principal }) => principal))).toEqual(new Set([`operator:${as.name}`]));
  });
});
