import { expect, it } from 'vitest';
import { createHints } from '../../src/http/hints.ts';
import { createWorld } from '../support/world.ts';

it('leaves no open page of the sync old: what a pass did is hinted within a second, though no audit row tells of it [W5]', async () => {
  await using world = await createWorld();
  const { app } = world;
  const sync = await app.sync();
  const heard = createHints({ store: app.store, syncHead: sync.mark }).listen(AbortSignal.timeout(20_000));
  const first = heard.next();
  // It has taken its marks once ours, asked after them, are answered.
  for (let n = 0; n < 5; n++) await sync.mark();
  await sync.hosts.put(world.bot, 'party', [{ id: 'p1', fields: { email: 'a@example.com', name: 'A B' } }]);
  await sync.runner.runAllDue(
    world.bot,
    await app.connections.open(world.bot, { signal: AbortSignal.timeout(20_000) }),
  );
  const types: string[] = [];
  for (let hint = await first; !hint.done; hint = await heard.next()) {
    types.push(hint.value.type);
    if (hint.value.type === 'sync') break;
  }
  expect(types).toContain('sync');
});
