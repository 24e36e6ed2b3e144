import { describe, expect, it } from 'vitest';
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
});
