import { listRoles } from '../../access/roles.ts';
import { defineCommand } from '../command.ts';
import { columns } from '../terminal.ts';

export const command = defineCommand({
  async run({ openApp, terminal }) {
    const roles = await listRoles(await openApp());
    terminal.print(
      { roles },
      columns([
        ['ROLE', 'HELD BY', 'OF', 'MAY'],
        ...roles.map(({ name, operators, bots, permissions }) => [
          name,
          String(operators),
          bots === undefined ? 'every bot' : bots.join(', ') || 'no bot',
          permissions.join(', '),
        ]),
      ]),
    );
  },
});
