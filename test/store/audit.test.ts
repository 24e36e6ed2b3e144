import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/domain/canonical-json.ts';
import { OUTCOME_EVENTS } from '../../src/domain/decision-outcome.ts';
import { createStore } from '../../src/store/open.ts';
import { describeStores } from '../support/databases.ts';
import { sentBy } from '../support/statements.ts';
import { anEntry, hashOf, NOW } from './rows.ts';

describeStores((name, openFresh) => {
  describe('audit', () => {
    it('chains entries from the first on: numbers without gaps, each after the one before [C7]', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      expect(await audit.head()).toBeUndefined();
      const first = await audit.append(anEntry({ sealed: 'secret text' }), hashOf);
      expect(first).toEqual({
        ...anEntry({ sealed: 'secret text' }),
        seq: 1,
        previous: '0'.repeat(64),
        sealedHash: sha256('secret text'),
        hash: hashOf({ ...first }),
      });
      const appended = await Promise.all(
        Array.from({ length: 20 }, (_, index) => audit.append(anEntry({ event: `e${index}` }), hashOf)),
      );
      const rows = await audit.page(0, 100);
      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
      for (const [index, row] of rows.slice(1).entries()) expect(row.previous).toBe(rows[index]?.hash);
      expect(rows.slice(1)).toEqual(appended.toSorted((a, b) => a.seq - b.seq));
      expect(await audit.head()).toEqual({ seq: 21, hash: rows[20]?.hash });
      expect(await audit.get(1)).toEqual(first);
      expect(await audit.get(22)).toBeUndefined();
      expect((await audit.page(5, 2)).map(({ seq }) => seq)).toEqual([6, 7]);
    });

    it('is written by one statement where the database is far away, and by one transaction where it is near [F2]', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      await audit.append(anEntry(), hashOf);
      expect(await sentBy(() => audit.append(anEntry(), hashOf))).toHaveLength(name === 'PostgreSQL' ? 1 : 4);
      // Another process went on: the guess is wrong, and nothing of it is kept.
      const beside = createStore(fresh.database).audit;
      await beside.append(anEntry({ event: 'beside' }), hashOf);
      await audit.append(anEntry({ event: 'after' }), hashOf);
      const rows = await audit.page(0, 10);
      expect(rows.map(({ seq, event }) => [seq, event])).toEqual([
        [1, anEntry().event],
        [2, anEntry().event],
        [3, 'beside'],
        [4, 'after'],
      ]);
      for (const [index, row] of rows.slice(1).entries()) expect(row.previous).toBe(rows[index]?.hash);
    });

    it('is counted by outcome and time, by cause, and by how long a person took; what was tried in the playground is left out [W8]', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      const note = (minute: number, more: object) =>
        audit.append(anEntry({ at: NOW + minute * 60_000, ...more }), hashOf);
      await note(0, { event: 'proposed', proposal: 'a' });
      await note(1, { event: 'refused', detail: '{"code":"off"}' });
      await note(5, { event: 'approved', proposal: 'a' });
      await note(61, { event: 'refused', detail: '{"code":"off"}' });
      await note(62, { event: 'refused', detail: '{"code":"not_found"}' });
      await note(63, { event: 'refused', detail: '{"code":"off"}', channel: 'playground' });
      await note(64, { event: 'refused', detail: '{"code":"off"}', bot: null });
      const all = { since: NOW, until: NOW + 7_200_000 };
      const tally = await audit.tally({ ...all, bucketMs: 3_600_000 });
      expect(tally.toSorted((one, other) => one.bucket - other.bucket || one.event.localeCompare(other.event))).toEqual(
        [
          { bucket: 0, event: 'approved', count: 1 },
          { bucket: 0, event: 'proposed', count: 1 },
          { bucket: 0, event: 'refused', count: 1 },
          { bucket: 1, event: 'refused', count: 2 },
        ],
      );
      expect(await audit.refusals(all)).toEqual([
        { code: 'off', count: 2 },
        { code: 'not_found', count: 1 },
      ]);
      expect(await audit.waits(all)).toEqual([300_000]);
      expect(await audit.startOf(NOW)).toBe(0);
      for (let n = 0; n < 600; n += 1) await note(200 + n, { event: 'late' });
      const start = await audit.startOf(NOW + 750 * 60_000);
      expect(start).toBeGreaterThan(0);
      expect((await audit.get(start))?.at).toBeLessThan(NOW + 690 * 60_000);
      const found = await audit.find({ code: 'off', events: ['refused', 'done'], after: 2, limit: 2 });
      expect(found.map(({ seq }) => seq)).toEqual([6, 4]);
    });

    it('counts for charts from one index alone, for one bot too, and lists the log as it stands [W8] [F2]', async ({
      skip,
    }) => {
      if (name === 'PostgreSQL') return skip('its plan depends on how full the table is');
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      await audit.append(anEntry(), hashOf);
      const planOf = async (work: () => Promise<unknown>) => {
        const [statement = ''] = await sentBy(work);
        const rows = await fresh.database.all<{ detail: string }>(`explain query plan ${statement}`, []);
        return rows.map(({ detail }) => detail).join('; ');
      };
      const time = { since: NOW, until: NOW + 30 * 86_400_000, after: 1 };
      for (const of of [time, { ...time, bot: 'demo' }]) {
        expect(await planOf(() => audit.tally({ ...of, events: OUTCOME_EVENTS, bucketMs: 86_400_000 }))).toContain(
          'COVERING INDEX audit_counted (event=? AND seq>?)',
        );
        expect(await planOf(() => audit.refusals(of))).toContain('audit_counted (event=? AND seq>?)');
        expect(await planOf(() => audit.waits(of))).toContain('audit_counted (event=? AND seq>?)');
      }
      // Sorted by an index: no listing reads and sorts what it does not show.
      expect(await planOf(() => audit.find({ since: NOW, limit: 100 }))).not.toContain('TEMP B-TREE');
      expect(await planOf(() => audit.find({ since: NOW, bot: 'demo', event: 'refused', limit: 100 }))).not.toContain(
        'TEMP B-TREE',
      );
    });

    it('takes no number for an entry that could not be sealed', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      await expect(
        audit.append(anEntry(), () => {
          throw new Error('no hash');
        }),
      ).rejects.toThrow('no hash');
      expect((await audit.append(anEntry(), hashOf)).seq).toBe(1);
    });

    it('finds by bot, proposal, action and event, newest first', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      await audit.append(anEntry({ proposal: 'p1', event: 'proposed' }), hashOf);
      await audit.append(anEntry({ proposal: 'p1' }), hashOf);
      await audit.append(anEntry({ bot: 'other', action: 'GetAccount' }), hashOf);
      const found = async (filter: Parameters<typeof audit.find>[0]) =>
        (await audit.find(filter)).map(({ seq }) => seq);
      expect(await found({ limit: 10 })).toEqual([3, 2, 1]);
      expect(await found({ bot: 'demo', limit: 1 })).toEqual([2]);
      expect(await found({ proposal: 'p1', event: 'proposed', limit: 10 })).toEqual([1]);
      expect(await found({ action: 'GetAccount', limit: 10 })).toEqual([3]);
    });

    it('drops sealed values of any number of rows and keeps every hash [C7]', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      for (const at of [NOW, NOW + 10, NOW + 20])
        await audit.append(anEntry({ at, sealed: `sealed at ${at}` }), hashOf);
      await audit.append(anEntry({ at: NOW }), hashOf);
      expect(await audit.sealedBefore(NOW + 20, 10)).toEqual([1, 2]);
      expect(await audit.sealedBefore(NOW + 20, 1)).toEqual([1]);
      await audit.unseal([1, ...Array.from({ length: 40_000 }, (_, index) => index + 100)]);
      await audit.unseal([]);
      expect(await audit.get(1)).toMatchObject({ sealed: null, sealedHash: sha256(`sealed at ${NOW}`) });
      expect(await audit.sealedBefore(NOW + 20, 10)).toEqual([2]);
    });
  });
});
