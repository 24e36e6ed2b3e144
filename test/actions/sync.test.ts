import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import type { Fields } from '../../src/domain/action.ts';
import { toErrorBody } from '../../src/domain/errors.ts';
import { openDatabase } from '../../src/store/open.ts';
import { createSyncStore } from '../../src/store/sync/sync-store.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { createWorld, type World } from '../support/world.ts';

const JANE = { id: 'p-jane', fields: { email: 'jane@doe.example', name: 'Jane Doe', phone: '+31 10 555 0199' } };

it('brings a person into step through the gate, and says so when nothing was left to do [S1 A4]', async () => {
  await using world = await createWorld();
  const sync = await world.app.sync();
  await sync.hosts.put(world.bot, 'party', [JANE]);
  const first = await world.call('SyncParty', { partyId: 'p-jane' });
  expect(first).toMatchObject({
    status: 'done',
    result: { operation: 'create', direction: 'to_crm', id: expect.stringMatching(/^003/) },
  });
  const again = await world.call('SyncParty', { partyId: 'p-jane' });
  expect(again).toMatchObject({
    status: 'done',
    result: { operation: 'none', alreadyDone: true, id: first.result?.id },
  });
  const made = (await world.records('Contact')).filter(({ Email }) => Email === 'jane@doe.example');
  expect(made).toHaveLength(1);
  expect(made[0]).toMatchObject({ FirstName: 'Jane', LastName: 'Doe' });
});

it('brings a case into step with its people as contact roles, unknown ones created first [S3]', async () => {
  await using world = await createWorld();
  const sync = await world.app.sync();
  await sync.hosts.put(world.bot, 'party', [JANE]);
  await sync.hosts.put(world.bot, 'case', [
    {
      id: 'c-1',
      fields: { title: 'Refund for Doe', status: 'open', amount: 1200 },
      parties: [{ party: 'p-jane', role: 'complainant' }],
    },
  ]);
  const done = await world.call('SyncCase', { caseId: 'c-1' });
  expect(done).toMatchObject({ status: 'done', result: { operation: 'create', id: expect.stringMatching(/^006/) } });
  expect(done.result?.roles).toMatchObject([{ party: 'p-jane', contactId: expect.stringMatching(/^003/) }]);
});

it('answers 404 for a person nobody told us about', async () => {
  await using world = await createWorld();
  expect(await world.refusal('SyncParty', { partyId: 'nobody' })).toMatchObject({ code: 'not_found' });
});

describe('within the policy of the bot', () => {
  const put = async (world: World, ...people: { id: string; fields: Fields }[]) =>
    (await world.app.sync()).hosts.put(world.bot, 'party', people);
  const close = (world: World, object: string, rules: Partial<Policy['objects'][string]>) =>
    world.setPolicy((policy) => {
      const open = policy.objects[object];
      if (open === undefined) throw new Error(`${object} is not in the shipped policy`);
      return { ...policy, objects: { ...policy.objects, [object]: { ...open, ...rules } } };
    });

  it('sends nothing to an object that is closed for writing, and says which [P5]', async () => {
    await using world = await createWorld();
    await still(world);
    await put(world, JANE);
    await close(world, 'Contact', { write: false });
    const before = (await world.records('Contact')).length;
    const refusal = await world.refusal('SyncParty', { partyId: 'p-jane' });
    expect(refusal).toMatchObject({ code: 'permission_denied', message: expect.stringContaining('Contact') });
    expect(await world.records('Contact')).toHaveLength(before);
  });

  it('neither sends, takes nor shows a field that is denied, masked or not among the open ones [P5]', async () => {
    await using world = await createWorld();
    await still(world);
    const { email: _, ...known } = JANE.fields;
    await put(world, { ...JANE, fields: { ...known, jobTitle: 'Judge' } });
    await close(world, 'Contact', {
      denyFields: ['email'],
      maskFields: ['Phone'],
      allowFields: ['FirstName', 'LastName', 'Email', 'Phone', 'Description'],
    });
    const done = await world.call('SyncParty', { partyId: 'p-jane' });
    expect(done).toMatchObject({ status: 'done', result: { operation: 'create' } });
    const said = JSON.stringify(done.result?.changes);
    for (const secret of ['jane@doe.example', '555', 'Judge']) expect(said).not.toContain(secret);
    expect(done.result?.warnings).toEqual(
      expect.arrayContaining([
        expect.stringContaining('Contact.Email'),
        expect.stringContaining('Contact.Phone'),
        expect.stringContaining('Contact.Title'),
      ]),
    );
    const made = (await world.records('Contact')).find(({ Id }) => Id === done.result?.id);
    expect(made).toMatchObject({ LastName: 'Doe' });
    for (const field of ['Email', 'Phone', 'Title']) expect(made?.[field] ?? null).toBeNull();
  });

  it.each([
    { denyFields: ['Email'] },
    { maskFields: ['Email'] },
    { allowFields: ['Name', 'FirstName', 'LastName', 'Phone'] },
  ])(
    'tells a bot nothing of who is found by an email hidden by %j; the background links them all the same [P5] [K9]',
    async (rules) => {
      await using world = await createWorld();
      await still(world);
      const known = await world.sim('POST', 'records/Contact', { LastName: 'Doe', Email: 'jane@doe.example' });
      await put(world, JANE, { id: 'p-nobody', fields: { name: 'No Body', email: 'nobody@doe.example' } });
      await putCase(world, ['p-jane', 'complainant']);
      await close(world, 'Contact', rules);
      const before = await world.records('Contact');
      const [right, wrong] = await Promise.all(
        ['p-jane', 'p-nobody'].map((partyId) => world.refusal('SyncParty', { partyId })),
      );
      expect(right).toMatchObject({ code: 'permission_denied', message: expect.stringContaining('Contact.Email') });
      expect(toErrorBody(wrong!)).toEqual(toErrorBody(right!));
      const said = await world.call('SyncCase', { caseId: 'c-1' });
      expect(said).toMatchObject({ status: 'done', result: { roles: [] } });
      expect(said.result?.warnings).toContainEqual(expect.stringContaining('Contact.Email'));
      expect(JSON.stringify(said)).not.toContain(known.id);
      expect(await world.records('Contact')).toEqual(before);
      // The mapping is the operator's own word.
      const org = await world.app.connections.open(world.bot, { signal: new AbortController().signal });
      await (await world.app.sync()).runner.runAllDue(world.bot, org);
      const linked = await world.call('SyncParty', { partyId: 'p-jane' });
      expect(linked).toMatchObject({ status: 'done', result: { id: known.id } });
      expect((await world.records('Contact')).length).toBe(before.length + 1);
    },
  );

  it('refuses where a closed field is one that no record can be without, and names it [P5]', async () => {
    await using world = await createWorld();
    await still(world);
    await put(world, JANE);
    await close(world, 'Contact', { denyFields: ['LastName'] });
    expect(await world.refusal('SyncParty', { partyId: 'p-jane' })).toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('Contact.LastName'),
    });
    expect((await world.records('Contact')).some(({ Email }) => Email === 'jane@doe.example')).toBe(false);
  });

  it('holds for the worker too: what is closed waits, and goes on when it is open [P5]', async () => {
    await using world = await createWorld();
    const janes = async () => (await world.records('Contact')).filter(({ Email }) => Email === 'jane@doe.example');
    await close(world, 'Contact', { write: false });
    await put(world, JANE);
    const { worker } = await world.app.sync();
    await worker.turn(world.bot);
    expect(await janes()).toHaveLength(0);
    await close(world, 'Contact', { write: true });
    await worker.turn(world.bot);
    expect(await janes()).toHaveLength(1);
  });

  it('pauses a batch of a closed object and says why, so that the others go on [P5]', async () => {
    await using world = await createWorld();
    await close(world, 'Contact', { write: false });
    await put(world, JANE);
    const sync = await world.app.sync();
    const { orgId } = await world.app.connections.open(world.bot, { signal: new AbortController().signal });
    const { id } = await sync.batches.start(world.bot, orgId, 'party');
    await sync.worker.turn(world.bot);
    expect(await sync.batches.status(world.bot, id)).toMatchObject({
      state: 'paused',
      note: expect.stringContaining('Contact'),
    });
  });

  it('takes an edit of a field that was closed for what it is when the field opens again [P5]', async () => {
    await using world = await createWorld();
    await still(world);
    await put(world, JANE);
    const { result } = await world.call('SyncParty', { partyId: 'p-jane' });
    await close(world, 'Contact', { maskFields: ['Phone'] });
    world.clock.advance(60_000);
    await world.sim('POST', 'records/Contact', { Id: result?.id, Phone: '+31 20 555 0100' });
    await world.call('SyncParty', { partyId: 'p-jane' });
    const sync = await world.app.sync();
    expect((await sync.hosts.get(world.bot, 'party', 'p-jane'))?.fields.phone).toBe(JANE.fields.phone);
    await close(world, 'Contact', { maskFields: [] });
    world.clock.advance(60_000);
    const after = await world.call('SyncParty', { partyId: 'p-jane' });
    expect(after.result).toMatchObject({
      direction: 'from_crm',
      changes: [{ field: 'Phone', after: '+31 20 555 0100' }],
    });
  });

  it("leaves out a case's unknown people and its roles where those are closed, and says so [P5]", async () => {
    await using world = await createWorld();
    await still(world);
    await put(world, JANE);
    await putCase(world, ['p-jane', 'complainant']);
    await close(world, 'Contact', { write: false });
    const first = await world.call('SyncCase', { caseId: 'c-1' });
    expect(first).toMatchObject({ status: 'done', result: { operation: 'create', roles: [] } });
    expect(String(first.result?.warnings)).toContain('Contact is not open');
    await close(world, 'Contact', { write: true });
    await close(world, 'OpportunityContactRole', { write: false });
    await world.call('SyncParty', { partyId: 'p-jane' });
    const roles = (await world.records('OpportunityContactRole')).length;
    const second = await world.call('SyncCase', { caseId: 'c-1' });
    expect(String(second.result?.warnings)).toContain('OpportunityContactRole');
    expect(await world.records('OpportunityContactRole')).toHaveLength(roles);
  });
});

describe('before a person is asked', () => {
  const asking = (policy: Policy): Policy => ({ ...policy, mode: 'ask' });

  it('shows the contact and the role of a new party though the case itself is in step [C1 S3]', async () => {
    await using world = await createWorld({ policy: asking });
    await still(world);
    const sync = await world.app.sync();
    await sync.hosts.put(world.bot, 'party', [JANE]);
    await putCase(world, ['p-jane', 'complainant']);
    const first = await world.call('SyncCase', { caseId: 'c-1' });
    expect((await world.approve(first.proposal?.id ?? '')).status).toBe('done');
    const count = async () =>
      (await world.records('Contact')).length + (await world.records('OpportunityContactRole')).length;
    const before = await count();
    await sync.hosts.put(world.bot, 'party', [
      { id: 'p-new', fields: { email: 'new@person.example', name: 'New Person' } },
    ]);
    await putCase(world, ['p-jane', 'complainant'], ['p-new', 'respondent']);
    const second = await world.call('SyncCase', { caseId: 'c-1' });
    expect(second.status).toBe('waiting');
    expect(second.proposal?.changes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ field: 'Contact', before: null, after: 'New Person' }),
        expect.objectContaining({ field: 'Contact.Email', after: 'new@person.example' }),
        { field: 'OpportunityContactRole', label: 'Contact role', before: null, after: 'New Person (Respondent)' },
      ]),
    );
    expect(second.proposal?.changes).toHaveLength(4);
    expect(await count()).toBe(before);
    await world.approve(second.proposal?.id ?? '');
    expect(await count()).toBe(before + 2);
    // Taken off the case again: that deletes a role, so it is shown.
    await putCase(world, ['p-jane', 'complainant']);
    const third = await world.call('SyncCase', { caseId: 'c-1' });
    expect(third.proposal?.changes).toMatchObject([{ before: 'New Person (Respondent)', after: null }]);
  });

  it('shows the account that would be created for a person [C1]', async () => {
    await using world = await createWorld({ policy: asking });
    await still(world);
    const sync = await world.app.sync();
    await sync.hosts.put(world.bot, 'party', [{ ...JANE, fields: { ...JANE.fields, company: 'Brand New Ltd' } }]);
    const mapping = defaultMapping('party');
    const rules = mapping.rules.map((rule) => (rule.parent ? { ...rule, parent: 'find_or_create' as const } : rule));
    const database = await openDatabase({ file: path.join(world.folder, 'gatehouse.db') });
    await createSyncStore(database).mappings.add({
      bot: world.bot,
      kind: 'party',
      version: 1,
      mapping: { ...mapping, rules },
      by: 'test',
      at: world.clock.now,
    });
    await database.close();
    const asked = await world.call('SyncParty', { partyId: 'p-jane' });
    expect(asked.proposal?.changes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ field: 'Account', before: null, after: 'Brand New Ltd' }),
        expect.objectContaining({ field: 'Account.Name', after: 'Brand New Ltd' }),
      ]),
    );
    expect((await world.records('Account')).some(({ Name }) => Name === 'Brand New Ltd')).toBe(false);
  });

  it('gives a port that can only read to whoever has no held proposal', async () => {
    await using world = await createWorld();
    await still(world);
    const sync = await world.app.sync();
    await sync.hosts.put(world.bot, 'party', [JANE]);
    await putCase(world, ['p-jane', 'complainant']);
    const org = await world.app.connections.open(world.bot, { signal: new AbortController().signal });
    const reading = sync.forBot(world.bot, org, false);
    const before = (await world.records('Contact')).length;
    await expect(reading.syncParty('p-jane')).rejects.toMatchObject({ code: 'internal' });
    await expect(reading.syncCase('c-1')).rejects.toMatchObject({ code: 'internal' });
    expect(await world.records('Contact')).toHaveLength(before);
    await world.call('SyncCase', { caseId: 'c-1' });
    expect(await reading.syncCase('c-1')).toMatchObject({ operation: 'none', roles: [{ party: 'p-jane' }] });
    expect(await reading.syncParty('p-jane')).toMatchObject({ operation: 'none', changes: [] });
  });
});

/** A worker that came first would hide what the action itself does. */
const still = async (world: World) => (await world.app.sync()).worker.stop();

async function putCase(world: World, ...people: [party: string, role: string][]): Promise<void> {
  const sync = await world.app.sync();
  await sync.hosts.put(world.bot, 'case', [
    {
      id: 'c-1',
      fields: { title: 'Refund for Doe', status: 'open', amount: 1200 },
      parties: people.map(([party, role]) => ({ party, role })),
    },
  ]);
}

it('does not run in the background while its bot is switched off, and loses nothing by it [P5 S3]', async () => {
  await using world = await createWorld();
  const sync = await world.app.sync();
  const made = async () => (await world.records('Contact')).filter(({ Email }) => Email === JANE.fields.email).length;
  await world.setPolicy((policy) => ({ ...policy, mode: 'off' }));
  await sync.hosts.put(world.bot, 'party', [JANE]);
  await sync.worker.turn(world.bot).catch(() => undefined);
  expect(await made()).toBe(0);
  await world.setPolicy((policy) => ({ ...policy, mode: 'automatic' }));
  world.clock.advance(60_000);
  await sync.worker.turn(world.bot);
  expect(await made()).toBe(1);
});
