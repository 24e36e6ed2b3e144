import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../permissions/decide.ts';
import { parsePolicy, policySchema } from '../../permissions/policy.ts';
import { createWorld, type World } from '../support/world.ts';

/** docs/policy.md says nothing that is not so. */

const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
const policies = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const [, thresholds = ''] = policies;
const rows = [...page.matchAll(/^\| `(\{[^`]+\})` \| `(\w+)`(?: by `(\w+)`)? \|$/gm)];

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.setPolicy(() => policySchema.parse(JSON.parse(thresholds)));
});
afterAll(() => world[Symbol.asyncDispose]());

it('shows policies that can be saved [C1]', () => {
  expect(policies.length).toBeGreaterThanOrEqual(4);
  const actions = world.app.actions.map(({ name }) => name);
  for (const text of policies) expect(parsePolicy(JSON.parse(text), actions), text).toHaveProperty('policy');
});

describe('the table of outcomes', () => {
  it('has six rows', () => {
    expect(rows).toHaveLength(6);
  });

  it.each(rows.map(([, args = '', decision, by]) => ({ args, decision, by })))(
    'says truly what $args meets [C1]',
    async ({ args, decision, by }) => {
      const met = await world.app.gate.dryRun({
        bot: world.bot,
        principal: 'x',
        channel: 'cli',
        action: 'UpdateOpportunity',
        args: { reference: 'OPP-123', ...JSON.parse(args) },
      });
      expect(met).toMatchObject({ decision, ...(by === undefined ? {} : { assurance: by }) });
    },
  );
});

it('names every condition that a rule may have, and no other [C1]', () => {
  const table = page.slice(page.indexOf('| Condition |'), page.indexOf('## Whose yes counts'));
  const named = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(Object.keys(CHECKS).sort());
});

it('names commands that there are', async () => {
  const { COMMANDS } = await import('../../src/cli/commands.ts');
  const names = COMMANDS.map(({ name }) => name);
  const used = [...page.matchAll(/gatehouse ((?:policy|audit) \w+|undo|proposals|approve)/g)].map(
    ([, name = '']) => name,
  );
  expect(used.filter((name) => !names.includes(name))).toEqual([]);
});
