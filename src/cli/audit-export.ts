import { defineCommand } from './command.ts';

/** In order, sealed values left out. Without `--json` one row per line, so that a file of any size can be read. */
export const command = defineCommand({
  async run({ openApp, terminal }) {
    const { audit } = await openApp();
    const rows: unknown[] = [];
    for await (const line of audit.export()) {
      if (terminal.isJson) rows.push(JSON.parse(line));
      else terminal.say(line);
    }
    if (terminal.isJson) terminal.print({ rows }, '');
  },
});
