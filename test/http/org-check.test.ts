import { describe, expect, it } from 'vitest';
import type { NeededObject, RightsOf } from '../../src/domain/rights.ts';
import { type Door, openDoor } from '../support/door.ts';

async function check(door: Door) {
  const answer = await door.ask('GET', '/api/bots/demo/org/check', { key: await door.operatorKey('viewer') });
  expect(answer.status).toBe(200);
  return answer.json;
}

const of = (list: readonly RightsOf[], object: string) => list.find((one) => one.object === object);

describe('what the connected user may do, beside what the bot needs', () => {
  it('names what an administrator can and no bot needs, and nothing as missing [B5]', async () => {
    await using door = await openDoor();
    const found = await check(door);
    expect(found).toMatchObject({ username: 'admin@sim.example', tooLittle: [], isSystemUnknown: false });
    expect(found.system).toContain('ModifyAllData');
    expect(found.system).not.toContain('ApiEnabled');
    expect(of(found.tooMuch, 'Campaign')?.rights).toEqual(['create', 'edit', 'delete']);
    expect(of(found.tooMuch, 'Lead')?.rights).toEqual(expect.arrayContaining(['delete']));
    expect(of(found.needs, 'Opportunity')).toMatchObject({ create: true, edit: true, delete: false });
  });

  it('names what will fail: a field that may not be written, one that is gone, an object that is closed [B5]', async () => {
    await using door = await openDoor();
    await door.world.sim('POST', 'settings', { readOnlyFields: ['Opportunity.Amount'] });
    const found = await check(door);
    expect(of(found.tooLittle, 'Opportunity')).toMatchObject({ editFields: ['Amount'], rights: [] });
    expect(of(found.tooLittle, 'Opportunity')?.because).toContain('UpdateOpportunity');
  });

  it('needs only what is granted, and what policy opens of it [B5]', async () => {
    await using door = await openDoor({ grants: ['CREATE_LEAD'] });
    const { needs }: { needs: readonly NeededObject[] } = await check(door);
    const lead = needs.find(({ object }) => object === 'Lead');
    expect(lead).toMatchObject({ create: true, edit: false });
    expect(lead?.fields.map(({ name }) => name)).not.toContain('Rating');
    await door.world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Lead: { ...policy.objects.Lead!, denyFields: ['Phone'] } },
    }));
    const after = await check(door);
    expect(of(after.needs, 'Lead')).not.toMatchObject({ fields: expect.arrayContaining([{ name: 'Phone' }]) });
    expect(of(after.tooMuch, 'Lead')?.readFields).toContain('Phone');
  });

  it('counts what a declared action touches, once it is granted [B8] [A5]', async () => {
    await using door = await openDoor({ grants: ['CREATE_LEAD'] });
    await door.world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Campaign: { ...policy.objects.Account!, write: false } },
    }));
    const key = await door.operatorKey('admin');
    const saved = await door.ask('PUT', '/api/bots/demo/declared-actions/CampaignOf', {
      key,
      json: {
        name: 'CampaignOf',
        title: 'Campaign',
        description: 'Tells of a campaign by its name.',
        operation: 'query',
        input: { name: { type: 'text', maxLength: 80, required: true, description: 'Its name' } },
        object: 'Campaign',
        fields: ['Name'],
        where: [{ field: 'Name', is: { input: 'name' } }],
        limit: 5,
      },
    });
    expect(saved).toMatchObject({ status: 200 });
    expect(of((await check(door)).needs, 'Campaign')).toBeUndefined();
    await door.ask('PUT', '/api/bots/demo/permissions', { key, json: { grant: [saved.json.permission] } });
    expect(of((await check(door)).needs, 'Campaign')).toMatchObject({ because: ['CampaignOf'] });
  });
});
