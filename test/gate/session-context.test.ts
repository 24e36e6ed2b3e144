import { expect, it } from 'vitest';
import { createWorld } from '../support/world.ts';

it('finds the account of the session by the index field, in one request once described [O9]', async () => {
  await using world = await createWorld();
  const first = await world.app.gate.accountContext(world.bot, { indexValue: 'ACME-001' });
  expect(first).toMatchObject({
    Name: 'Acme Industries',
    Account_Key__c: 'ACME-001',
    url: expect.stringContaining('/001'),
  });
  const before = await world.calls();
  await world.app.gate.accountContext(world.bot, { indexValue: 'ACME-001' });
  expect(await world.calls()).toBe(before + 1);
});

it('shows only what policy opens, and names what is wrong [O9 P5]', async () => {
  await using world = await createWorld({ audience: 'public' });
  const seen = await world.app.gate.accountContext(world.bot, { indexValue: 'ACME-001' });
  expect(Object.keys(seen).sort()).toEqual(['Id', 'Industry', 'Name', 'Phone', 'Website', 'url']);
  await expect(world.app.gate.accountContext(world.bot, { indexValue: 'NOBODY' })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(world.app.gate.accountContext(world.bot, { indexValue: "' OR Name != '" })).rejects.toMatchObject({
    code: 'not_found',
  });
  await world.setPolicy((policy) => ({ ...policy, lookups: { ...policy.lookups, accountKey: 'Nowhere__c' } }));
  await expect(world.app.gate.accountContext(world.bot, { indexValue: 'ACME-001' })).rejects.toMatchObject({
    code: 'invalid_input',
  });
});

it('reads nothing for a bot that is switched off [P5]', async () => {
  await using world = await createWorld();
  await world.setPolicy((policy) => ({ ...policy, mode: 'off' }));
  await expect(world.app.gate.accountContext(world.bot, { indexValue: 'ACME-001' })).rejects.toMatchObject({
    code: 'off',
  });
});
