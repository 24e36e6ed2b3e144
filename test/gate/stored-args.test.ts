import { describe, expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { createWorld } from '../support/world.ts';

const actions = new URL('./say-back/fixtures/', import.meta.url);
/** Asks a person before `SayBack`, and opens these fields to it. */
const exposing = (policy: Policy, ...fields: string[]): Policy => ({
  ...policy,
  actions: {
    SayBack: {
      ...{ decision: 'confirm', assurance: 'client', rules: [], autoFields: [] },
      expose: fields.map((field) => ({ field, type: 'string', describe: field })),
    },
  },
});

describe('an approved proposal', () => {
  it('runs with what was parsed when it was asked: not parsed again, exposed fields apart, no default of later [C5 A2]', async () => {
    await using world = await createWorld({ actions, policy: (policy) => exposing(policy, 'Rating') });
    const { proposal } = await world.call('SayBack', { subject: 'Ring', Rating: 'Hot' });
    expect(proposal?.changes).toMatchObject([{ field: 'subject', after: 'Ring!' }]);
    await world.setPolicy((policy) => ({ ...policy, leadCompanyDefault: 'Nobody Ltd' }));
    const { result } = await world.approve(proposal?.id ?? '');
    expect(result).toEqual({ input: { subject: 'Ring!' }, extra: { Rating: 'Hot' } });
  });

  it('does not run where a field that it sets is exposed no more [A2 C1]', async () => {
    await using world = await createWorld({ actions, policy: (policy) => exposing(policy, 'Rating') });
    const { proposal } = await world.call('SayBack', { subject: 'Ring', Rating: 'Hot' });
    await world.setPolicy((policy) => exposing(policy));
    await expect(world.approve(proposal?.id ?? '')).rejects.toMatchObject({
      code: 'invalid_input',
      fields: [{ name: 'Rating', problem: 'is not an input of this action' }],
    });
  });
});
