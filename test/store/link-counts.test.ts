import { expect, it } from 'vitest';
import { heldByPart } from '../../src/domain/link.ts';
import { freshLink } from '../../src/domain/link-transitions.ts';
import type { Database } from '../../src/store/engines/database.ts';
import { createSyncStore } from '../../src/store/sync/sync-store.ts';
import { describeStores } from '../support/databases.ts';
import { sentBy } from '../support/statements.ts';

const SCOPE = { bot: 'demo', orgId: '00D' };
const PEOPLE = { ...SCOPE, kind: 'party', object: 'Contact' } as const;
const ERROR = { code: 'validation_rule', message: 'No.', next: 'Mend it.', retryable: false } as const;

function linksOf(...counts: readonly number[]) {
  const states = [
    { state: 'active', dirty: 1, done: 1 },
    { state: 'active', dirty: 2, done: 1 },
    { state: 'new', error: { ...ERROR, code: 'salesforce_unavailable', retryable: true }, dirty: 2, done: 1 },
    { state: 'failed', error: ERROR, dirty: 1, done: 1 },
    { state: 'unlinked', error: ERROR, dirty: 2, done: 1 },
  ] as const;
  return states.flatMap((more, at) =>
    Array.from({ length: counts[at] ?? 0 }, (_, n) => {
      const localId = `${more.state}-${at}-${n}`;
      const rest = { extKey: localId, matchKey: null, createdAt: 1, reason: 'r' };
      return { ...freshLink({ id: localId, ...PEOPLE, localId, ...rest }), ...more };
    }),
  );
}

/** How the database would answer each statement, with an index wherever one serves. */
async function plansOf(database: Database, work: () => Promise<unknown>): Promise<string> {
  const sent = await sentBy(work);
  const plans: string[] = [];
  for (const statement of sent) {
    const rows =
      database.dialect === 'sqlite'
        ? await database.all<object>(`explain query plan ${statement}`, [])
        : await database.transaction(async (inside) => {
            for (const way of ['seqscan', 'bitmapscan', 'sort']) await inside.all(`set local enable_${way} = off`, []);
            const known = Object.entries(PEOPLE).reduce(
              (text, [column, value]) => text.replace(new RegExp(`("${column}") = \\$\\d+`, 'g'), `$1 = '${value}'`),
              statement,
            );
            // Of the rest, any value serves a plan.
            return inside.all<object>(`explain ${known.replace(/\$\d+/g, "'1'")}`, []);
          });
    plans.push(rows.map((row) => JSON.stringify(row)).join('; '));
  }
  return plans.join(' / ');
}

describeStores((name, openFresh) => {
  it('counts what is in step, waits and stands still, of three kinds of trouble [S5]', async () => {
    await using fresh = await openFresh();
    const { links } = createSyncStore(fresh.database);
    await links.save(linksOf(1, 2, 3, 4, 5));
    expect(await links.standing(SCOPE)).toEqual({ inStep: 1, waits: 2 + 3, needsYou: 4 });
    expect(await links.countProblems(PEOPLE)).toBe(3 + 4);
    expect((await links.backlog(PEOPLE)).count).toBe(2 + 3);
    expect(await links.countByState(SCOPE)).toMatchObject([
      { kind: 'party', state: 'active', count: 3 },
      { state: 'failed', count: 4 },
      { state: 'new', count: 3 },
      { state: 'unlinked', count: 5 },
    ]);
  });

  it('answers the status, and finds what is past its time, from indexes alone, however many links there are [S5] [X3]', async () => {
    await using fresh = await openFresh();
    const { database } = fresh;
    const store = createSyncStore(database);
    await store.links.save(linksOf(2_000, 20, 3, 4, 5));
    if (name === 'PostgreSQL') await database.all('vacuum analyze links', []);
    const only = (index: string) =>
      new RegExp(name === 'SQLite' ? `COVERING INDEX ${index}` : `Index Only Scan using ${index}`);
    const by = (index: string) =>
      new RegExp(name === 'SQLite' ? `INDEX ${index}` : `Index (Only )?Scan.* using ${index}`);
    const plans = (work: () => Promise<unknown>) => plansOf(database, work);
    const sorts = name === 'SQLite' ? /TEMP B-TREE FOR ORDER BY/ : /"Sort/;
    expect(await plans(() => store.links.countByState(SCOPE))).toMatch(only('links_counted'));
    expect(await plans(() => store.links.backlog(PEOPLE))).toMatch(only('links_backlog'));
    expect(await plans(() => store.links.countProblems(PEOPLE))).toMatch(by('links_problem'));
    const [all = '', broken = ''] = (await plans(() => store.links.standing(SCOPE))).split(' / ');
    expect(all).toMatch(only('links_counted'));
    expect(broken).toMatch(by('links_problem'));
    const problems = await plans(() => store.links.list(PEOPLE, { hasProblem: true, limit: 1_000 }));
    expect(problems).toMatch(by('links_problem'));
    expect(problems).not.toMatch(sorts);
    const newest = await plans(() => store.hosts.newest('demo', 'party', 200));
    expect(newest).toMatch(by('host_records_newest'));
    expect(newest).not.toMatch(sorts);
  });

  it('finds what is free, and who holds links, past all that a bulk job holds [F6] [X3]', async () => {
    await using fresh = await openFresh();
    const { database } = fresh;
    const { links } = createSyncStore(database);
    const held = linksOf(2_000).map((link) => ({
      ...{ ...link, batch: 'load', leaseOwner: heldByPart('part'), leaseUntil: Number.MAX_SAFE_INTEGER },
    }));
    const [one, two, ...rest] = linksOf(0, 300).map((link) => ({ ...link, batch: 'load' }));
    await links.save([
      ...held,
      { ...one!, leaseOwner: 'a', leaseUntil: 5 },
      { ...two!, leaseOwner: 'c', leaseUntil: 6 },
      ...rest,
    ]);
    if (name === 'PostgreSQL') await database.all('vacuum analyze links', []);
    expect([...(await links.leases(SCOPE))].sort((a, b) => a.until - b.until)).toEqual([
      { owner: 'a', until: 5 },
      { owner: 'c', until: 6 },
    ]);
    const claim = (limit: number) =>
      links.claim(PEOPLE, { due: 'batch', batch: 'load' }, { owner: 'me', now: 10, until: 20, limit });
    const plans = await plansOf(database, () => claim(10));
    expect(plans).toMatch(/links_batch_free/);
    expect(plans).not.toMatch(name === 'SQLite' ? /TEMP B-TREE FOR ORDER BY/ : /"Sort/);
    expect(await claim(1_000)).toHaveLength(288);
    const leases = await plansOf(database, () => links.leases(SCOPE));
    expect(leases).toMatch(name === 'SQLite' ? /COVERING INDEX links_leased/ : /Index Only Scan using links_leased/);
    expect(leases).not.toMatch(/SCAN links|Seq Scan/);
  });
});
