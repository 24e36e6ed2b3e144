import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { openDatabase } from '../../src/store/open.ts';
import { describePostgres } from '../support/databases.ts';
import { race, start } from '../support/programs.ts';
import { createWorld, type World } from '../support/world.ts';
import type { Task } from './fixtures/worker.ts';

/** Races and crashes of real processes on one store: never two writes, never a lost decision (C6). */

/** 200 where there is time for it: GATEHOUSE_TEST_KILLED_CALLS=200. */
const KILLED_CALLS = Number(process.env.GATEHOUSE_TEST_KILLED_CALLS ?? 30);
/** Each start of a process takes seconds on a busy machine, and answers ten calls or so before it is killed. */
const KILLED_LIMIT_MS = 60_000 + KILLED_CALLS * 1_500;

const MOVE = { reference: 'OPP-123', nextStep: 'Send the contract' };
const LEAD = { lastName: 'Doe', company: 'Doe Ltd', email: 'jane@doe.example' };

interface House extends AsyncDisposable {
  readonly world: World;
  readonly env: Readonly<Record<string, string>>;
}

type OpenHouse = () => Promise<House>;

describe('on SQLite', () => suite(() => openHouse({}, async () => {})));
describePostgres((makeSchema) =>
  suite(async () => {
    const { target, remove } = await makeSchema();
    // The program takes a schema as it is; this makes it.
    await (await openDatabase(target)).close();
    return openHouse({ DATABASE_URL: target.url }, remove);
  }),
);

function suite(open: OpenHouse): void {
  describe('eight processes', () => {
    it('approve one proposal: one decides, one write leaves, seven are told who was faster [C5 C6 X3]', async () => {
      await using house = await open();
      const { world } = house;
      const { id } = await proposed(world, 'UpdateOpportunity', MOVE);
      const answers = await race(
        'gate',
        Array.from({ length: 8 }, (_, n) => ({ ...at(house), do: 'approve', id, by: `operator:p${n}` })),
      );
      expect(answers.map(({ status, error }) => status ?? error).sort()).toEqual([
        ...Array.from({ length: 7 }, () => 'conflict'),
        'done',
      ]);
      expect(await writes(world)).toBe(1);
      expect(await events(world, id)).toEqual(['proposed', 'approved', 'done']);
      const winner = answers.findIndex(({ status }) => status === 'done');
      expect((await world.app.approvals.inspect(id)).proposal.decidedBy).toBe(`operator:p${winner}`);
      expect(await world.app.audit.verify()).toMatchObject({ ok: true });
    });

    it('make the identical call: one lead, and all are told its id [A4 C6]', async () => {
      await using house = await open();
      const { world } = house;
      await world.setPolicy((policy) => decide(policy, 'auto'));
      const answers = await race(
        'gate',
        Array.from({ length: 8 }, () => ({ ...at(house), do: 'call', action: 'CreateLead', args: LEAD })),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 'done'));
      expect(new Set(answers.map(({ result }) => result.id)).size).toBe(1);
      expect(await leads(world)).toHaveLength(1);
      expect(await world.app.audit.verify()).toMatchObject({ ok: true });
    });

    it('approve and expire at once: what is recorded is what happened [C5 C6]', async () => {
      await using house = await open();
      const { world } = house;
      for (const nextStep of ['first', 'second', 'third']) {
        const before = await writes(world);
        const { id, expiresAt } = await proposed(world, 'UpdateOpportunity', { ...MOVE, nextStep });
        const over = Date.parse(expiresAt);
        // In its last millisecond to one half, over to the other.
        const tasks = Array.from(
          { length: 6 },
          (_, n): Task =>
            n % 2 === 0
              ? { ...at(house), do: 'approve', id, by: `operator:p${n}`, at: over - 1 }
              : { ...at(house), do: 'look', id, at: over },
        );
        await race('gate', tasks);
        const { state } = (await world.app.approvals.inspect(id)).proposal;
        const trail = await events(world, id);
        if (state === 'done') expect(trail).toEqual(['proposed', 'approved', 'done']);
        else expect([state, ...trail]).toEqual(['expired', 'proposed', 'expired']);
        expect(await writes(world)).toBe(before + (state === 'done' ? 1 : 0));
      }
      expect(await world.app.audit.verify()).toMatchObject({ ok: true });
    });
  });

  it(
    'that are killed amid their calls leave a chain that verifies, with every answered call in it [C7]',
    async () => {
      await using house = await open();
      const { world } = house;
      const file = path.join(world.folder, 'told.txt');
      const told = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
      for (let round = 0, answered = 0; answered < KILLED_CALLS; round += 1) {
        const one = await start('gate', { ...at(house), do: 'reads', round, told: file });
        await one.next();
        one.go();
        const enough = answered + 1 + Math.floor(Math.random() * 20);
        while (answered < enough) {
          await sleep(Math.random() * 5);
          answered = (await told()).length;
        }
        await one.kill();
        expect(await one.next()).toBeUndefined();
      }
      const audited = new Set((await world.app.store.audit.find({ limit: 100_000 })).map(({ principal }) => principal));
      expect((await told()).filter((principal) => !audited.has(principal))).toEqual([]);
      expect(await world.app.audit.verify()).toMatchObject({ ok: true });
    },
    KILLED_LIMIT_MS,
  );

  const POINTS = ['decided', 'executing', 'noted-sent', 'noted-done', 'ran', 'before-settled', 'settled'];

  describe('a process that kills itself', () => {
    describe.each([
      ['an update', 'UpdateOpportunity', MOVE, []],
      ['a lead', 'CreateLead', LEAD, []],
      ['a lead in an org without our field', 'CreateLead', LEAD, ['Lead.Gatehouse_Id__c']],
    ] as const)('on the way through %s', (_, action, args, withoutFields) => {
      it.each(POINTS)('at "%s" leaves one write and its approval [A4 C6 C7]', async (crash) => {
        await using house = await open();
        const { world } = house;
        if (withoutFields.length > 0) await world.sim('POST', 'reset', { withoutFields });
        const { id } = await proposed(world, action, args);
        const [answer] = await race('gate', [{ ...at(house), do: 'approve', id, by: 'operator:ada', crash }]);
        expect(answer).toBeUndefined();

        // Long enough for a request of the dead process to have arrived or never to arrive.
        world.clock.now = Date.now() + 2_000;
        await world.recoverAfter(withoutFields.length > 0 ? 11 * 60_000 : 70_000);
        const { proposal } = await world.app.approvals.inspect(id);
        expect(proposal).toMatchObject({ state: 'done', decidedBy: 'operator:ada' });
        expect(proposal.effects.map(({ state }) => state)).toEqual(['done']);
        expect(await writes(world)).toBe(1);
        if (action === 'CreateLead') expect(await leads(world)).toHaveLength(1);
        // Too early to tell, the first time, where a request may still be under way.
        expect((await events(world, id)).filter((event) => event !== 'unknown')).toEqual([
          'proposed',
          'approved',
          'done',
        ]);
        expect(await world.app.retention.recover()).toBe(0);
        expect(await world.app.audit.verify()).toMatchObject({ ok: true });
      });
    });
  });
}

const at = ({ world, env }: House) => ({ env, bot: world.bot });

async function openHouse(given: Readonly<Record<string, string>>, remove: () => Promise<void>): Promise<House> {
  const world = await createWorld({
    env: given,
    // Both write after a person's yes, so that every crash point lies on the way.
    policy: (policy) => decide(policy, 'confirm'),
  });
  return {
    world,
    env: { GATEHOUSE_DATA: world.folder, GATEHOUSE_LOG: 'silent', ...given },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await remove();
    },
  };
}

function decide(policy: Policy, decision: 'auto' | 'confirm'): Policy {
  return {
    ...policy,
    actions: { ...policy.actions, CreateLead: { ...policy.actions.CreateLead!, decision, rules: [] } },
  };
}

async function proposed(world: World, action: string, args: Readonly<Record<string, unknown>>) {
  const { proposal } = await world.call(action, args);
  if (proposal === undefined) throw new Error('it did not wait');
  return proposal;
}

/** Requests that wrote, as the org counted them. */
async function writes(world: World): Promise<number> {
  const { calls } = await world.sim('GET', 'calls');
  return calls.filter(({ method, path }: Record<string, string>) => method !== 'GET' && path?.includes('/sobjects/'))
    .length;
}

const leads = async (world: World) => (await world.records('Lead')).filter(({ LastName }) => LastName === 'Doe');

/** What happened to it; who was told of it when, others look at. */
async function events(world: World, proposal: string): Promise<string[]> {
  const rows = await world.app.store.audit.find({ proposal, limit: 100 });
  return rows.flatMap(({ event }) => (event === 'told' ? [] : [event])).reverse();
}
