import { expect, it } from 'vitest';
import { createWorld } from '../support/world.ts';

it('loses no edit that the host app makes while the connection needs a new login, or is down [S8] [O6] [O7]', async () => {
  await using world = await createWorld();
  const { app, bot } = world;
  const sync = await app.sync();
  const put = (fields: Record<string, string>) => sync.hosts.put(bot, 'party', [{ id: 'p1', fields }]);
  const contact = async () => (await world.records('Contact')).find(({ Email }) => Email === 'ada@example.com');
  await put({ email: 'ada@example.com', name: 'Ada Lovelace' });
  await sync.worker.turn(bot);
  expect(await contact()).toBeDefined();
  for (const state of ['needs_reauth', 'disconnected'] as const) {
    await app.store.connections.patch(bot, { state });
    await put({ phone: `written while ${state}` });
    await expect(sync.worker.turn(bot)).rejects.toThrow();
    await app.store.connections.patch(bot, { state: 'connected' });
    // A bot that could not be reached rests for half a minute.
    world.clock.advance(60_000);
    await sync.worker.turn(bot);
    expect((await contact())?.Phone).toBe(`written while ${state}`);
  }
});
