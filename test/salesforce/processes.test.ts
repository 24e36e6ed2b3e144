import { expect, it } from 'vitest';
import { start } from '../support/programs.ts';
import { createWebWorld } from './org-world.ts';

it('8 processes with 20 calls each on an expired session make one token request, and no call fails [O5] [F3] [sync-P18]', async () => {
  await using world = await createWebWorld({ rotation: true });
  const { folder, url } = world;
  const children = await Promise.all(Array.from({ length: 8 }, () => start('salesforce', { folder, url })));
  for (const child of children) expect(await child.next()).toBe('ready');
  await world.control('POST', 'expire');
  const before = await world.tokenRequests();
  for (const child of children) child.go();
  const results = await Promise.all(children.map((child) => child.next()));
  expect(results).toEqual(Array(8).fill({ ok: 20, failed: [] }));
  expect((await world.tokenRequests()) - before).toBe(1);
  expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(Array(8).fill('0'));
}, 60_000);
