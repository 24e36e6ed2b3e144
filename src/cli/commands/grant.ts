import { type ActionPermission, isOperatorPermission } from '../../../permissions/catalog.ts';
import { permissionsFor } from '../../declared/actions-of.ts';
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
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_GRANTS', name);
    const bot = await botNamed(app.store, name);
    const known = permissionsFor(bot);
    const wanted = known.filter((one) => permissions.includes(one));
    if (!permissions.every((one) => known.some((other) => other === one))) throw notGrantable(permissions, known);
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

function notGrantable(permissions: readonly string[], known: readonly ActionPermission[]): GatehouseError {
  const wrong = permissions.filter((name) => !known.some((one) => one === name));
  return new GatehouseError('invalid_input', `A bot cannot be granted ${wrong.join(', ')}.`, {
    next: `Grant any of: ${known.join(', ')}.`,
    fields: wrong.map((name) => ({
      name,
      problem: isOperatorPermission(name) ? 'belongs to people, through their role' : 'is no permission of this bot',
    })),
  });
}
