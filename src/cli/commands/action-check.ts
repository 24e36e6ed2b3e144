import { checkDeclared } from '../../policy/declared.ts';
import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';
import { readDefinition } from '../definition.ts';

export const command = defineCommand({
  args: ['<bot>', '[file]'],

  async run(call) {
    const [name, file] = call.args;
    const given = await readDefinition(file, call.terminal);
    const app = await call.openApp();
    await askOperatorOnceReal(call, app, 'MANAGE_POLICY', name);
    const bot = await botNamed(app.store, name);
    const { declaration, permission, warnings, dropsGrant } = await checkDeclared(app, bot, given);
    for (const warning of warnings) call.terminal.note(`${call.terminal.style('yellow', 'Warning:')} ${warning}`);
    call.terminal.print(
      { bot: bot.name, name: declaration.name, permission, dropsGrant, warnings },
      `${declaration.name} can be saved; nothing was.`,
    );
  },
});
