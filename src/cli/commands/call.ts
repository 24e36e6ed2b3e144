import { defineCommand } from '../command.ts';
import { describeEnvelope } from '../envelope.ts';
import { openCall } from '../input.ts';

export const command = defineCommand({
  args: ['<bot>', '<action>', '[json]'],

  async run(given) {
    const { terminal } = given;
    const { app, call } = await openCall(given);
    const stopped = new AbortController();
    process.once('SIGINT', () => stopped.abort());
    const envelope = await app.gate.call({ ...call, signal: stopped.signal });
    const hint =
      envelope.status === 'waiting' && envelope.proposal !== undefined
        ? `\nAn operator decides: gatehouse approve ${envelope.proposal.id}   or   gatehouse reject ${envelope.proposal.id}`
        : '';
    terminal.print(envelope, `${describeEnvelope(envelope, terminal)}${hint}`);
  },
});
