import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createSim, type Sim } from '../../src/sim/sim.ts';
import { openDoor } from '../support/door.ts';
import { createClock, createWorld, type World, type WorldOptions } from '../support/world.ts';

const DAY_MS = 86_400_000;
const THANKS = { status: 'done', result: { received: true } };
const JANE = { lastName: 'Doe', firstName: 'Jane', company: 'Doe Ltd', email: 'jane@doe.example' };

const open = (options: WorldOptions = {}) => createWorld({ audience: 'public', grants: ['CREATE_LEAD'], ...options });
const own = (policy: Policy, change: object): Policy => ({
  ...policy,
  actions: { ...policy.actions, CreateLead: { ...policy.actions.CreateLead!, ...change } },
});
const known = async (world: World) =>
  String((await world.records('Contact')).find(({ Email }) => typeof Email === 'string')!.Email);
const leadsOf = async (world: World, lastName = 'Doe') =>
  (await world.records('Lead')).filter(({ LastName }) => LastName === lastName);
const waiting = async (world: World) => (await world.app.approvals.list({ pending: true }))[0]!;
/** The one that waits for a person; a slow machine may still be judging it. */
const asked = async (world: World) => {
  await expect.poll(async () => (await waiting(world))?.state, { timeout: 10_000 }).toBe('pending');
  return waiting(world);
};
/** What runs unheard is over when nothing is on its way any more. */
const settled = (world: World) =>
  expect
    .poll(async () => (await world.app.store.proposals.list({ limit: 99 })).map(({ state }) => state), {
      timeout: 10_000,
    })
    .not.toEqual(expect.arrayContaining([expect.stringMatching(/received|approved|executing/)]));

describe('what a visitor was thanked for', () => {
  it('waits a week for a person, is a problem after that, and is written when somebody says so [U1 P6]', async () => {
    await using world = await open();
    expect(await world.call('CreateLead', { ...JANE, email: await known(world) })).toEqual(THANKS);
    const held = await asked(world);
    expect(held).toMatchObject({ state: 'pending', assurance: 'session', preview: { choices: expect.any(Array) } });
    expect(held.expiresAt).toBe(world.clock.now + 7 * DAY_MS);
    world.clock.advance(40 * DAY_MS);
    await world.app.retention.recover();
    await world.app.retention.tidy(world.clock.now - 30 * DAY_MS);
    expect((await world.app.approvals.inspect(held.id)).proposal).toMatchObject({
      state: 'expired',
      args: { lastName: 'Doe' },
    });
    expect(await world.app.approvals.heldRequests(world.bot)).toMatchObject({
      undecided: { count: 1, examples: [held.id] },
    });
    expect(await world.app.approvals.list({ pending: true })).toHaveLength(1);
    expect((await world.approve(held.id, { choice: 'create' })).status).toBe('done');
    expect(await leadsOf(world)).toHaveLength(1);
    expect(await world.app.approvals.heldRequests(world.bot)).toMatchObject({ waiting: 0, undecided: { count: 0 } });
    // Nothing of the person is kept once it is decided.
    expect((await world.app.approvals.inspect(held.id)).proposal).toMatchObject({
      state: 'done',
      args: {},
      preview: null,
    });
    // What ended by its time without a visitor stays over.
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });

  it('lives as long as its action says, at most 30 days, and can be declined late [U1 U4]', async () => {
    await using world = await open({
      policy: (policy) => own(policy, { decision: 'confirm', expiresMinutes: 43_200 }),
    });
    await world.call('CreateLead', JANE);
    const { id, expiresAt } = await asked(world);
    expect(expiresAt).toBe(world.clock.now + 30 * DAY_MS);
    world.clock.advance(31 * DAY_MS);
    const no = { answer: 'reject', by: 'operator:ada', via: 'console', assurance: 'session' } as const;
    expect((await world.app.approvals.decide(id, no)).status).toBe('declined');
    expect((await world.app.approvals.inspect(id)).proposal).toMatchObject({
      state: 'rejected',
      args: {},
      preview: null,
    });
    await expect(world.approve(id)).rejects.toMatchObject({ code: 'conflict' });
    expect(await leadsOf(world)).toEqual([]);
  });

  it('waits while the bot is not connected, and is judged and asked anew in the org that comes [U1 K2]', async () => {
    await using world = await open();
    const email = await known(world);
    await world.call('CreateLead', { ...JANE, lastName: 'Before', email });
    const before = await asked(world);
    await world.app.connections.disconnect(world.bot);
    expect(await world.call('CreateLead', { ...JANE, lastName: 'Away', email: 'away@doe.example' })).toEqual(THANKS);
    expect(await world.app.approvals.heldRequests(world.bot)).toMatchObject({ notLookedUp: 2, waiting: 0 });
    await expect(world.approve(before.id, { choice: 'create' })).rejects.toMatchObject({ code: 'not_connected' });
    const gone = await world.app.approvals.inspect(before.id);
    expect(gone.proposal).toMatchObject({ state: 'received', orgId: null });
    expect(gone.proposal.preview).not.toHaveProperty('choices');

    await world.app.connections.connect(world.bot, { flow: 'simulated' });
    await world.app.store.connections.patch(world.bot, { orgId: '00D0000000000ZZEAQ' });
    await world.app.retention.recover();
    expect(await leadsOf(world, 'Away')).toHaveLength(1);
    expect((await world.app.approvals.inspect(before.id)).proposal).toMatchObject({
      state: 'pending',
      orgId: '00D0000000000ZZEAQ',
      preview: { choices: expect.any(Array) },
    });
    expect((await world.approve(before.id, { choice: 'create' })).status).toBe('done');
  });

  it('is written by one yes in an org that was never asked before, also after its time [U1]', async () => {
    await using world = await open();
    await world.app.connections.disconnect(world.bot);
    await world.call('CreateLead', JANE);
    world.clock.advance(8 * DAY_MS);
    await world.app.retention.recover();
    const { id, state } = await waiting(world);
    expect(state).toBe('expired');
    await world.app.connections.connect(world.bot, { flow: 'simulated' });
    expect((await world.approve(id)).status).toBe('done');
    expect(await leadsOf(world)).toHaveLength(1);
  });

  it.each(['limit', 'lock', 'status', 'closed'] as const)(
    'comes back when it was let through and then not written, by %s, and is written once that is over [U1 C6]',
    async (cause) => {
      await using world = await open();
      const closed = (write: boolean) =>
        world.setPolicy((p) => ({ ...p, objects: { ...p.objects, Lead: { ...p.objects.Lead!, write } } }));
      if (cause === 'closed') await closed(false);
      else
        await world.sim('POST', 'faults', {
          type: cause,
          times: 9,
          match: { path: '/sobjects/Lead/', method: 'PATCH' },
        });
      expect(await world.call('CreateLead', JANE)).toEqual(THANKS);
      const failed = async () => {
        const [held] = await world.app.store.proposals.list({ limit: 1 });
        // What policy closes is not even looked up: it waits as it came, and nobody is asked about it in vain.
        return cause === 'closed' ? held?.state === 'received' : held?.error !== null;
      };
      await expect.poll(failed, { timeout: 10_000 }).toBe(true);
      expect(await leadsOf(world)).toEqual([]);
      expect((await world.app.store.proposals.list({ limit: 1 }))[0]).toMatchObject({
        args: { lastName: 'Doe' },
        settledAt: null,
      });
      if (cause === 'closed') await closed(true);
      else await world.sim('POST', 'faults', { clear: true });
      for (let n = 0; n < 4; n += 1) {
        world.clock.advance(3_700_000);
        await world.app.retention.recover();
      }
      expect(await leadsOf(world)).toHaveLength(1);
      expect((await world.app.store.proposals.list({ limit: 1 }))[0]).toMatchObject({ state: 'done', args: {} });
    },
  );

  it('with a value that the org does not take, it is mended by whoever decides it [U1]', async () => {
    await using world = await open();
    await world.app.connections.disconnect(world.bot);
    expect(await world.call('CreateLead', { ...JANE, lastName: 'D'.repeat(200) })).toEqual(THANKS);
    await world.app.connections.connect(world.bot, { flow: 'simulated' });
    await world.app.retention.recover();
    const { id, state, reasons } = await waiting(world);
    expect([state, reasons.at(-1)]).toEqual(['pending', expect.stringContaining('lastName')]);
    expect((await world.approve(id, { values: { lastName: 'Doe' } })).status).toBe('done');
    expect(await leadsOf(world)).toHaveLength(1);
  });

  it('lies encrypted, and goes with the person [U1 C7]', async () => {
    await using world = await open();
    const email = await known(world);
    await world.call('CreateLead', { ...JANE, email, description: 'Please-call-me-back' });
    const { id } = await asked(world);
    const names = (await readdir(world.folder)).filter((name) => name.startsWith('gatehouse.db'));
    const stored = (await Promise.all(names.map((name) => readFile(path.join(world.folder, name), 'latin1')))).join('');
    expect(stored).toContain(id);
    for (const value of [email, 'Please-call-me-back', 'Doe Ltd']) expect(stored).not.toContain(value);
    // All of it or nothing: another proposal of the person stands in the way, and the request is not lost meanwhile.
    const { store } = world.app;
    const other = 'f'.repeat(32);
    await store.proposals.insert({
      ...(await asked(world)),
      id: other,
      dedupeKey: null,
      visitor: null,
      args: { email },
    });
    await expect(world.app.retention.erase(email, 'operator:ada')).rejects.toMatchObject({ code: 'conflict' });
    expect((await store.proposals.get(id))?.state).toBe('pending');
    await store.proposals.move(other, ['pending'], 'expired', {});
    expect(await world.app.retention.erase(email, 'operator:ada')).toMatchObject({ proposals: 2 });
    expect((await world.app.approvals.inspect(id)).proposal).toMatchObject({
      state: 'rejected',
      args: {},
      preview: null,
    });
  });
});

describe('what a visitor can see', () => {
  it('is the same for a known and an unknown person, whatever the queue, the rate, the rules and the org [K5 P6]', async () => {
    const worlds: readonly [string, WorldOptions, ((world: World) => unknown)?][] = [
      ['as shipped', {}],
      ['look-alikes are denied', { policy: (p) => own(p, { rules: [{ if: { duplicates: true }, then: 'deny' }] }) }],
      ['over the rate', { policy: (p) => own(p, { rules: [{ if: { runsThisHourAtLeast: 0 }, then: 'confirm' }] }) }],
      ['a full queue', { policy: (p) => ({ ...p, proposals: { ...p.proposals, maxPending: 1 } }) }],
      [
        'a full form',
        { policy: (p) => ({ ...p, proposals: { ...p.proposals, maxHeld: 1 } }) },
        (world) => world.app.connections.disconnect(world.bot),
      ],
      ['not connected', {}, (world) => world.app.connections.disconnect(world.bot)],
    ];
    for (const [name, options, prepare] of worlds) {
      await using world = await open(options);
      const email = await known(world);
      await prepare?.(world);
      const answers = [];
      for (const one of [email, 'a@b.example', email, 'c@d.example', email])
        answers.push(
          await world
            .call('CreateLead', { ...JANE, lastName: `L${answers.length}`, email: one })
            .catch(({ code, message }) => `${code}: ${message}`),
        );
      const [first, ...others] = answers;
      expect([name, first]).toEqual([name, THANKS]);
      expect([name, new Set(others.map((answer) => JSON.stringify(answer))).size]).toEqual([name, 1]);
    }
  });

  it('waits for the same requests whoever it is, and never for what becomes of it: no time tells who is known [K5 P6]', async () => {
    const rest = { denyFields: [], sensitiveFields: [], maskFields: [] };
    const closed = { Lead: { ...rest, read: false, write: true }, Contact: { ...rest, read: false, write: false } };
    const roads: readonly [string, WorldOptions, string?][] = [
      ['as shipped', {}],
      ['look-alikes are denied', { policy: (p) => own(p, { rules: [{ if: { duplicates: true }, then: 'deny' }] }) }],
      [
        'policy closes who is there',
        { policy: (p) => ({ ...own(p, { rules: [] }), objects: { ...p.objects, ...closed } }) },
      ],
      ['and the org refuses a second', { policy: (p) => own(p, { rules: [] }) }, 'block'],
      ['and the org asks', { policy: (p) => own(p, { rules: [] }) }, 'alert'],
    ];
    for (const [name, options, duplicates] of roads) {
      let isHeld = false;
      const asked: string[] = [];
      const going: (() => void)[] = [];
      const clock = createClock();
      const org = await createSim({ now: () => clock.now });
      const simulatedOrg: Sim = {
        ...org,
        async fetch(request) {
          const { pathname } = new URL(request.url);
          // The lead, or the record that is used instead: nobody waits for what becomes of the request.
          const isOfRun = /\/sobjects\/\w+(\/(?!describe)|$)/.test(pathname);
          if (isHeld && isOfRun) await new Promise<void>((resolve) => going.push(resolve));
          else if (pathname.startsWith('/services/data/')) asked.push(`${request.method} ${pathname}`);
          return org.fetch(request);
        },
      };
      await using world = await open({ ...options, clock, seams: { simulatedOrg } });
      if (duplicates !== undefined) await world.sim('POST', 'rules', { duplicates });
      const email = await known(world);
      // Once before, for describes.
      await world.call('CreateLead', { ...JANE, lastName: 'First', email: 'first@b.example' });
      await settled(world);
      isHeld = true;
      const seen = [];
      for (const one of [email, 'a@b.example', email, 'c@d.example']) {
        asked.length = 0;
        expect(await world.call('CreateLead', { ...JANE, lastName: `L${seen.length}`, email: one })).toEqual(THANKS);
        seen.push(asked.join());
      }
      expect([name, ...new Set(seen)]).toEqual([name, seen[0]]);
      isHeld = false;
      for (const go of going) go();
      await settled(world);
    }
  });

  it('is closed for everybody when a thousand wait, and open again when one is decided [K5 U1]', async () => {
    await using world = await open({
      policy: (p) => ({ ...own(p, { decision: 'confirm' }), proposals: { ...p.proposals, maxHeld: 2 } }),
    });
    const lead = (lastName: string) => world.call('CreateLead', { ...JANE, lastName });
    const crowd = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => lead(`Crowd ${n}`)));
    expect(crowd.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    await settled(world);
    const calls = await world.calls();
    expect(await world.refusal('CreateLead', { ...JANE, lastName: 'Late' })).toMatchObject({ code: 'rate_limited' });
    // Before anything is looked up.
    expect(await world.calls()).toBe(calls);
    await world.approve((await asked(world)).id);
    expect(await lead('Next')).toEqual(THANKS);
    expect(await world.refusal('CreateLead', { ...JANE, description: 'x'.repeat(8_200) })).toMatchObject({
      code: 'invalid_input',
    });
  });

  it('is closed to a stranger who fills it, and to an address that does under many names, before it is to others [K5 U1]', async () => {
    await using world = await open({
      policy: (p) => ({ ...own(p, { decision: 'confirm' }), proposals: { ...p.proposals, maxHeld: 40 } }),
    });
    let count = 0;
    const leave = (who: string, more: object) => {
      count += 1;
      const args = { ...JANE, lastName: `Lead ${count}` };
      return world
        .call('CreateLead', args, { principal: `chat:visitor:demo/${who}`, channel: 'chat', ...more })
        .catch(({ code }) => code);
    };
    const crowd = async (names: readonly string[], from: (at: number) => string) => {
      const answers = [];
      for (const [at, name] of names.entries()) answers.push(await leave(name, { from: from(at) }));
      return answers.filter((answer) => answer !== 'rate_limited').length;
    };
    expect(await crowd(['one', 'one', 'one', 'one'], () => 'a')).toBe(2);
    expect(await crowd(['two', 'three', 'four', 'five', 'six', 'seven'], () => 'a')).toBe(4);
    const many = Array.from({ length: 50 }, (_, n) => `visitor ${n}`);
    const taken = await crowd(many, (at) => `address ${at}`);
    expect(taken).toBeGreaterThan(20);
    expect(6 + taken).toBeLessThanOrEqual(36);
    expect(await leave('last', { from: 'elsewhere' })).toBe('rate_limited');
    for (const indexValue of ['ACME-001', 'GLOBEX-001', 'NORTH-001', 'STARK-001'])
      expect(await leave(indexValue, { session: { indexValue } })).toEqual(THANKS);
  });

  it('is not told by a free place of a full form either: it is taken alike by what runs and by what waits [K5]', async () => {
    for (const isKnown of [true, false]) {
      await using world = await open({ policy: (p) => ({ ...p, proposals: { ...p.proposals, maxHeld: 3 } }) });
      const email = await known(world);
      const lead = (lastName: string, of: string) => world.call('CreateLead', { ...JANE, lastName, email: of });
      expect(await lead('One', email)).toEqual(THANKS);
      expect(await lead('Two', email)).toEqual(THANKS);
      expect(await lead('Probe', isKnown ? email : 'nobody@knows.example')).toEqual(THANKS);
      await settled(world);
      expect(await world.refusal('CreateLead', { ...JANE, lastName: 'After' })).toMatchObject({ code: 'rate_limited' });
      expect(await world.app.approvals.list({ pending: true })).toHaveLength(isKnown ? 3 : 2);
    }
  });

  it('counts requests, not what became of them; beyond it they are held, a visitor’s own crowd apart [K5 C1]', async () => {
    await using world = await open();
    const crowd = (who: string, many: number) =>
      Promise.all(
        Array.from({ length: many }, (_, n) =>
          world.call('CreateLead', { lastName: `${who}${n}`, company: 'Acme' }, { principal: who }),
        ),
      );
    expect(new Set((await crowd('one', 30)).map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify(THANKS)]),
    );
    await settled(world);
    const written = async () => (await world.records('Lead')).filter(({ Company }) => Company === 'Acme').length;
    expect(await written()).toBe(10);
    await crowd('two', 5);
    await settled(world);
    expect(await written()).toBe(15);
    await crowd('three', 9);
    await settled(world);
    expect(await written()).toBe(20);
    expect(await world.app.approvals.list({ pending: true, limit: 99 })).toHaveLength(24);
    world.clock.advance(3_700_000);
    await crowd('one', 1);
    await settled(world);
    expect(await written()).toBe(21);
  });

  it('is one wish within its window, and a key for other values is told [A4]', async () => {
    await using world = await open();
    for (let n = 0; n < 3; n += 1) expect(await world.call('CreateLead', JANE, { key: 'k1' })).toEqual(THANKS);
    expect(await world.refusal('CreateLead', { ...JANE, title: 'x' }, { key: 'k1' })).toMatchObject({
      code: 'conflict',
    });
    expect(await world.refusal('CreateLead', { ...JANE, lastName: 'D'.repeat(200) })).toMatchObject({
      code: 'invalid_input',
      fields: [{ name: 'lastName' }],
    });
    await settled(world);
    expect(await leadsOf(world)).toHaveLength(1);
  });
});

it('stands on the approval pages as long as nobody answered, with "Write it now" after its time [U1]', async () => {
  await using door = await openDoor({ audience: 'public', grants: ['CREATE_LEAD'] });
  const { world } = door;
  await world.app.connections.disconnect(world.bot);
  await world.call('CreateLead', JANE);
  const { id } = await waiting(world);
  const as = await door.signIn('approver');
  const page = async (path: string) => (await door.ask('GET', path, { as, headers: { accept: 'text/html' } })).text;
  expect(await page(`/approvals/${id}`)).toContain('A visitor was thanked for this.');
  world.clock.advance(8 * DAY_MS);
  await world.app.retention.recover();
  const back = await door.signIn('approver');
  const late = async (path: string) =>
    (await door.ask('GET', path, { as: back, headers: { accept: 'text/html' } })).text;
  // What the queue of the app asks.
  expect(await late('/api/proposals')).toContain(id);
  expect(await late(`/approvals/${id}`)).toContain('Write it now');
  await world.app.connections.connect(world.bot, { flow: 'simulated' });
  const form = { csrf: back.csrf, answer: 'approve' };
  expect((await door.ask('POST', `/approvals/${id}`, { as: back, form })).status).toBeLessThan(400);
  expect(await leadsOf(world)).toHaveLength(1);
});
