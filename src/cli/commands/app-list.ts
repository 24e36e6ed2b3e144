import { defineCommand } from '../command.ts';
import { columns } from '../terminal.ts';

export const command = defineCommand({
  async run({ openApp, terminal }) {
    const app = await openApp();
    const iso = (at: number) => new Date(at).toISOString();
    const apps = (await app.identity.apps()).map(({ createdAt, usedAt, expiresAt, ...one }) => ({
      ...one,
      createdAt: iso(createdAt),
      usedAt: iso(usedAt),
      expiresAt: iso(expiresAt),
    }));
    terminal.print(
      { apps },
      apps.length === 0
        ? 'Nobody has let a program in by sign-in. See docs/sign-in.md.'
        : columns([
            ['ID', 'PERSON', 'BOT', 'PROGRAM', 'SENT TO', 'MAY', 'USED'],
            ...apps.map(({ id, operator, bot, client, host, scopes, usedAt }) => [
              id,
              operator,
              bot,
              client,
              host,
              scopes.includes('gatehouse:write') ? 'read, ask to write' : 'read',
              usedAt.slice(0, 10),
            ]),
          ]),
    );
  },
});
