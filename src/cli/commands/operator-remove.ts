import { removeOperator } from '../../access/operators.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<name>'],

  async run(call) {
    const [name] = call.args;
    const app = await call.openApp();
    const by = await askOperatorOnceReal(call, app, 'MANAGE_OPERATORS');
    await removeOperator(app, name, { principal: principalOf(by), channel: 'cli' });
    call.terminal.print(
      { operator: name, removed: true },
      `${name} is removed: sessions, sign-in links and keys have ended. What they did stays in the audit.`,
    );
  },
});
