import { type Policy, policySchema } from '../../../permissions/policy.ts';
import { botNamed } from '../../policy/permit.ts';
import { setMode } from '../../policy/save.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';

const MODES: readonly string[] = policySchema.shape.mode.unwrap().options;

/** Takes effect on the next call of every process. */
export const command = defineCommand({
  args: ['<bot>', '<mode>'],

  async run(call) {
    const [name, mode] = call.args;
    if (!isMode(mode))
      throw new UsageError(`${JSON.stringify(mode.slice(0, 80))} is no mode.`, `Use one of: ${MODES.join(', ')}.`);
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_POLICY', name);
    const { name: bot } = await botNamed(app.store, name);
    const by = { principal: principalOf(operator), channel: 'cli' } as const;
    const { revision } = await setMode(app, bot, mode, by);
    call.terminal.print(
      { bot, mode, revision },
      `${bot} is in the mode ${mode} from the next call on (revision ${revision}).`,
    );
  },
});

function isMode(mode: string): mode is Policy['mode'] {
  return MODES.includes(mode);
}
