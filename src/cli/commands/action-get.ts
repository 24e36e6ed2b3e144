import { declaredNamed } from '../../policy/declared.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>', '<name>'],

  async run({ args: [name, action], openApp, terminal }) {
    const { declaration } = declaredNamed(await botNamed((await openApp()).store, name), action);
    // What is printed can be saved again with `action set`.
    terminal.print(declaration, JSON.stringify(declaration, null, 2));
  },
});
