import { removeRole } from '../../access/roles.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<name>'],

  async run(call) {
    const [name] = call.args;
    const app = await call.openApp();
    const by = await askOperatorOnceReal(call, app, 'MANAGE_OPERATORS');
    await removeRole(app, name, { principal: principalOf(by), channel: 'cli' });
    call.terminal.print({ role: name, removed: true }, `The role ${name} is removed.`);
  },
});
