import { expect, it } from 'vitest';
import { createGatehouse } from '../support/cli.ts';
import { isStock } from '../support/stock-org.ts';

const demo = isStock ? ['demo', '--seed', 'stock'] : ['demo'];

it('plays the main job, and every step of it holds, in under 20 seconds [X1]', async () => {
  await using house = await createGatehouse();
  const startedAt = performance.now();
  const ran = await house.run([...demo, '--json']);
  expect(ran.stderr).toBe('');
  expect(ran.code).toBe(0);
  expect(ran.json.ok).toBe(true);
  expect(ran.json.checks.length).toBeGreaterThan(15);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
}, 30_000);

it('tells it to people, and touches none of their own settings', async () => {
  // A client id and a data folder that would break the start if they were used.
  await using house = await createGatehouse({
    SALESFORCE_CLIENT_ID: 'theirs',
    GATEHOUSE_SECRET: 'theirs too, as it is',
  });
  const ran = await house.run(demo);
  expect(ran.code).toBe(0);
  for (const who of ['User', 'Bot', 'Gate', 'Asked', 'Person', 'Org'])
    expect(ran.stdout).toMatch(new RegExp(`^${who} `, 'm'));
  expect(ran.stdout).not.toContain('✗');
}, 30_000);
