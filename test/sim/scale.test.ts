import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenOrg, openOrg } from './open-org.ts';

const total = 100_000;

/** Work is counted in rows that a query looked at, so that a slow machine cannot fail it. */
describe('an org of 100,000 contacts', () => {
  let org: OpenOrg;
  beforeAll(async () => {
    const Contact = Array.from({ length: total }, (_, n) => ({
      LastName: `L${n}`,
      Email: `p${n}@big.example`,
      Gatehouse_Id__c: `g${n}`,
    }));
    org = await openOrg({ seed: { records: { Contact } } });
  });
  afterAll(async () => {
    await org[Symbol.asyncDispose]();
  });

  const composite = async (soql: string) => {
    const url = `/services/data/v66.0/query?q=${encodeURIComponent(soql)}`;
    const answer = await org.api('POST', '/composite', {
      compositeRequest: [{ method: 'GET', url, referenceId: 'q' }],
    });
    return answer.body.compositeResponse[0].body;
  };
  const examined = async (): Promise<number> => (await org.sim('GET', '/calls')).body.calls.at(-1).examined;
  const list = (count: number, value: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => `'${value(n * 37)}'`).join(',');

  it('finds 2,000 by email or by external id without looking at the rest [X5]', async () => {
    const byEmail = await composite(
      `SELECT Id, Email FROM Contact WHERE Email IN (${list(2000, (n) => `P${n}@BIG.example`)})`,
    );
    expect(byEmail.totalSize).toBe(2000);
    expect(await examined()).toBe(2000);
    const either = await composite(
      `SELECT Id FROM Contact WHERE Gatehouse_Id__c IN (${list(1000, (n) => `g${n}`)}) OR Email IN (${list(1000, (n) => `p${n}@big.example`)})`,
    );
    expect(either.totalSize).toBe(1000);
    expect(await examined()).toBe(1000);
  });

  it('finds by Id and joins by index [X5]', async () => {
    const { records } = (await org.query("SELECT Id FROM Contact WHERE Email = 'p99999@big.example'")).body;
    expect(await examined()).toBe(1);
    await org.query(`SELECT Id FROM Contact WHERE Id = '${records[0].Id.slice(0, 15)}' AND LastName != 'x'`);
    expect(await examined()).toBe(1);
  });

  it('polls what changed since a moment, in order, at the cost of what changed [X5]', async () => {
    await org.sim('POST', '/clock', { advanceMs: 60_000 });
    const since = (await org.sim('GET', '/clock')).body.now;
    for (const n of [5, 3, 9]) await org.api('PATCH', `/sobjects/Contact/Gatehouse_Id__c/g${n}`, { Title: 'changed' });
    const soql = `SELECT LastName FROM Contact WHERE SystemModstamp >= ${since.slice(0, 19)}Z ORDER BY SystemModstamp, Id LIMIT 200`;
    const { records } = (await org.query(soql)).body;
    expect(records.map((row: { LastName: string }) => row.LastName).sort()).toEqual(['L3', 'L5', 'L9']);
    expect(await examined()).toBe(3);
  });

  it('stops looking when a poll has its page [X5]', async () => {
    const soql =
      'SELECT Id FROM Contact WHERE SystemModstamp > 2000-01-01T00:00:00Z ORDER BY SystemModstamp, Id LIMIT 50';
    expect((await org.query(soql)).body.records).toHaveLength(50);
    expect(await examined()).toBe(50);
  });

  it('pages through all of them [X5]', async () => {
    let page = (await org.query('SELECT Id FROM Contact ORDER BY Id')).body;
    const seen = new Set<string>();
    let pages = 0;
    for (;;) {
      for (const { Id } of page.records) seen.add(Id);
      pages++;
      if (page.done) break;
      page = (await org.api('GET', page.nextRecordsUrl)).body;
    }
    expect([pages, seen.size]).toEqual([50, total]);
    expect(await examined()).toBe(0);
  });
});
