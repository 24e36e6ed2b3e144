import type { Right, RightsOf } from '../../domain/rights.ts';
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

const MOST_NAMED = 12;

export function describeRights({ object, rights, readFields, editFields }: RightsOf): string {
  const named = (names: readonly string[]) =>
    names.length <= MOST_NAMED
      ? names.join(', ')
      : `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`;
  const parts = [
    ...(rights.length === 0 ? [] : [rights.map((right) => WORDS[right]).join(', ')]),
    ...(readFields.length === 0 ? [] : [`read of ${named(readFields)}`]),
    ...(editFields.length === 0 ? [] : [`edit of ${named(editFields)}`]),
  ];
  return `${object}: ${parts.join('; ')}`;
}

const WORDS: Readonly<Record<Right, string>> = {
  read: 'read',
  create: 'create',
  edit: 'edit',
  delete: 'delete',
  viewAll: 'View All Records',
  modifyAll: 'Modify All Records',
};
