import { GatehouseError } from '../../domain/errors.ts';
import { parseJson } from '../../domain/json-shape.ts';
import { botNamed } from '../../policy/permit.ts';
import { checkedPolicyOf, savePolicy } from '../../policy/save.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';
import { readInput } from '../input.ts';

export const command = defineCommand({
  args: ['<bot>', '[file]'],

  async run(call) {
    const [name, file] = call.args;
    if (file === undefined && call.terminal.canAsk)
      throw new UsageError('No policy was given.', 'Name a file, or send the policy on standard input.');
    const given = policyIn(await readInput(file));
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_POLICY', name);
    const bot = await botNamed(app.store, name);
    const { policy, warnings, unchecked } = await checkedPolicyOf(app, bot.name, given);
    const by = { principal: principalOf(operator), channel: 'cli' } as const;
    const revision = await savePolicy(app, bot.name, { policy, unchecked, from: bot.policyRevision, by });
    for (const warning of warnings) call.terminal.note(`${call.terminal.style('yellow', 'Warning:')} ${warning}`);
    call.terminal.print(
      { bot: bot.name, revision, warnings },
      `Saved as revision ${revision} of ${bot.name}'s policy.`,
    );
  },
});

function policyIn(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause;
    throw new GatehouseError('invalid_input', 'The policy is not JSON.', {
      next: cause instanceof SyntaxError ? `Correct it: ${cause.message}.` : 'Correct it.',
    });
  }
}
