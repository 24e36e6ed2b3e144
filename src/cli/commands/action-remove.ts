import { removeDeclared } from '../../policy/declared.ts';
import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>', '<name>'],

  async run(call) {
    const [name, action] = call.args;
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_POLICY', name);
    const bot = await botNamed(app.store, name);
    const by = { principal: principalOf(operator), channel: 'cli' } as const;
    const { permission, revision } = await removeDeclared(app, bot, action, by);
    call.terminal.print(
      { bot: bot.name, name: action, permission, revision },
      `Removed ${action} of ${bot.name}, with its grant and its line in the policy.`,
    );
  },
});
