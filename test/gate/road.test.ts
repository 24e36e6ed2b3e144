import { describe, expect, it } from 'vitest';
import { createWorld } from '../support/world.ts';

describe('find and permit', () => {
  it('refuses an action that was not granted with 403, lists it nowhere, and writes it down [P2]', async () => {
    await using world = await createWorld({ grants: ['READ_ACCOUNT'] });
    const listed = await world.app.gate.actions(world.bot);
    expect(listed.map(({ name }) => name)).toEqual(['GetAccount']);
    const error = await world.refusal('CreateLead', { lastName: 'Doe', company: 'Acme' });
    expect(error).toMatchObject({ code: 'permission_denied', status: 403 });
    expect(error.message).toContain('CREATE_LEAD');
    const rows = await world.app.store.audit.find({ bot: world.bot, event: 'refused', limit: 10 });
    expect(rows).toHaveLength(1);
    expect(rows[0]?.action).toBe('CreateLead');
    expect(await world.records('Lead')).toEqual(
      (await world.records('Lead')).filter(({ LastName }) => LastName !== 'Doe'),
    );
  });

  it('unlocks the dispatcher with any one permission, and GetProposal only where something may wait [P2]', async () => {
    await using world = await createWorld({ grants: ['UPDATE_OPPORTUNITY'] });
    expect((await world.app.gate.actions(world.bot)).map(({ name }) => name)).toEqual([
      'UpdateOpportunity',
      'GetProposal',
    ]);
  });

  it('answers 404 for an action and a bot that do not exist [E]', async () => {
    await using world = await createWorld();
    expect(await world.refusal('DropEverything', {})).toMatchObject({ code: 'not_found', status: 404 });
    expect(await world.refusal('GetAccount', { name: 'x' }, { bot: 'nobody' })).toMatchObject({ code: 'not_found' });
  });

  it('switches a bot, an action and all writes off from the next call on [P5]', async () => {
    await using world = await createWorld();
    await world.setPolicy((policy) => ({ ...policy, off: ['CreateLead'] }));
    expect(await world.refusal('CreateLead', { lastName: 'Doe', company: 'Acme' })).toMatchObject({
      code: 'off',
      status: 403,
    });
    expect((await world.call('GetAccount', { name: 'Acme Industries' })).status).toBe('done');
    await world.setPolicy((policy) => ({ ...policy, mode: 'read-only' }));
    expect(await world.refusal('SyncParty', { partyId: 'p1' })).toMatchObject({ code: 'off' });
    await world.setPolicy((policy) => ({ ...policy, mode: 'off' }));
    expect(await world.refusal('GetAccount', { name: 'Acme Industries' })).toMatchObject({ code: 'off' });
    expect(await world.app.gate.actions(world.bot)).toEqual([]);
  });

  it('answers 403 not_connected after a disconnect [O6]', async () => {
    await using world = await createWorld();
    await world.app.connections.disconnect(world.bot);
    expect(await world.refusal('GetAccount', { name: 'Acme Industries' })).toMatchObject({
      code: 'not_connected',
      status: 403,
    });
  });
});

describe('parse', () => {
  it('names every bad field at once, and nothing leaves [A1 E]', async () => {
    await using world = await createWorld();
    const before = await world.calls();
    const error = await world.refusal('CreateLead', {
      lastName: 5,
      email: 'not-an-email',
      colour: 'red',
      title: 'a\u202eb',
    });
    expect(error.code).toBe('invalid_input');
    expect(error.fields?.map(({ name }) => name).sort()).toEqual(['colour', 'company', 'email', 'lastName', 'title']);
    expect(await world.calls()).toBe(before);
  });

  it('answers a flood of arguments in a few lines, and before it costs anything [A1] [E]', async () => {
    await using world = await createWorld();
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, '\u202e']));
    const listed = await world.refusal('CreateLead', many(90));
    expect(listed.fields).toHaveLength(21);
    expect(listed.fields?.at(-1)?.problem).toMatch(/^\d+ more/);
    for (const [flood, most] of [
      [many(110_000), 2 * 110_000],
      [{ include: Array(200_000).fill('x'), name: 'Acme' }, 10],
    ] as const) {
      // Counted, not timed: nothing is judged of what is too much anyway.
      let reads = 0;
      const counted = new Proxy(flood, {
        get: (target, key) => {
          reads += 1;
          return Reflect.get(target, key);
        },
      });
      const error = await world.refusal('GetAccount', counted);
      expect(reads).toBeLessThanOrEqual(most);
      expect(error.code).toBe('invalid_input');
      expect(`${error.message}${error.next}${JSON.stringify(error.fields)}`.length).toBeLessThan(4000);
    }
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['text', 'lastName'],
    ['null', null],
    ['forty kilobytes', { lastName: 'x'.repeat(40_000), company: 'Acme' }],
    ['a zero-width space', { lastName: 'Do\u200be', company: 'Acme' }],
  ])('refuses %s as arguments [A1 A7]', async (_, args) => {
    await using world = await createWorld();
    expect(await world.refusal('CreateLead', args)).toMatchObject({ code: 'invalid_input', status: 400 });
  });
});

describe('reads', () => {
  it('reads an account with one Salesforce request once its describe is known [F2]', async () => {
    await using world = await createWorld();
    const args = { name: 'Acme Industries', include: ['opportunities', 'contacts'] };
    await world.call('GetAccount', args);
    const before = await world.calls();
    const { status, result } = await world.call('GetAccount', args);
    expect(status).toBe('done');
    expect(result).toMatchObject({ account: { Name: 'Acme Industries' } });
    expect(await world.calls()).toBe(before + 1);
  });

  it('finds the account and status behind OPP-123 [A1]', async () => {
    await using world = await createWorld();
    const { result } = await world.call('GetAccount', { opportunity: 'OPP-123' });
    expect(result).toMatchObject({
      account: { id: expect.stringMatching(/^001/) },
      opportunity: { StageName: expect.any(String) },
    });
  });

  it('offers candidates instead of the first of two accounts of one name [A1]', async () => {
    await using world = await createWorld();
    const error = await world.refusal('GetAccount', { name: 'Northwind Traders' });
    expect(error).toMatchObject({ code: 'ambiguous', status: 409 });
    expect(error.candidates).toHaveLength(2);
  });

  it('refuses an id with a wrong check character, of another object, or misspelt [A3]', async () => {
    await using world = await createWorld();
    const { result } = await world.call('GetAccount', { key: 'ACME-001' });
    const id = String((result as { account: { id: string } }).account.id);
    const wrong = id.slice(0, 17) + (id.endsWith('A') ? 'B' : 'A');
    expect(await world.refusal('GetAccount', { id: wrong })).toMatchObject({ code: 'invalid_input' });
    expect(await world.refusal('GetAccount', { id: 'acme' })).toMatchObject({ code: 'invalid_input' });
    expect((await world.call('GetAccount', { id: id.slice(0, 15) })).result).toMatchObject({ account: { id } });
  });

  it('never asks for a field that the policy hides, and refuses a closed object [P5]', async () => {
    await using world = await createWorld();
    await world.setPolicy((policy) => ({
      ...policy,
      objects: {
        ...policy.objects,
        Account: { ...policy.objects.Account!, denyFields: ['Phone'], maskFields: ['Website'] },
      },
    }));
    const { result } = await world.call('GetAccount', { key: 'ACME-001' });
    expect(result?.account).not.toHaveProperty('Phone');
    expect(result?.account).toMatchObject({ Website: '••••' });
    await world.setPolicy(({ objects: { Account: _, ...objects }, ...policy }) => ({ ...policy, objects }));
    expect(await world.refusal('GetAccount', { key: 'ACME-001' })).toMatchObject({ code: 'permission_denied' });
  });

  it("keeps a public bot to its session's account, with the same refusal for all else [P6]", async () => {
    await using world = await createWorld({ audience: 'public', grants: ['READ_ACCOUNT'] });
    const session = { indexValue: 'ACME-001' };
    const own = await world.call('GetAccount', {}, { session });
    expect(own.result?.account).toMatchObject({ Name: 'Acme Industries' });
    expect(Object.keys(own.result?.account as object).sort()).toEqual([
      'Industry',
      'Name',
      'Phone',
      'Website',
      'id',
      'url',
    ]);
    const refusals = await Promise.all([
      world.refusal('GetAccount', { name: 'Globex Shipping' }, { session }),
      world.refusal('GetAccount', { key: 'GLOB-002' }, { session }),
      world.refusal('GetAccount', { opportunity: 'OPP-123' }, { session }),
      world.refusal('GetAccount', { include: ['contacts'] }, { session }),
      world.refusal('GetAccount', {}, { session: { indexValue: "x' OR Name != '" } }),
    ]);
    expect(new Set(refusals.map(({ message }) => message)).size).toBe(1);
    // Whoever is not signed in is told that, whatever they ask for.
    const strangers = await Promise.all(
      [{ name: 'Acme Industries' }, { name: 'Nobody' }, { key: 'ACME-001' }, {}].map((wish) =>
        world.refusal('GetAccount', wish),
      ),
    );
    expect(new Set(strangers.map(({ message }) => message)).size).toBe(1);
  });
});
