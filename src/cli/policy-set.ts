import { parsePolicy } from '../../permissions/policy.ts';
import { GatehouseError } from '../errors.ts';
import { findBot } from './bots.ts';
import { defineCommand, UsageError } from './command.ts';
import { readInput } from './input.ts';
import { askOperatorOnceReal, principalOf } from './operator-key.ts';

export const command = defineCommand({
  args: ['<bot>', '[file]'],

  async run(call) {
    const [name, file] = call.args;
    if (file === undefined && call.terminal.canAsk)
      throw new UsageError('No policy was given.', 'Name a file, or send the policy on standard input.');
    const parsed = parsePolicy(parseJson(await readInput(file)));
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_POLICY');
    const bot = await findBot(app, name);
    const problems = 'problems' in parsed ? parsed.problems : unknownActions(parsed.policy, app.actions);
    if ('problems' in parsed || problems.length > 0)
      throw new GatehouseError(
        'invalid_input',
        `The policy was not saved: ${problems.map(({ name }) => name).join(', ')}.`,
        {
          next: `Correct them; the policy as it is: gatehouse policy get ${bot.name}.`,
          fields: problems,
        },
      );

    const revision = await app.store.bots.savePolicy(
      bot.name,
      parsed.policy,
      principalOf(operator),
      app.now(),
      bot.policyRevision,
    );
    if (revision === undefined)
      throw new GatehouseError('conflict', 'Somebody else saved this policy at the same time.', {
        next: `Look at it again: gatehouse policy get ${bot.name}.`,
      });
    await app.audit.record({
      bot: bot.name,
      principal: principalOf(operator),
      channel: 'cli',
      action: 'policy set',
      event: 'policy_saved',
      policyRevision: revision,
    });
    call.terminal.print({ bot: bot.name, revision }, `Saved as revision ${revision} of ${bot.name}'s policy.`);
  },
});

/** A mistyped action name would be a rule that never fires. */
function unknownActions(
  policy: { readonly actions: object; readonly off: readonly string[] },
  actions: readonly { readonly name: string }[],
) {
  const known = actions.map(({ name }) => name);
  const problem = `no such action; there are ${known.join(', ')}`;
  return [
    ...Object.keys(policy.actions).map((name) => ({ name, at: `actions.${name}` })),
    ...policy.off.map((name, index) => ({ name, at: `off[${index}]` })),
  ].flatMap(({ name, at }) => (known.includes(name) ? [] : [{ name: at, problem }]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GatehouseError('invalid_input', 'The policy is not JSON.', {
      next: cause instanceof SyntaxError ? `Correct it: ${cause.message}.` : 'Correct it.',
    });
  }
}
