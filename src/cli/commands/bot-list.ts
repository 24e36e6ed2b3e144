import { defineCommand } from '../command.ts';
import { columns } from '../terminal.ts';

export const command = defineCommand({
  async run({ openApp, terminal }) {
    const app = await openApp();
    const bots = await Promise.all(
      (await app.store.bots.list()).map(async ({ name, audience, profile, grants, policy }) => ({
        bot: name,
        audience,
        profile,
        mode: policy.mode,
        connection: (await app.connections.status(name)).state,
        grants,
      })),
    );
    const rows = bots.map(({ bot, profile, mode, connection, grants }) => [
      bot,
      profile,
      mode,
      connection.replaceAll('_', ' '),
      grants.join(' ') || '-',
    ]);
    terminal.print(
      { bots },
      bots.length === 0
        ? 'No bots yet. Make one with: gatehouse bot create NAME.'
        : columns([['BOT', 'PROFILE', 'MODE', 'CONNECTION', 'GRANTS'], ...rows]),
    );
  },
});
