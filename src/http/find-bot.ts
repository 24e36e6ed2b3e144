import { GatehouseError } from '../domain/errors.ts';
import { quoted } from '../domain/safe-text.ts';
import type { BotRow, Store } from '../ports/store.ts';

export async function findBot(store: Pick<Store, 'bots'>, name: string): Promise<BotRow> {
  const bot = await store.bots.get(name);
  if (bot !== undefined) return bot;
  throw new GatehouseError('not_found', `There is no bot named ${quoted(name)}.`, {
    next: 'Check the name; `gatehouse bot list` shows every bot.',
  });
}
