import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>', '[file]'],

  async run({ args: [name, file], openApp, terminal }) {
    const { policy, policyRevision } = await botNamed((await openApp()).store, name);
    const text = JSON.stringify(policy, null, 2);
    if (file !== undefined) {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(file, `${text}\n`);
      terminal.print({ bot: name, revision: policyRevision, file }, `Wrote revision ${policyRevision} to ${file}.`);
      return;
    }
    // What is printed can be saved again with `policy set`.
    terminal.print(policy, text);
  },
});
