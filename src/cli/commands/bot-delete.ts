import { botNamed } from '../../policy/permit.ts';
import { deleteBot } from '../../policy/save.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';

export const command = defineCommand({
  args: ['<name>'],
  options: { confirm: { value: 'name', about: 'the name once more, where nobody can be asked' } },

  async run(call) {
    const [name] = call.args;
    const { terminal } = call;
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_BOTS');
    const { name: bot } = await botNamed(app.store, name);
    const typed =
      call.options.confirm ??
      (terminal.canAsk
        ? await terminal.ask(`This deletes ${bot}, its people, cases, links and logs here. Type its name to go on: `)
        : undefined);
    if (typed !== bot) throw new UsageError('The name was not confirmed; nothing was deleted.', `Add --confirm ${bot}`);
    const { revoked } = await deleteBot(app, bot, { principal: principalOf(operator), channel: 'cli' });
    terminal.print(
      { bot, deleted: true, revoked },
      `${bot} is deleted: keys, grants, policy, connection, people, cases, links and logs. Records in Salesforce and the audit stay.`,
    );
  },
});
