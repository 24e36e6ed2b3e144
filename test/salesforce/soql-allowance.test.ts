import { expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { createAllowance } from '../../src/salesforce/query/allowance.ts';
import { createSoql } from '../../src/salesforce/query/run-soql.ts';
import { describeOnce, describeStores } from '../support/databases.ts';
import { createServedWorld, refusal } from './org-world.ts';

const MINUTE = 60_000;
const NOW = 1_800_000_000_000 - (1_800_000_000_000 % MINUTE);

describeStores((_, openFresh) => {
  const open = async (most: number) => {
    const fresh = await openFresh();
    const clock = { now: NOW };
    const { counters } = fresh.store;
    const at = (now: () => number) => createAllowance({ what: 'rows', bot: 'demo', most, counters, now });
    return { fresh, clock, at, rows: at(() => clock.now) };
  };

  it('gives each place to one of many callers at once, and all places [Q3]', async () => {
    const { fresh, rows } = await open(60);
    await using _ = fresh;
    const taken = await Promise.allSettled(Array.from({ length: 300 }, () => rows.reserve(1)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(60);
    expect((await refusal(rows.check(1))).code).toBe('rate_limited');
    await rows.reserve(0);
  });

  it('is not more across the turn of a minute [Q3]', async () => {
    const { fresh, at } = await open(1);
    await using _ = fresh;
    const callers = Array.from({ length: 20 }, (_, n) => at(() => NOW + (n % 3) * MINUTE).reserve(1));
    const taken = await Promise.allSettled(callers);
    expect(taken.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  it('holds what was taken until it is left, and an hour long what was used [Q3]', async () => {
    const { fresh, clock, rows } = await open(10);
    await using _ = fresh;
    const reservation = await rows.reserve(10);
    expect((await refusal(rows.reserve(1))).code).toBe('rate_limited');
    reservation.spend(7);
    clock.now += 2 * MINUTE;
    await reservation.release();
    const error = await refusal(rows.reserve(4));
    expect(`${error.message} ${error.next}`).toMatch(/3 of 10 .*LIMIT 3/);
    await rows.check(3);
    clock.now = NOW + 60 * MINUTE;
    expect((await refusal(rows.check(4))).code).toBe('rate_limited');
    clock.now += 1;
    await rows.check(10);
  });
});

describeOnce('in one house', () => {
  it('counts rows that came, though the rest of the answer failed [Q3]', async () => {
    await using world = await createServedWorld((request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url?.endsWith('/describe'))
        response.end('{"name":"Account","fields":[{"name":"Id","type":"id"}],"childRelationships":[]}');
      else if (request.url?.includes('/query?q='))
        response.end(
          '{"totalSize":9,"done":false,"nextRecordsUrl":"/services/data/v66.0/query/01g000000000001AAA-2","records":[{"Id":"001D000000K0fXOIAZ"},{"Id":"001D000000K0fXOIAZ"}]}',
        );
      else {
        response.statusCode = 400;
        response.end('[{"message":"gone","errorCode":"INVALID_QUERY_LOCATOR"}]');
      }
    });
    const policy = shippedPolicy('internal');
    const soql = createSoql({
      bot: 'demo',
      caller: 'agent:test',
      org: await world.open(),
      policy: { ...policy, soql: { ...policy.soql, rowsPerHour: 10 } },
      counters: world.store.counters,
      secret: 'a secret of this test',
      now: () => world.clock.now,
    });
    const query = await soql.judge('SELECT Id FROM Account LIMIT 9', 'concise');
    expect((await refusal(soql.run(query, 'concise'))).salesforce?.code).toBe('INVALID_QUERY_LOCATOR');
    expect(await world.store.counters.sum('soql-rows:demo', 0)).toBe(2);
  });
});
