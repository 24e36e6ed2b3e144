import { expect, it } from 'vitest';
import { openDoor } from '../support/door.ts';

it('finds audit rows by time, as people say it, and says times in words [U13]', async () => {
  await using door = await openDoor();
  const key = await door.operatorKey('admin');
  const { app, clock } = door.world;
  const note = (event: string) => app.audit.record({ principal: 'test', channel: 'cli', action: 'Note', event });
  await note('early');
  const early = new Date(clock.now).toISOString();
  clock.advance(3 * 86_400_000);
  await note('late');
  const find = async (query: string) => {
    const { status, json } = await door.ask('GET', `/api/audit?action=Note&${query}`, { key });
    return status === 200 ? json.rows.map((row: { event: string }) => row.event) : json.error.fields[0];
  };
  expect(await find('')).toEqual(['late', 'early']);
  expect(await find('since=24h')).toEqual(['late']);
  expect(await find('until=2d')).toEqual(['early']);
  expect(await find(`since=${early}&until=1d`)).toEqual(['early']);
  expect(await find(`since=${early.slice(0, 10)}`)).toEqual(['late', 'early']);
  expect(await find('since=yesterday')).toMatchObject({ name: 'since', problem: expect.stringContaining('24h') });
  const lines: { event: string; at: number; time: string }[] = [];
  for await (const line of app.audit.export({ since: clock.now - 1_000 })) lines.push(JSON.parse(line));
  expect(lines.filter(({ event }) => event === 'late' || event === 'early')).toEqual([
    expect.objectContaining({ event: 'late', time: new Date(clock.now).toISOString() }),
  ]);
});

it('warns whoever opens the chat of an internal bot to anyone, and saves what they said [U15]', async () => {
  await using door = await openDoor();
  const key = await door.operatorKey('admin');
  const bot = (await door.world.app.store.bots.list()).find(({ audience }) => audience === 'internal');
  if (!bot) throw new Error('the world has an internal bot');
  const save = async (chat: object) => {
    const json = { ...bot.policy, chat: { ...bot.policy.chat, ...chat } };
    return (await door.ask('PUT', `/api/bots/${bot.name}/policy`, { key, json })).json;
  };
  expect((await save({ page: true, anonymous: true })).warnings).toEqual([expect.stringContaining('internal')]);
  for (const chat of [{ page: true }, { anonymous: true, page: false }])
    expect((await save(chat)).warnings).toBeUndefined();
});
