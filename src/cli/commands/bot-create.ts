import { grantWarnings, PROFILE_NAMES } from '../../../permissions/profiles.ts';
import { createBot, toReadySet } from '../../policy/bots.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';
import { columns, indent } from '../terminal.ts';

export const command = defineCommand({
  args: ['<name>'],
  options: { profile: { value: 'profile', about: 'ready set of grants (default: none)', choices: PROFILE_NAMES } },

  async run(call) {
    const [name] = call.args;
    const { profile } = call.options;
    const { audience, grants } = toReadySet(profile);
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_BOTS');
    const made = await createBot(app, name, profile, { principal: principalOf(operator), channel: 'cli' });
    for (const warning of grants.flatMap((grant) => grantWarnings(audience, grant)))
      call.terminal.note(`Warning: ${warning}`);

    call.terminal.print(
      made,
      [
        `Bot ${call.terminal.style('bold', made.bot)} (${profile ?? audience}) is there${app.isSimulated ? ', connected to the simulated org' : ''}.`,
        '',
        indent(
          columns([
            ['agent key', made.key],
            ['host key', made.hostKey],
            ['grants', made.grants.join(', ') || `none yet: gatehouse grant ${made.bot} PERMISSION...`],
          ]),
        ),
        '',
        'The keys are shown this once. The agent key is for the model (GATEHOUSE_BOT_KEY), the host key for your app alone.',
        ...(app.isSimulated ? [] : [`Next: gatehouse connect ${made.bot} --flow web`]),
      ].join('\n'),
    );
  },
});
