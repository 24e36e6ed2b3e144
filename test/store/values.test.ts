import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/domain/errors.ts';
import { describeStores } from '../support/databases.ts';
import { NOW } from './rows.ts';

describeStores((_name, openFresh) => {
  describe('counters', () => {
    it('adds up what is counted at once, per key and window', async () => {
      await using fresh = await openFresh();
      const { counters } = fresh.store;
      const seen = await Promise.all(Array.from({ length: 20 }, () => counters.add('runs', NOW, 2)));
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 2));
      await counters.add('runs', NOW + 60_000, 5);
      await counters.add('other', NOW, 100);
      expect(await counters.sum('runs', NOW)).toBe(45);
      expect(await counters.sum('runs', NOW + 1)).toBe(5);
      expect(await counters.sum('nothing', 0)).toBe(0);
    });

    it('gives back what was counted, and sums all windows but one', async () => {
      await using fresh = await openFresh();
      const { counters } = fresh.store;
      await counters.add('runs', NOW, 25);
      await counters.add('runs', NOW + 60_000, 4);
      expect(await counters.add('runs', NOW, -22)).toBe(3);
      expect(await counters.sum('runs', NOW, NOW)).toBe(4);
      expect(await counters.sum('runs', NOW, NOW + 60_000)).toBe(3);
      expect(await counters.sum('runs', NOW, NOW + 1)).toBe(7);
      expect(await counters.add('fresh', NOW, -2)).toBe(-2);
      expect(await counters.add('fresh', NOW, 2)).toBe(0);
      await Promise.all(Array.from({ length: 20 }, (_, n) => counters.add('both', NOW, n % 2 === 0 ? 5 : -5)));
      expect(await counters.sum('both', NOW)).toBe(0);
    });

    it('lets windows go that no limit looks at, when a key begins a new one', async () => {
      await using fresh = await openFresh();
      const { counters } = fresh.store;
      const day = 24 * 60 * 60 * 1000;
      await counters.add('runs', NOW - 36 * day, 1);
      await counters.add('runs', NOW - 34 * day, 1);
      await counters.add('runs', NOW, 1);
      expect(await counters.sum('runs', 0)).toBe(2);
    });
  });

  describe('values', () => {
    it('keeps and replaces a value until it expires, and never gives it back after', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      await values.set('cursor', 'a', '1', NOW + 10);
      await values.set('cursor', 'a', '2', NOW + 20);
      expect(await values.get('cursor', 'a', NOW + 19)).toBe('2');
      expect(await values.get('cursor', 'a', NOW + 20)).toBeUndefined();
      expect(await values.consume('cursor', 'a', NOW + 20)).toBeUndefined();
      expect(await values.consume('cursor', 'a', NOW)).toBeUndefined();
      await values.set('check', 'a', 'for ever', null);
      expect(await values.get('check', 'a', Number.MAX_SAFE_INTEGER)).toBe('for ever');
      expect(await values.get('other', 'a', NOW)).toBeUndefined();
    });

    it('is taken by exactly one of ten [O8]', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      await values.set('state', 'a', '1', NOW + 10);
      const taken = await Promise.all(Array.from({ length: 10 }, () => values.consume('state', 'a', NOW)));
      expect(taken.filter((value) => value === '1')).toHaveLength(1);
      expect(await values.get('state', 'a', NOW)).toBeUndefined();
    });

    it('is set by the first of ten, and all are told the same', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      const set = await Promise.all(
        Array.from({ length: 10 }, (_, index) => values.setIfAbsent('key', 'a', `${index}`, NOW + 10, NOW)),
      );
      expect(new Set(set).size).toBe(1);
      expect(await values.get('key', 'a', NOW)).toBe(set[0]);
      expect(await values.setIfAbsent('key', 'a', 'later', NOW + 30, NOW + 10)).toBe('later');
      expect(await values.get('key', 'a', NOW + 29)).toBe('later');
      await values.set('key', 'b', 'for ever', null);
      expect(await values.setIfAbsent('key', 'b', 'later', NOW, NOW)).toBe('for ever');
    });

    it('removes one, or all under a prefix taken literally', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      for (const key of ['a_b:1', 'a_b:2', 'axb:1', 'A_B:1', 'a%', 'ä🙂:1', 'ä🙃:1'])
        await values.set('describe', key, key, null);
      await values.set('other', 'a_b:1', 'x', null);
      await values.removeAll('describe', 'a_b:');
      await values.removeAll('describe', 'ä🙂');
      await values.remove('describe', 'a%');
      const left = await Promise.all(
        ['a_b:1', 'a_b:2', 'axb:1', 'A_B:1', 'a%', 'ä🙂:1', 'ä🙃:1'].map((key) => values.get('describe', key, NOW)),
      );
      expect(left).toEqual([undefined, undefined, 'axb:1', 'A_B:1', undefined, undefined, 'ä🙃:1']);
      expect(await values.get('other', 'a_b:1', NOW)).toBe('x');
      await values.removeAll('describe', '');
      expect(await values.get('describe', 'axb:1', NOW)).toBeUndefined();
    });

    it('sweeps what is dead when somebody takes', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      for (let index = 0; index < 5; index += 1) await values.set('cursor', `${index}`, 'x', NOW + index);
      await values.consume('state', 'a', NOW + 3);
      const { rows } = await sql`select * from "keptValues"`.execute(fresh.database.kysely);
      expect(rows).toHaveLength(1);
    });
  });

  describe('what may be stored', () => {
    it('keeps text as it is: quotes, emoji, right-to-left, line ends, 2 MB of it', async () => {
      await using fresh = await openFresh();
      const text = `'"; drop table bots; -- \r\n\t\\ 🙂 עברית \u200b ${'x'.repeat(2_000_000)}`;
      await fresh.store.values.set('k', text.slice(0, 80), text, null);
      expect(await fresh.store.values.get('k', text.slice(0, 80), NOW)).toBe(text);
    });

    it.each(['a\0b', '\ud83d alone'])('refuses a text that one of the databases would change [A7]', async (text) => {
      await using fresh = await openFresh();
      const refused = await fresh.store.values.set('k', 'key', text, null).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(GatehouseError);
      expect(refused).toMatchObject({ code: 'invalid_input' });
      await expect(fresh.store.values.get('k', text, NOW)).rejects.toMatchObject({ code: 'invalid_input' });
    });

    it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 5n, new Date(), { a: 1 }, Symbol('s')])(
      'refuses to bind %s instead of storing something else',
      async (value) => {
        await using fresh = await openFresh();
        await expect(sql`select ${value} as x`.execute(fresh.database.kysely)).rejects.toThrow('cannot be stored');
      },
    );

    it('answers whole numbers as numbers, up to the last safe one', async () => {
      await using fresh = await openFresh();
      await fresh.store.counters.add('big', Number.MAX_SAFE_INTEGER, 2 ** 33);
      expect(await fresh.store.counters.sum('big', Number.MAX_SAFE_INTEGER)).toBe(2 ** 33);
    });
  });
});
