import { listOperators } from '../../access/operators.ts';
import { defineCommand } from '../command.ts';
import { columns } from '../terminal.ts';

export const command = defineCommand({
  async run({ openApp, terminal }) {
    const app = await openApp();
    const operators = (await listOperators(app)).map(({ createdAt, ...operator }) => ({
      ...operator,
      createdAt: new Date(createdAt).toISOString(),
    }));
    terminal.print(
      { operators },
      operators.length === 0
        ? 'There are no operators yet. Make the first one with: gatehouse operator create NAME --role admin'
        : columns([
            ['NAME', 'ROLE', 'KEYS', 'SINCE'],
            ...operators.map(({ name, role, keys, createdAt }) => [name, role, String(keys), createdAt.slice(0, 10)]),
          ]),
    );
  },
});
