import { findBot } from './bots.ts';
import { defineCommand } from './command.ts';

export const command = defineCommand({
  args: ['<name>'],
  options: {
    host: { about: 'a host key (for the app that embeds the bot) instead of an agent key' },
    replace: { about: 'revoke every earlier key of this kind' },
  },

  async run({ args: [name], options, openApp, terminal }) {
    const app = await openApp();
    const { name: bot } = await findBot(app, name);
    const kind = options.host ? 'host' : 'agent';
    const revoked = options.replace ? await app.access.revokeKeys(kind, bot) : 0;
    const key = await app.access.issueKey(kind, bot);
    await app.audit.record({
      bot,
      principal: 'local',
      channel: 'cli',
      action: 'bot key',
      event: 'key_issued',
      detail: { kind, revoked },
    });
    terminal.print(
      { bot, kind, key, revoked },
      [
        key,
        `This is a new ${kind} key of ${bot}, shown this once.${options.replace ? ` Earlier keys revoked: ${revoked}.` : ' Earlier keys stay valid.'}`,
      ].join('\n'),
    );
  },
});
