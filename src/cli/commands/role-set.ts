import { saveRole } from '../../access/roles.ts';
import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<name>', '<permission...>'],
  options: { bots: { value: 'names', about: 'for these bots alone, with commas between; left out: every one' } },

  async run(call) {
    const [name, permissions] = call.args;
    const app = await call.openApp();
    const by = await askOperatorOnceReal(call, app, 'MANAGE_OPERATORS');
    const bots = call.options.bots?.split(',').map((bot) => bot.trim());
    for (const bot of bots ?? []) await botNamed(app.store, bot);
    const role = await saveRole(app, { name, permissions, bots }, { principal: principalOf(by), channel: 'cli' });
    call.terminal.print(
      { role: role.name, permissions: role.permissions, ...(role.bots === undefined ? {} : { bots: role.bots }) },
      `${name} may ${role.permissions.join(', ')}${role.bots === undefined ? '' : `, for ${role.bots.join(', ')} alone`}. Give it: gatehouse operator role NAME ${name}`,
    );
  },
});
