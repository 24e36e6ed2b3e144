import { type RightsOf, rightsInWords } from '../../domain/rights.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>'],

  async run({ args: [name], openApp, terminal }) {
    const app = await openApp();
    const bot = await botNamed(app.store, name);
    const check = await (await app.orgSetup()).check(bot, AbortSignal.timeout(60_000));
    const { username = 'The connected user', tooLittle, tooMuch, system, isSystemUnknown } = check;
    const much = [
      ...(system.length === 0 ? [] : [`system permissions: ${system.join(', ')}`]),
      ...tooMuch.map((one) => describeRights(one)),
    ];
    const lines = [
      tooLittle.length === 0
        ? `${username} may do all that ${bot.name} needs.`
        : `Too little: ${bot.name} will fail where it needs`,
      ...tooLittle.map((one) => `  ${describeRights(one)} (${one.because.join(', ')})`),
      '',
      much.length === 0 ? `${username} may do no more than that.` : `Too much: ${bot.name} never needs`,
      ...much.map((line) => `  ${line}`),
      ...(isSystemUnknown
        ? ['', `${username} may not look at permission sets: nothing is said of system permissions.`]
        : []),
      ...(tooLittle.length + much.length === 0
        ? []
        : ['', 'Nothing was changed. Rights are given and taken in Setup, Permission Sets.']),
    ];
    terminal.print({ bot: bot.name, ...check }, lines.join('\n'));
  },
});

const describeRights = (of: RightsOf): string => `${of.object}: ${rightsInWords(of).join('; ')}`;
