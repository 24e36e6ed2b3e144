import { GatehouseError } from '../../domain/errors.ts';
import type { Finding } from '../check-oauth/asking.ts';
import { checkOauth } from '../check-oauth/walk.ts';
import { defineCommand } from '../command.ts';
import { columns } from '../terminal.ts';

const MARKS = { ok: 'ok', note: 'note', wrong: 'WRONG' } as const satisfies Record<Finding['level'], string>;

export const command = defineCommand({
  args: ['<url>'],

  async run({ args: [url], terminal }) {
    const findings = await checkOauth(url);
    const wrong = findings.filter(({ level }) => level === 'wrong');
    // The finding is the result; the exit code says that it is a bad one.
    terminal.print(
      { url, ok: wrong.length === 0, findings },
      columns(
        findings.flatMap(({ step, level, message, next }) => [
          [MARKS[level], step, message],
          ...(next === undefined ? [] : [['', '', next]]),
        ]),
      ),
    );
    if (wrong.length > 0)
      throw new GatehouseError('config_invalid', `An MCP client cannot sign a person in at ${url}.`, {
        next: `Do what stands there: ${wrong[0]?.next ?? ''} Then check once more.`,
      });
  },
});
