import { expect, it } from 'vitest';
import { rotateToken } from '../../src/sync/inbound/tokens.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { deliver, setWebhook } from '../../src/sync/webhooks/deliver.ts';
import { describeStores } from '../support/databases.ts';
import { status } from './status-of.ts';
import { createSyncWorld } from './world.ts';

const party = (localId: string) => ({ kind: 'party', localId });

describeStores((_name, openFresh) => {
  it('is quiet when all is in step [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    expect(await status(world)).toMatchObject({
      links: [{ kind: 'party', state: 'active', count: 1 }],
      waiting: 0,
      problems: [],
      polled: [{ object: 'Contact' }, { object: 'Opportunity' }],
    });
    expect(await status(world)).not.toHaveProperty('waitingSince');
  });

  it('names each trouble once, with how many have it, who, and the cure [S5] [R4]', async () => {
    await using world = await createSyncWorld(openFresh);
    for (const id of ['p1', 'p2', 'p3']) await world.put(id, { email: `${id}@example.com`, name: '' });
    await world.put('gone', { email: 'gone@example.com', name: 'Gone' });
    await world.put('c1', { title: 'Won for nothing', status: 'resolved' }, { kind: 'case' });
    await world.settle();
    await world.control('POST', 'records/Contact', { Id: (await world.link('gone')).sfId, IsDeleted: true });
    world.clock.advance(60_000);
    await world.settle();
    const { problems } = await status(world);
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'invalid_input',
        salesforce: 'REQUIRED_FIELD_MISSING',
        quote: expect.stringContaining('Required fields are missing'),
        count: 3,
        next: 'Give the field a value at the host, or a default in the mapping.',
        examples: [party('p1'), party('p2'), party('p3')],
      }),
      expect.objectContaining({ code: 'not_found', count: 1, examples: [party('gone')] }),
      expect.objectContaining({ code: 'validation_rule', examples: [{ kind: 'case', localId: 'c1' }] }),
    ]);
    // The log says the same, with the same cure.
    for (const { next, examples, code } of problems) {
      if (code === 'not_found') continue;
      const rows = await world.log(examples[0]?.localId);
      expect(rows.some((row) => row.error?.next === next)).toBe(true);
    }
  });

  it('says why records wait for nobody [S5] [O7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    const waiting = async () => {
      const { problems } = await status(world);
      expect(problems).toMatchObject([{ code: 'pending', count: 1 }]);
      return `${problems[0]?.message} ${problems[0]?.next}`;
    };
    world.clock.advance(1_000);
    await world.setMode('read-only');
    expect(await waiting()).toMatch(/in the mode read-only.*policy mode demo/);
    await world.setMode('automatic');
    await world.fresh.store.connections.patch('demo', { state: 'needs_reauth' });
    expect(await waiting()).toMatch(/needs a new login.*gatehouse connect demo/);
    await world.fresh.store.connections.patch('demo', { state: 'connected' });
    world.clock.advance(9 * 60_000);
    expect(await status(world)).toMatchObject({ waiting: 1, problems: [] });
    world.clock.advance(2 * 60_000);
    expect(await waiting()).toMatch(/no process works on them.*gatehouse worker/);
  });

  it('says what closes a whole kind, and how many wait for it [S5] [P5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const mapping = { ...defaultMapping('party'), object: 'Gone__c' };
    await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    world.clock.advance(3_600_000);
    expect(await status(world)).toMatchObject({
      waiting: 1,
      problems: [{ code: 'not_found', count: 1, message: expect.stringContaining('Gone__c') }],
    });
  });

  it('tells that the org lost a field of a saved mapping, and not that it lacks one few orgs have [S5] [S6]', async () => {
    await using world = await createSyncWorld(openFresh);
    const lose = (...withoutFields: string[]) => world.control('POST', 'settings', { withoutFields });
    const shipped = defaultMapping('party');
    const channel = {
      local: ['channel'],
      remote: ['Preferred_Channel__c'],
      direction: 'both' as const,
      transforms: [],
    };
    const mapping = { ...shipped, rules: [...shipped.rules, channel] };
    await world.store.mappings.add({ bot: 'demo', kind: 'party', version: 1, mapping, by: 'ada', at: 1 });
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', channel: 'email' });
    await world.settle();
    expect((await status(world)).problems).toEqual([]);
    await lose('Contact.Preferred_Channel__c', 'Contact.TimeZone__c');
    await world.put('p1', { channel: 'phone' });
    await world.settle();
    // One that nobody sent is lost without a word; the record that was to bear it says so, too.
    expect((await status(world)).problems).toMatchObject([
      { salesforce: 'INVALID_FIELD', message: expect.stringContaining('names Preferred_Channel__c, which'), count: 1 },
      { salesforce: 'INVALID_FIELD', quote: expect.stringContaining("'Preferred_Channel__c'"), count: 1 },
    ]);
    await lose();
    world.clock.advance(3_600_000);
    await world.sync.batches.start('demo', (await world.org()).orgId, 'party');
    await world.sync.batches.work('demo', await world.org());
    expect((await status(world)).problems).toEqual([]);
    expect(await world.records()).toMatchObject([{ Preferred_Channel__c: 'phone' }]);
  });

  it('tells that outbound messages stay away, as soon as a poll finds what they did not tell [S5] [I1]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    const change = async (title: string) => {
      world.clock.advance(60_000);
      await world.edit((await world.link('p1')).sfId ?? '', { Title: title });
      world.clock.advance(60_000);
      await world.settle();
    };
    await change('nobody promised a message');
    expect((await status(world)).problems).toEqual([]);
    await rotateToken({ store: world.store, now: () => world.clock.now }, 'address', 'demo');
    await change('one was promised');
    expect((await status(world)).problems).toMatchObject([
      {
        code: 'events_missing',
        next: expect.stringContaining('Outbound Message Delivery Status'),
        examples: [party('p1')],
      },
    ]);
    await world.fresh.store.connections.patch('demo', { lastEventAt: world.clock.now });
    expect((await status(world)).problems).toEqual([]);
  });

  it('tells that the host app does not take its webhooks, and what to do [S5] [S7]', async () => {
    await using world = await createSyncWorld(openFresh);
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace' });
    await world.settle();
    // Nobody listens on port 9.
    await setWebhook(world.delivery, 'demo', 'http://127.0.0.1:9/hook?key=hidden');
    world.clock.advance(60_000);
    await world.edit((await world.link('p1')).sfId ?? '', { Title: 'Countess' });
    world.clock.advance(60_000);
    await world.settle();
    expect(await deliver(world.delivery, 'demo')).toBe(0);
    const { problems } = await status(world);
    expect(problems).toEqual([
      {
        code: 'webhook_failing',
        message:
          'The webhook to 127.0.0.1:9 fails, 1 time(s) in a row; 1 change(s) wait. The receiver could not be reached.',
        next: expect.stringContaining('PUT /api/bots/demo/sync/webhook'),
        count: 1,
        examples: [],
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('hidden');
    const target = { state: 'off', lastError: 'The receiver answered 410.' } as const;
    await world.store.webhooks.patch('demo', 'http://127.0.0.1:9/hook?key=hidden', target);
    expect((await status(world)).problems).toMatchObject([{ next: expect.stringContaining('DELETE') }]);
  });
});
