import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';
import { describeEnvelope } from '../envelope.ts';
import { parseArguments } from '../input.ts';

export const command = defineCommand({
  args: ['<bot>', '<action>', '[json]'],

  async run({ args: [name, action, json = '{}'], config, openApp, terminal }) {
    const args = parseArguments(json);
    const app = await openApp();
    const { name: bot } = await botNamed(app.store, name);
    const session = config.session === undefined ? undefined : app.access.verifySession(bot, config.session);
    const stopped = new AbortController();
    process.once('SIGINT', () => stopped.abort());
    const envelope = await app.gate.call({
      bot,
      action,
      args,
      principal: 'local',
      channel: 'cli',
      signal: stopped.signal,
      ...(session === undefined ? {} : { session }),
    });
    const hint =
      envelope.status === 'waiting' && envelope.proposal !== undefined
        ? `\nAn operator decides: gatehouse approve ${envelope.proposal.id}   or   gatehouse reject ${envelope.proposal.id}`
        : '';
    terminal.print(envelope, `${describeEnvelope(envelope, terminal)}${hint}`);
  },
});
