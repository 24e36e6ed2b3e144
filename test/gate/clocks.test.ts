import { expect, it } from 'vitest';
import { type App, createApp } from '../../src/app/app.ts';
import { destroyOld } from '../../src/app/housekeeping.ts';
import { createSim } from '../../src/sim/sim.ts';
import { openDatabase } from '../../src/store/open.ts';
import { describeOnce, describePostgres } from '../support/databases.ts';
import { createClock, createWorld, type World, type WorldOptions } from '../support/world.ts';

/** Two processes on one store whose clocks differ: one approval, one write, whoever's clock is right. */

const LEAD = { lastName: 'Doe', company: 'Doe Ltd' };
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 370 * DAY_MS;
const SKEWS = [5 * MINUTE_MS, -26 * 3_600_000];

describeOnce('on SQLite', () => suite(async () => ({ env: {}, async [Symbol.asyncDispose]() {} })));
describePostgres((makeSchema) =>
  suite(async () => {
    const { target, remove } = await makeSchema();
    await (await openDatabase(target)).close();
    return { env: { DATABASE_URL: target.url }, [Symbol.asyncDispose]: remove };
  }),
);

function suite(place: () => Promise<AsyncDisposable & { readonly env: Readonly<Record<string, string>> }>): void {
  it.each(['noted-sent', 'ran'])(
    'a process whose clock differs takes nothing from one that lives, in the middle of a create at "%s" [K6] [C6]',
    async (point) => {
      for (const skewMs of SKEWS) {
        await using at = await place();
        await using world = await asking(at.env);
        await world.sim('POST', 'reset', { withoutFields: ['Lead.Gatehouse_Id__c'] });
        const id = await waiting(world);
        const stop = pausing(point);
        const slow = await world.again(stop.crash);
        const approved = slow.approvals.decide(id, yes);
        await stop.reached;
        const other = await skewed(world, skewMs);
        // It looks again and again, for less than a lease of its own steady time.
        for (let n = 0; n < 5; n++) {
          await other.retention.recover();
          world.clock.advance(9_000);
        }
        expect(await leads(world), `${skewMs}`).toBe(point === 'ran' ? 1 : 0);
        stop.release();
        expect((await approved).status).toBe('done');
        await other.retention.recover();
        expect(await leads(world), `${skewMs}`).toBe(1);
        expect(await world.app.audit.verify()).toMatchObject({ ok: true });
        await other.close();
      }
    },
  );

  it('what a process left that stands still is taken over once, by a lease of the observer, ahead or behind [K6] [C6]', async () => {
    for (const skewMs of [5 * MINUTE_MS, -5 * MINUTE_MS]) {
      await using at = await place();
      await using world = await asking(at.env);
      await world.sim('POST', 'reset', { withoutFields: ['Lead.Gatehouse_Id__c'] });
      const id = await waiting(world);
      const stop = pausing('noted-sent');
      const dead = await world.again(stop.crash);
      const woken = dead.approvals.decide(id, yes).catch(() => {});
      await stop.reached;
      const other = await skewed(world, skewMs);
      await other.retention.recover();
      // Without our field it is sent again only when Salesforce cannot be at the first one any more.
      for (const ms of [61_000, 538_000]) {
        world.clock.advance(ms);
        await other.retention.recover();
        expect(await leads(world), 'not a second too early').toBe(0);
      }
      world.clock.advance(2_000);
      await other.retention.recover();
      expect(await leads(world)).toBe(1);
      expect((await other.approvals.inspect(id)).proposal.state).toBe('done');
      // It wakes up after all: what it held is not its own any more.
      stop.release();
      await woken;
      await other.retention.recover();
      expect(await leads(world)).toBe(1);
      await other.close();
    }
  });

  it('a create whose answer was lost is found by whoever looks for it, by the clock of the org and not of the machine that sent it [K6] [C6]', async () => {
    for (const skewMs of [4 * MINUTE_MS, -4 * MINUTE_MS]) {
      await using at = await place();
      const clock = createClock();
      const simulatedOrg = await createSim({ now: () => clock.now, seed: { records: {} } });
      await using world = await asking(at.env, { clock, seams: { simulatedOrg } });
      await world.sim('POST', 'reset', { withoutFields: ['Lead.Gatehouse_Id__c'] });
      // A colleague's, of the same words, made minutes before: no window that is too wide may take it for ours.
      await world.sim('POST', 'records/Lead', { LastName: 'Doe', Company: 'Doe Ltd' });
      clock.advance(2 * MINUTE_MS);
      const id = await waiting(world);
      const writer = await world.again(undefined, { now: () => clock.now + skewMs, ticks: () => clock.now });
      const lost = [
        { method: 'POST', path: '/sobjects/Lead' },
        { method: 'GET', path: 'CreatedDate' },
      ];
      for (const match of lost) await world.sim('POST', 'faults', { type: 'drop', when: 'after', match, times: 9 });
      expect((await writer.approvals.decide(id, yes)).status, `${skewMs}`).toBe('unknown');
      await world.sim('POST', 'faults', { clear: true });
      await world.recoverAfter(90_000);
      const { proposal } = await world.app.approvals.inspect(id);

      expect([proposal.state, proposal.effects.map((effect) => effect.id)], `${skewMs}`).toEqual([
        'done',
        [(await world.records('Lead')).at(-1)?.Id],
      ]);
      expect(await leads(world)).toBe(2);
      await simulatedOrg.close();
    }
  });

  it('an approval meets a clock that is behind: within the tolerance it is written, beyond it its end names the clocks [K6] [C5]', async () => {
    // To the second before the tolerance of five minutes ends, and past it.
    for (const skewMs of [-5 * MINUTE_MS + 1_000, -5 * MINUTE_MS - 1_000]) {
      await using at = await place();
      await using world = await asking(at.env);
      const id = await waiting(world);
      const other = await skewed(world, skewMs);
      const answer = await other.approvals.decide(id, yes);
      const isWithin = skewMs > -5 * MINUTE_MS;
      expect(answer.status, `${skewMs}`).toBe(isWithin ? 'done' : 'conflict');
      expect(await leads(world)).toBe(isWithin ? 1 : 0);
      if (!isWithin)
        expect(answer.proposal?.problem).toMatchObject({ next: expect.stringMatching(/clocks of the machines/) });
      await other.close();
    }
  });

  it('a clock that is a year ahead destroys nothing that is kept for its time, whoever has it and however often it starts [K6] [C7]', async () => {
    await using at = await place();
    const clock = createClock();
    const simulatedOrg = await createSim({ now: () => clock.now });
    await using world = await createWorld({ env: at.env, clock, seams: { simulatedOrg } });
    const start = () => world.again(undefined, { now: () => clock.now + YEAR_MS, ticks: () => clock.now });
    await world.call('CreateLead', LEAD);
    await destroyOld(world.app);
    for (let starts = 0; starts < 3; starts++) {
      const other = await start();
      for (let hours = 0; hours < 3; hours++) {
        expect(await destroyOld(other)).toEqual({ rows: 0, proposals: 0 });
        clock.advance(3_600_000);
      }
    }
    // Once a day has passed the clock of the org counts, which it hears with each answer, and which is not a year ahead.
    const other = await start();
    const args = { opportunity: 'OPP-123' };
    await other.gate.call({ bot: world.bot, principal: 'local', channel: 'mcp', action: 'GetAccount', args });
    for (let hours = 0; hours < 30; hours++) {
      await destroyOld(other);
      clock.advance(3_600_000);
    }
    expect(await isKept(world)).toBe(true);
    await simulatedOrg.close();
  });

  it('values go after their time where clocks agree, also after a month in which nothing ran: a day later [K6] [C7]', async () => {
    await using at = await place();
    await using world = await createWorld({ env: at.env });
    await world.call('CreateLead', LEAD);
    expect(await destroyOld(world.app)).toEqual({ rows: 0, proposals: 0 });
    world.clock.advance(31 * DAY_MS);
    const next = await skewed(world, 0);
    for (let hours = 0; hours < 24; hours++) {
      expect(await destroyOld(next), `${hours} hours`).toEqual({ rows: 0, proposals: 0 });
      world.clock.advance(3_600_000);
    }
    await destroyOld(next);
    expect(await isKept(world)).toBe(false);
    await next.close();
  });

  it('clocks that differ are told as a problem, ahead or behind, and equal ones are not [K6]', async () => {
    for (const skewMs of [0, 5 * MINUTE_MS, -5 * MINUTE_MS]) {
      await using at = await place();
      await using world = await asking(at.env);
      const other = await skewed(world, skewMs);
      for (let n = 0; n < 2; n++) {
        await world.app.clocks.beat();
        world.clock.advance(5_000);
        await other.clocks.beat();
        world.clock.advance(25_000);
      }
      await world.app.clocks.beat();
      const told = (await (await world.app.sync()).status(world.bot))?.problems.map(({ message }) => message);
      expect(told).toEqual(
        skewMs === 0 ? [] : [expect.stringMatching(/clocks of the machines .* differ by (2[789]|30)\d seconds/)],
      );
      await other.close();
    }
  });
}

const yes = { answer: 'approve', by: 'operator:ada', via: 'cli', assurance: 'session' } as const;

const asking = (env: Readonly<Record<string, string>>, more: WorldOptions = {}) =>
  createWorld({
    ...more,
    env,
    policy: (p) => ({
      ...p,
      actions: { ...p.actions, CreateLead: { ...p.actions.CreateLead!, decision: 'confirm', rules: [] } },
    }),
  });

async function waiting(world: World): Promise<string> {
  const { proposal } = await world.call('CreateLead', LEAD);
  return proposal?.id ?? expect.fail('it did not wait');
}

const leads = async (world: World) => (await world.records('Lead')).filter(({ LastName }) => LastName === 'Doe').length;

/** Another machine on the same store: its wall clock is wrong, its steady time runs like everybody's. */
const skewed = (world: World, skewMs: number): Promise<App> =>
  createApp(world.app.config, { now: () => world.clock.now + skewMs, ticks: () => world.clock.now });

/** Whether what the lead was made of can still be read beside its row. */
async function isKept({ app }: World): Promise<boolean> {
  const rows = await app.store.audit.page(0, 100);
  const done = rows.find(({ event, action }) => event === 'done' && action === 'CreateLead');
  return app.audit.unsealed(done ?? expect.fail('nothing was written')) !== undefined;
}

/** A process that stands still at a point, until it is let go. */
function pausing(point: string) {
  let release = () => {};
  let reach = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const crash = (at: string) => {
    if (at !== point) return undefined;
    reach();
    return gate;
  };
  return { crash, reached, release: () => release() };
}
