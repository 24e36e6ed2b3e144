import { botNamed } from '../../policy/permit.ts';
import { issueBotKey } from '../../policy/save.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<name>'],
  options: {
    host: { about: 'a host key (for the app that embeds the bot) instead of an agent key' },
    replace: { about: 'revoke every earlier key of this kind' },
  },

  async run(call) {
    const { host, replace } = call.options;
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_BOTS');
    const { name: bot } = await botNamed(app.store, call.args[0]);
    const kind = host ? 'host' : 'agent';
    const by = { principal: principalOf(operator), channel: 'cli' } as const;
    const { key, revoked } = await issueBotKey(app, bot, { kind, replace }, by);
    call.terminal.print(
      { bot, kind, key, revoked },
      [
        key,
        `This is a new ${kind} key of ${bot}, shown this once.${replace ? ` Earlier keys revoked: ${revoked}.` : ' Earlier keys stay valid.'}`,
      ].join('\n'),
    );
  },
});
