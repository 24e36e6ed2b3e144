import { describe, expect, it } from 'vitest';
import { dealStatus, declare, nextStep } from '../declared/definitions.ts';
import { openDoor } from '../support/door.ts';
import { createWorld, type World } from '../support/world.ts';

async function drift(world: World): Promise<string | undefined> {
  const status = await (await world.app.sync()).status(world.bot);
  const told = status?.problems.find(({ code }) => code === 'schema_drift');
  if (told) expect(told.next).toContain('gatehouse org check');
  return told?.message;
}

/** An admin changed the org; what was described before is an hour old. */
async function changed(world: World, settings: Record<string, unknown>): Promise<void> {
  expect(await drift(world)).toBeUndefined();
  // The simulated org stamps its schema by its own clock, and describes answer to the second.
  world.clock.advance(61 * 60_000);
  await world.sim('POST', 'clock', { advanceMs: 2_000 });
  await world.sim('POST', 'settings', settings);
}

describe('what an org changes under a bot is told before a write fails by it', () => {
  it('a field that the policy closes is gone: renamed, it is open now [B5]', async () => {
    await using world = await createWorld();
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['Preferred_Channel__c'] } },
    }));
    await changed(world, { withoutFields: ['Contact.Preferred_Channel__c'] });
    expect(await drift(world)).toContain('objects.Contact.denyFields[0]: Preferred_Channel__c is no field of Contact');
  });

  it('a field that an action writes may not be written any more [B5]', async () => {
    await using world = await createWorld();
    await changed(world, { readOnlyFields: ['Opportunity.Amount'] });
    expect(await drift(world)).toMatch(
      /Opportunity\.Amount \(for [\w, ]*UpdateOpportunity\) may not be written any more\./,
    );
  });

  it('a field that every new record must have since stops creates before they are tried [B5]', async () => {
    await using world = await createWorld();
    const field = { object: 'Lead', name: 'Consent__c', label: 'Consent', type: 'string', isRequired: true };
    await changed(world, { addedFields: [field] });
    expect(await drift(world)).toContain('CreateLead cannot create Lead any more: Consent__c is required now');
  });

  const channel = (...values: string[]) => ({
    object: 'Opportunity',
    name: 'Channel__c',
    label: 'Channel',
    type: 'picklist',
    isRestricted: true,
    values: values.map((value) => ({ value, label: value, isActive: true, isDefault: false })),
  });
  const setChannel = {
    ...nextStep,
    name: 'SetChannel',
    input: {
      reference: nextStep.input.reference,
      channel: { type: 'choice', values: ['Web', 'Fair'], required: true, description: 'How they came' },
    },
    set: { Channel__c: { input: 'channel' } },
  };

  it('a value of a list goes that a declared action offers or sets [B5 A5]', async () => {
    await using world = await createWorld();
    await world.sim('POST', 'settings', { addedFields: [channel('Web', 'Fair')] });
    await declare(world, setChannel);
    await declare(world, {
      ...setChannel,
      name: 'MarkFair',
      input: { reference: nextStep.input.reference },
      set: { Channel__c: { value: 'Fair' } },
    });
    await changed(world, { addedFields: [channel('Web', 'Phone')] });
    const told = await drift(world);
    expect(told).toContain('SetChannel: input.channel: "Fair" is no value of Channel__c');
    expect(told).toContain('MarkFair: set.Channel__c: "Fair" is no value of Channel__c');
  });

  it('a field goes that a declared look-up reads, which is told once; what policy closes is not told as that [B5 A5]', async () => {
    await using world = await createWorld();
    await declare(world, { ...dealStatus, fields: ['Name', 'StageName', 'Account.Name'] });
    await declare(world, nextStep);
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Opportunity: { ...policy.objects.Opportunity!, denyFields: ['StageName'] } },
    }));
    await changed(world, { withoutFields: ['Opportunity.Reference__c'] });
    expect((await drift(world))?.match(/Reference__c is no field of Opportunity/g)).toHaveLength(2);
  });

  it('stands in the status over REST, as on the command line [B5]', async () => {
    await using door = await openDoor({}, async ({ app }) => ({ routes: (await app.sync()).routes }));
    const { world } = door;
    await changed(world, { readOnlyFields: ['Opportunity.Amount'] });
    const { json } = await door.ask('GET', '/api/bots/demo/sync/status', { key: await door.operatorKey('viewer') });
    expect(json.problems).toContainEqual(
      expect.objectContaining({ code: 'schema_drift', message: await drift(world), count: 1 }),
    );
  });

  it('stands among the notices after the look of the hour, the org unasked, and goes when it fits again [B5] [W11]', async () => {
    await using world = await createWorld();
    const { app, bot } = world;
    const told = async () => (await app.notices.list()).filter(({ kind }) => kind === 'schema_drift');
    await changed(world, { readOnlyFields: ['Opportunity.Amount'] });
    expect(await told()).toEqual([]);
    await (await app.sync()).lookForDrift();
    const before = await world.calls();
    expect(await told()).toMatchObject([
      {
        ...{ bot, level: 'warn', count: 1, cure: { path: `/bots/${bot}` } },
        text: `The org has changed under ${bot}: one thing does not fit any more.`,
      },
    ]);
    expect(await world.calls()).toBe(before);
    // An org that does not answer has not healed.
    world.clock.advance(61 * 60_000);
    await world.sim('POST', 'faults', { type: 'drop', times: 50 });
    await (await app.sync()).lookForDrift();
    expect(await told()).toHaveLength(1);
    await world.sim('POST', 'faults', { clear: true });
    await world.sim('POST', 'settings', { readOnlyFields: [] });
    await world.sim('POST', 'clock', { advanceMs: 2_000 });
    world.clock.advance(61 * 60_000);
    await (await app.sync()).lookForDrift();
    expect(await told()).toEqual([]);
  });
});
