import { saveDeclared } from '../../policy/declared.ts';
import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';
import { readDefinition } from '../definition.ts';

export const command = defineCommand({
  args: ['<bot>', '[file]'],

  async run(call) {
    const [name, file] = call.args;
    const given = await readDefinition(file, call.terminal);
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_POLICY', name);
    const bot = await botNamed(app.store, name);
    const by = { principal: principalOf(operator), channel: 'cli' } as const;
    const { declaration, revision, permission, warnings, dropsGrant } = await saveDeclared(app, bot, given, by);
    for (const warning of warnings) call.terminal.note(`${call.terminal.style('yellow', 'Warning:')} ${warning}`);
    const isGranted = bot.grants.includes(permission) && !dropsGrant;
    call.terminal.print(
      { bot: bot.name, name: declaration.name, revision, permission, granted: isGranted, warnings },
      `Saved ${declaration.name} of ${bot.name} as revision ${revision}.${isGranted ? '' : ` Grant it: gatehouse grant ${bot.name} ${permission}.`}`,
    );
  },
});
