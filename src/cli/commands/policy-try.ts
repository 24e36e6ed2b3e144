import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';
import { parseArguments } from '../input.ts';
import { columns, indent } from '../terminal.ts';

/** Reads what a preview reads; nothing is written, proposed or counted. */
export const command = defineCommand({
  args: ['<bot>', '<action>', '[json]'],

  async run({ args: [name, action, json = '{}'], config, openApp, terminal }) {
    const args = parseArguments(json);
    const app = await openApp();
    const { name: bot } = await botNamed(app.store, name);
    const session = config.session === undefined ? undefined : app.access.verifySession(bot, config.session);
    const met = await app.gate.dryRun({
      bot,
      action,
      args,
      principal: 'local',
      channel: 'cli',
      ...(session === undefined ? {} : { session }),
    });
    const changes = met.preview?.changes ?? [];
    const rows = changes.map(({ label, before, after }) => [label, `${before ?? 'empty'} → ${after ?? 'empty'}`]);
    const parts = [
      `${terminal.style('bold', WORDS[met.decision])}${met.decision === 'confirm' ? ` ${BY[met.assurance]}` : ''}`,
      ...met.reasons,
      ...(met.preview === null ? [] : ['', met.preview.summary]),
      ...(rows.length === 0 ? [] : [indent(columns(rows))]),
    ];
    terminal.print(met, parts.join('\n'));
  },
});

const WORDS = {
  auto: 'It would run by itself.',
  confirm: 'It would wait for a person.',
  deny: 'It would be refused.',
} as const;

const BY = {
  client: 'The person at the chat client may answer.',
  session: 'Only a signed-in approver may answer.',
} as const;
