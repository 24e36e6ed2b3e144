import { readMoment, readSpan } from '../../domain/moment.ts';
import { defineCommand, UsageError } from '../command.ts';

/** In order, sealed values left out. Without `--json` one row per line, so that a file of any size can be read. */
export const command = defineCommand({
  options: {
    since: { value: 'time', about: 'from then on: 2026-11-27, an ISO time, or 24h, 7d ago' },
    until: { value: 'time', about: 'before then' },
  },

  async run({ openApp, options: { since, until }, terminal }) {
    const { audit, now } = await openApp();
    for (const text of [since, until])
      if (text !== undefined && readMoment(text, now()) === undefined)
        throw new UsageError(
          `${text} is no time.`,
          'Write a day such as 2026-11-27, an ISO time, or 90m, 24h, 7d ago.',
        );
    const rows: unknown[] = [];
    for await (const line of audit.export(readSpan({ since, until }, now()))) {
      if (terminal.isJson) rows.push(JSON.parse(line));
      else terminal.say(line);
    }
    if (terminal.isJson) terminal.print({ rows }, '');
  },
});
