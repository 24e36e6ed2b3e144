import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';

const ROW = {
  id: 'c1',
  bot: 'demo',
  owner: 'visitor:1',
  session: null,
  context: null,
  orgId: null,
  userId: null,
  cards: '[]',
  turn: null,
  turnUntil: 0,
  createdAt: 1,
  updatedAt: 1,
};

describeStores((_, openFresh) => {
  it('gives a conversation back as it was made, and its messages in order', async () => {
    await using fresh = await openFresh();
    const { conversations } = fresh.store;
    await conversations.create(ROW);
    expect(await conversations.get('c1')).toEqual(ROW);
    expect(await conversations.get('c2')).toBeUndefined();
    await conversations.takeTurn('c1', null, 'a', 100);
    expect(await conversations.append('c1', 'a', 5, ['1', '2'], '[1]')).toBe(true);
    expect(await conversations.append('c1', 'a', 6, ['3'])).toBe(true);
    expect((await conversations.messages('c1')).map(({ seq, at, message }) => [seq, at, message])).toEqual([
      [1, 5, '1'],
      [2, 5, '2'],
      [3, 6, '3'],
    ]);
    expect(await conversations.get('c1')).toMatchObject({ cards: '[1]', updatedAt: 6 });
  });

  it('gives the turn to one of many who want it, and lets nobody write who has lost it [T1]', async () => {
    await using fresh = await openFresh();
    const { conversations } = fresh.store;
    await conversations.create(ROW);
    const taken = await Promise.all(['a', 'b', 'c'].map((turn) => conversations.takeTurn('c1', null, turn, 100)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    const holder = (await conversations.get('c1'))?.turn ?? '';
    expect(await conversations.takeTurn('c1', holder, 'next', 200)).toBe(true);
    expect(await conversations.append('c1', holder, 5, ['late'], '[9]')).toBe(false);
    await conversations.endTurn('c1', holder);
    expect(await conversations.get('c1')).toMatchObject({ turn: 'next', cards: '[]' });
    await conversations.endTurn('c1', 'next');
    expect(await conversations.get('c1')).toMatchObject({ turn: null });
    expect(await conversations.messages('c1')).toEqual([]);
  });
});
