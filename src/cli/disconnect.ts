import { findBot } from './bots.ts';
import { defineCommand } from './command.ts';

export const command = defineCommand({
  args: ['<bot>'],

  async run({ args: [name], openApp, terminal }) {
    const app = await openApp();
    const { name: bot } = await findBot(app, name);
    const { revoked } = await app.connections.disconnect(bot);
    await app.audit.record({
      bot,
      principal: 'local',
      channel: 'cli',
      action: 'disconnect',
      event: 'disconnected',
      detail: { revoked },
    });
    terminal.print(
      { bot, revoked },
      revoked
        ? `${bot} is disconnected: Salesforce revoked its tokens, and they are deleted here.`
        : `${bot} is disconnected and its tokens are deleted here, but Salesforce did not confirm the revocation. Revoke them in Setup, "Connected Apps OAuth Usage".`,
    );
  },
});
