import { isActionPermission, isOperatorPermission, SALESFORCE_ACTIONS } from '../../../permissions/catalog.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { changeGrants, grantNotes } from '../../policy/save.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>', '<permission...>'],
  options: { revoke: { about: 'take the permissions away instead' } },

  async run(call) {
    const [name, permissions] = call.args;
    const { revoke } = call.options;
    const wanted = permissions.filter(isActionPermission);
    if (wanted.length < permissions.length) throw notGrantable(permissions);

    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_GRANTS');
    const bot = await botNamed(app.store, name);
    const change = revoke ? { grant: [], revoke: wanted } : { grant: wanted, revoke: [] };
    await changeGrants(app, bot, change, { principal: principalOf(operator), channel: 'cli' });
    const warnings = revoke ? [] : wanted.flatMap((permission) => grantNotes(app.actions, bot, permission));
    const { grants } = await botNamed(app.store, bot.name);
    for (const warning of warnings) call.terminal.note(`${call.terminal.style('yellow', 'Warning:')} ${warning}`);
    call.terminal.print(
      { bot: bot.name, grants, warnings },
      `${bot.name} now holds: ${grants.join(', ') || 'nothing'}.`,
    );
  },
});

function notGrantable(permissions: readonly string[]): GatehouseError {
  const wrong = permissions.filter((name) => !isActionPermission(name));
  return new GatehouseError('invalid_input', `A bot cannot be granted ${wrong.join(', ')}.`, {
    next: `Grant any of: ${SALESFORCE_ACTIONS.join(', ')}.`,
    fields: wrong.map((name) => ({
      name,
      problem: isOperatorPermission(name) ? 'belongs to people, through their role' : 'is no permission',
    })),
  });
}
