import { changeRole } from '../../access/operators.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<name>', '<role>'],

  async run(call) {
    const [name, role] = call.args;
    const app = await call.openApp();
    const by = await askOperatorOnceReal(call, app, 'MANAGE_OPERATORS');
    await changeRole(app, name, role, { principal: principalOf(by), channel: 'cli' });
    call.terminal.print({ operator: name, role }, `${name} is now ${role}.`);
  },
});
