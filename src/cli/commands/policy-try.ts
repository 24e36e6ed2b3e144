import { defineCommand } from '../command.ts';
import { openCall } from '../input.ts';
import { columns, indent } from '../terminal.ts';

/** Reads what a preview reads; nothing is written, proposed or counted. */
export const command = defineCommand({
  args: ['<bot>', '<action>', '[json]'],

  async run(given) {
    const { terminal } = given;
    const { app, call } = await openCall(given);
    const met = await app.gate.dryRun(call);
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
