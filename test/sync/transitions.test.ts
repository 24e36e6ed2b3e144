import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SyncStore } from '../../src/ports/sync-store.ts';
import { useInbox } from '../../src/sync/inbound/inbox.ts';
import { describeStores, type OpenFresh } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { Crash, crashAt, createSyncWorld, type SyncWorld } from './world.ts';

const PATH = '/api/bots/demo/sync/subscriptions/Opportunity';
const WON = { field: 'StageName', becomes: ['Closed Won'] };

async function createWatched(openFresh: OpenFresh, when: object | undefined = WON) {
  const world = await createSyncWorld(openFresh);
  const before = await deal(world, 'Closed Won');
  const open = await deal(world, 'Prospecting');
  world.clock.advance(3_600_000);
  await world.poll();
  const answer = await bodyOf(door(world)('PUT', PATH, { fields: ['Name'], when }));
  world.clock.advance(60_000);
  return { world, before, open, answer, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

const deal = (world: SyncWorld, StageName: string) =>
  world.add({ Name: 'Deal', StageName, CloseDate: '2026-06-01' }, 'Opportunity');

async function told(world: SyncWorld): Promise<readonly string[]> {
  return (await world.store.feed.after('demo', 0, 1_000)).flatMap(({ kind, sfId }) =>
    kind === 'record' ? [sfId ?? ''] : [],
  );
}

/** Found by polls alone. */
async function look(world: SyncWorld): Promise<void> {
  await world.poll();
  await world.inbox();
  world.clock.advance(60_000);
}

describeStores((_name, openFresh) => {
  it('tells a won opportunity once for each time it is won, by whichever way it is heard of [I2] [S7]', async () => {
    await using watched = await createWatched(openFresh);
    const { world, before, open, answer } = watched;
    expect(answer).toEqual({ object: 'Opportunity', fields: ['Name'], when: WON, held: 1 });
    // What was won before, and what is edited without being won.
    await world.edit(before, { NextStep: 'call' }, 'Opportunity');
    await world.edit(open, { NextStep: 'call' }, 'Opportunity');
    await look(world);
    expect(await told(world)).toEqual([]);
    await world.edit(open, { StageName: 'Closed Won' }, 'Opportunity');
    await look(world);
    await world.edit(open, { NextStep: 'bill' }, 'Opportunity');
    await look(world);
    expect(await told(world)).toEqual([open]);
    expect((await world.store.feed.after('demo', 0, 9))[0]?.changes).toEqual({
      Name: { before: null, after: 'Deal' },
      StageName: { before: null, after: 'Closed Won' },
    });
    // Lost again and won again; made as won; the one from before, lost and won.
    for (const id of [open, before]) {
      await world.edit(id, { StageName: 'Prospecting' }, 'Opportunity');
      await look(world);
      await world.edit(id, { StageName: 'Closed Won' }, 'Opportunity');
      await look(world);
    }
    const made = await deal(world, 'Closed Won');
    await look(world);
    expect(await told(world)).toEqual([open, open, before, made]);
  });

  it('tells a move from one awaited value to another, and what came back deleted only if it was moved [S7]', async () => {
    await using watched = await createWatched(openFresh, {
      field: 'stagename',
      becomes: ['closed won', 'Closed Lost'],
    });
    const { world, before, open, answer } = watched;
    expect(answer.when).toEqual({ field: 'StageName', becomes: ['Closed Won', 'Closed Lost'] });
    await world.edit(before, { StageName: 'Closed Lost' }, 'Opportunity');
    await look(world);
    expect(await told(world)).toEqual([before]);
    await (await world.org()).remove('Opportunity', before);
    await look(world);
    await world.control('POST', 'undelete', { object: 'Opportunity', id: before });
    await look(world);
    await world.edit(open, { StageName: 'Closed Won' }, 'Opportunity');
    await (await world.org()).remove('Opportunity', open);
    await look(world);
    expect(await told(world)).toEqual([before]);
    await world.control('POST', 'undelete', { object: 'Opportunity', id: open });
    await look(world);
    expect(await told(world)).toEqual([before, open]);
  });

  it('decides on what was read after the last decision: a late reader of an old value tells nothing twice [sync-P9]', async () => {
    await using watched = await createWatched(openFresh);
    const { world, open } = watched;
    // Reads while it is not won yet, and comes to decide after another process told the win.
    await world.edit(open, { NextStep: 'call' }, 'Opportunity');
    await world.poll();
    const org = await world.org();
    const { store } = world.delivery;
    // The other one has not seen the first hint: more came in between than one read takes.
    const inbox: SyncStore['inbox'] = {
      ...store.inbox,
      pending: async (...asked) => (await store.inbox.pending(...asked)).filter(({ eventId }) => eventId === 'other'),
    };
    let isFirst = true;
    const late = useInbox(world.delivery, 'demo', {
      ...org,
      async composite(parts) {
        const answer = await org.composite(parts);
        if (!isFirst) return answer;
        isFirst = false;
        world.clock.advance(5_000);
        await world.edit(open, { StageName: 'Closed Won' }, 'Opportunity');
        await hint(world, open, 'other');
        await useInbox({ ...world.delivery, store: { ...store, inbox } }, 'demo', org);
        return answer;
      },
    });
    await late;
    expect(await told(world)).toEqual([open]);
    await world.edit(open, { NextStep: 'bill' }, 'Opportunity');
    await look(world);
    expect(await told(world)).toEqual([open]);
  });

  it('killed before, inside of or after the transaction that decides, tells each transition exactly once [sync-P8]', async () => {
    await using watched = await createWatched(openFresh);
    const { world, open } = watched;
    let wins = 0;
    const deaths = ['decided', 'told', 'finished', 'none'] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...deaths), { minLength: 1, maxLength: 4 }), async (steps) => {
        for (const step of steps) {
          await world.edit(open, { StageName: 'Prospecting' }, 'Opportunity');
          await look(world);
          await world.edit(open, { StageName: 'Closed Won' }, 'Opportunity');
          wins++;
          await world.poll();
          await expect(dieAt(world, step)).rejects.toThrow(Crash);
          await look(world);
        }
        expect(await told(world)).toEqual(Array.from({ length: wins }, () => open));
      }),
      { numRuns: 8 },
    );
  });

  it('says which subscribed fields a change event named, and no others [I2] [P5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = await deal(world, 'Prospecting');
    await world.poll();
    await door(world)('PUT', PATH, { fields: ['StageName', 'Amount'] });
    const changed = { object: 'Opportunity', kind: 'event', changed: ['StageName'] } as const;
    await world.edit(id, { StageName: 'Qualification', NextStep: 'call' }, 'Opportunity');
    await hint(world, id, 'e1', changed);
    await world.inbox();
    await world.edit(id, { Amount: 7 }, 'Opportunity');
    await hint(world, id, 'e2');
    await world.inbox();
    const { changes } = await bodyOf(door(world)('GET', '/api/changes'));
    expect(changes.map(({ data }: { data: object }) => data)).toEqual([
      expect.objectContaining({ recordId: id, changed: ['StageName'] }),
      expect.not.objectContaining({ changed: expect.anything() }),
    ]);
    await world.setPolicy((policy) => {
      const Opportunity = {
        ...policy.objects.Opportunity,
        denyFields: ['StageName'],
      } as typeof policy.objects.Opportunity;
      return { ...policy, objects: { ...policy.objects, Opportunity: Opportunity! } };
    });
    expect(JSON.stringify(await bodyOf(door(world)('GET', '/api/changes')))).not.toContain('StageName');
  });

  it('keeps what it knows when only the fields change, begins anew when the values do, and forgets with the subscription [S7]', async () => {
    await using watched = await createWatched(openFresh);
    const { world, open } = watched;
    const ask = door(world);
    await world.edit(open, { StageName: 'Closed Won' }, 'Opportunity');
    expect(await bodyOf(ask('PUT', PATH, { fields: ['Name', 'Amount'], when: WON }))).not.toHaveProperty('held');
    await look(world);
    expect(await told(world)).toEqual([open]);
    expect((await bodyOf(ask('GET', PATH.replace('/Opportunity', '')))).subscriptions).toEqual([
      { object: 'Opportunity', fields: ['Name', 'Amount'], when: WON },
    ]);
    const lost = { field: 'StageName', becomes: ['Closed Lost'] };
    expect(await bodyOf(ask('PUT', PATH, { fields: ['Name'], when: lost }))).toMatchObject({ held: 0 });
    await ask('DELETE', '/api/bots/demo/sync/subscriptions/opportunity');
    const { orgId } = await world.org();
    expect(await world.store.transitions.looks({ bot: 'demo', orgId }, 'Opportunity', lost as never)).toBeUndefined();
  });

  it('tells nothing in an org where nobody looked who was won already, and says so [S7]', async () => {
    await using watched = await createWatched(openFresh);
    const { world, open } = watched;
    await world.store.transitions.forget('demo', 'Opportunity');
    await world.edit(open, { StageName: 'Closed Won' }, 'Opportunity');
    await look(world);
    expect(await told(world)).toEqual([]);
    expect((await world.app.sync().then((sync) => sync.status('demo')))?.problems).toContainEqual(
      expect.objectContaining({ code: 'conflict', message: expect.stringContaining('Opportunity') }),
    );
  });

  it.each([
    { field: 'StageName' },
    { field: 'StageName', becomes: [] },
    { field: 'StageName', becomes: ['Won'] },
    { field: 'StageName', becomes: ["Closed Won' OR Name != '"] },
    { field: 'StageNam', becomes: ['Closed Won'] },
    { field: 'Name', becomes: ['Deal'] },
    { field: 'Account.Name', becomes: ['x'] },
    { field: 'IsWon', becomes: ['yes'] },
    { field: 'IsWon', becomes: [true, false] },
    { field: 'StageName', becomes: [1] },
    { field: 'StageName', becomes: ['Closed Won'], once: true },
    'StageName',
  ])('refuses %j, says what is wrong with which part, and saves nothing', async (when) => {
    await using world = await createSyncWorld(openFresh);
    const refused = door(world)('PUT', PATH, { fields: ['Name'], when });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [expect.objectContaining({ name: expect.stringMatching(/^when/) })],
    });
    expect(await world.store.subscriptions.list('demo')).toEqual([]);
  });

  it('waits for nothing that policy closes [P5]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.setPolicy((policy) => {
      const Opportunity = {
        ...policy.objects.Opportunity,
        maskFields: ['StageName'],
      } as typeof policy.objects.Opportunity;
      return { ...policy, objects: { ...policy.objects, Opportunity: Opportunity! } };
    });
    await expect(door(world)('PUT', PATH, { fields: ['Name'], when: WON })).rejects.toMatchObject({
      code: 'permission_denied',
      fields: [{ name: 'when.field' }],
    });
  });
});

async function hint(world: SyncWorld, sfId: string, eventId: string, more: object = {}): Promise<void> {
  const { orgId } = await world.org();
  const row = {
    bot: 'demo',
    orgId,
    eventId,
    object: 'Opportunity',
    sfId,
    kind: 'callout',
    receivedAt: world.clock.now,
  };
  await world.store.inbox.add([{ ...row, ...more } as Parameters<SyncStore['inbox']['add']>[0][number]]);
}

/** A process that uses up what waits and dies: after the decision, after the tell, or after the commit. */
async function dieAt(world: SyncWorld, step: 'decided' | 'told' | 'finished' | 'none'): Promise<void> {
  if (step === 'none') throw new Crash('it never came so far');
  if (step === 'finished') {
    await world.process({ crash: crashAt('inbox-finished') }).inbox();
    return;
  }
  const { store } = world.delivery;
  const mortal = {
    ...store,
    atomically: (<T>(work: (inside: SyncStore) => Promise<T>) =>
      store.atomically((inside) =>
        work({
          ...inside,
          transitions: {
            ...inside.transitions,
            async put(...given) {
              await inside.transitions.put(...given);
              if (step === 'decided') throw new Crash(step);
            },
          },
          feed: {
            ...inside.feed,
            async add(...given) {
              await inside.feed.add(...given);
              throw new Crash(step);
            },
          },
        }),
      )) as SyncStore['atomically'],
  };
  await useInbox({ ...world.delivery, store: mortal }, 'demo', await world.org());
}
