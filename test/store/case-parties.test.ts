import { sql } from 'kysely';
import { expect, it } from 'vitest';
import type { HostRecord } from '../../src/ports/sync-store.ts';
import { kept } from '../../src/store/migrations/0026-kept.ts';
import { createSyncStore } from '../../src/store/sync/sync-store.ts';
import { describeStores } from '../support/databases.ts';

const record = (kind: HostRecord['kind'], id: string, parties: readonly string[] = []): HostRecord => ({
  ...{ bot: 'demo', kind, id, fields: {}, clocks: {}, version: 1, createdAt: 1, changedAt: 1, deletedAt: null },
  parties: parties.map((party) => ({ party, role: 'complainant' })),
});

/** Twins: one that a wildcard would take for the other, and one that begins like it. */
const [ANN, LIKE_ANN, ANNA] = ['a_n', 'abn', 'a_nna'];

describeStores((name, openFresh) => {
  it('finds the cases of a person by an index, as the record names them now, and nobody else’s', async () => {
    await using fresh = await openFresh();
    const { hosts } = createSyncStore(fresh.database);
    await hosts.put([
      record('party', ANN),
      record('case', 'c1', [ANN, ANNA]),
      record('case', 'c2', [LIKE_ANN]),
      record('case', 'c3', [ANN]),
      { ...record('case', 'c1', [ANN]), bot: 'other' },
    ]);
    const sorted = async (...parties: string[]) => [...(await hosts.casesOf('demo', parties))].sort();
    expect(await sorted(ANN)).toEqual(['c1', 'c3']);
    expect(await sorted(ANN, LIKE_ANN, ANNA)).toEqual(['c1', 'c2', 'c3']);
    await hosts.put([record('case', 'c1', [ANNA]), { ...record('case', 'c3', [ANN]), deletedAt: 2 }]);
    expect(await sorted(ANN)).toEqual([]);
    expect(await sorted(ANNA)).toEqual(['c1']);
    expect(await hosts.casesOf('other', [ANN])).toEqual(['c1']);

    const query = sql`select "caseId" from "caseParties" where bot = 'demo' and party in ('a', 'b')`;
    const { kysely } = fresh.database;
    if (name === 'PostgreSQL') await sql`set enable_seqscan = off`.execute(kysely);
    const plan = name === 'SQLite' ? sql`explain query plan ${query}` : sql`explain ${query}`;
    const text = JSON.stringify((await plan.execute(kysely)).rows);
    expect(text).toMatch(/SEARCH|Index/);
    expect(text).not.toMatch(/SCAN|Seq Scan/);
  });

  it('knows the cases of a database of before', async () => {
    await using fresh = await openFresh();
    const { hosts } = createSyncStore(fresh.database);
    await hosts.put([
      record('case', 'c1', [ANN, ANNA]),
      record('case', 'c2', [LIKE_ANN, 'né "1"\\']),
      { ...record('case', 'c3', [ANN]), deletedAt: 2 },
      record('case', 'c4'),
    ]);
    await sql`delete from "caseParties"`.execute(fresh.database.kysely);
    for (const statement of kept)
      if (typeof statement !== 'string')
        await sql.raw(statement[fresh.database.dialect]).execute(fresh.database.kysely);
    for (const [party, cases] of Object.entries({
      [ANN]: ['c1'],
      [LIKE_ANN]: ['c2'],
      [ANNA]: ['c1'],
      'né "1"\\': ['c2'],
    }))
      expect(await hosts.casesOf('demo', [party]), party).toEqual(cases);
  });
});
