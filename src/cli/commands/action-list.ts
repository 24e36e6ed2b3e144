import { permissionOf, riskOf } from '../../domain/declaration.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>'],

  async run({ args: [name], openApp, terminal }) {
    const bot = await botNamed((await openApp()).store, name);
    const actions = bot.declared.map(({ revision, declaration }) => ({
      name: declaration.name,
      revision,
      operation: declaration.operation,
      risk: riskOf(declaration),
      permission: permissionOf(declaration.name),
      granted: bot.grants.includes(permissionOf(declaration.name)),
    }));
    const lines = actions.map(
      (one) =>
        `${one.name}  revision ${one.revision}, ${one.operation}, ${one.risk}, ${one.granted ? 'granted' : `not granted (${one.permission})`}`,
    );
    terminal.print({ bot: bot.name, actions }, lines.join('\n') || `${bot.name} has no declared actions.`);
  },
});
