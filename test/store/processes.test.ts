import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { openDatabase, openStore } from '../../src/store/open.ts';
import { describePostgres, describeStores, freshFile, type Place } from '../support/databases.ts';
import { race, start } from '../support/programs.ts';
import { anEntry, aProposal, hashOf, NOW } from './rows.ts';

function startsOnce(makePlace: () => Promise<Place>): void {
  it('is made once by eight processes that start on it at the same moment [X1]', async () => {
    const { target, remove } = await makePlace();
    try {
      expect(await race('store', Array(8).fill({ do: 'open', target }))).toEqual(Array.from({ length: 8 }, () => 1));
      const database = await openDatabase(target);
      const { rows } = await sql`select * from "auditHead"`.execute(database.kysely);
      expect(rows).toHaveLength(1);
      await database.close();
    } finally {
      await remove();
    }
  });
}

describe('a new SQLite file', () => startsOnce(freshFile));
describePostgres(startsOnce);

describeStores((_, openFresh) => {
  it('lets one of eight processes decide a proposal [C6]', async () => {
    await using fresh = await openFresh();
    await fresh.store.proposals.insert(aProposal());
    const decided = await race('store', Array(8).fill({ do: 'decide', target: fresh.target }));
    expect(decided.filter((won) => won === true)).toHaveLength(1);
    expect(decided.filter((won) => won === false)).toHaveLength(7);
    expect(await fresh.store.proposals.get('proposal-1')).toMatchObject({ state: 'approved' });
  });

  it('keeps the audit chain whole while four processes append [C7]', async () => {
    await using fresh = await openFresh();
    await race('store', Array(4).fill({ do: 'append', target: fresh.target, times: 25 }));
    const rows = await fresh.store.audit.page(0, 1000);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    let previous = '0'.repeat(64);
    for (const row of rows) {
      expect(row.previous).toBe(previous);
      expect(row.hash).toBe(hashOf(row));
      previous = row.hash;
    }
  });

  it('loses nothing committed and keeps nothing half done when a process is killed inside a transaction [S8]', async () => {
    await using fresh = await openFresh();
    const doomed = await start('store', { do: 'hang', target: fresh.target });
    expect(await doomed.next()).toBe('ready');
    doomed.go();
    expect(await doomed.next()).toBe('inside');
    await doomed.kill();

    expect(await fresh.store.values.get('kept', 'before', NOW)).toBe('committed');
    expect(await fresh.store.values.get('kept', 'during', NOW)).toBeUndefined();
    // Its locks died with it: the next append neither waits nor skips a number.
    expect((await fresh.store.audit.append(anEntry(), hashOf)).seq).toBe(1);
    const again = await openStore(fresh.target);
    expect(await again.audit.head()).toMatchObject({ seq: 1 });
    await again.close();
  });
});
