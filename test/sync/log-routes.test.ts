import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { type Ask, bodyOf, door } from './door.ts';
import { createSyncWorld } from './world.ts';

/** The rows of an export. */
async function linesOf(answer: ReturnType<Ask>) {
  const { status, type, body } = await answer;
  expect([status, type]).toEqual([200, 'application/jsonl']);
  return String(body)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describeStores((_name, openFresh) => {
  it('shows each trouble people meet in log and links with its cure, exports, and retries [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/cases/c1', { title: 'Won for nothing', status: 'resolved' });
    await world.case('c1').catch(() => {});
    const { logs } = await bodyOf(ask('GET', '/api/bots/demo/sync/logs?status=failed'));
    expect(logs).toEqual([
      expect.objectContaining({
        localId: 'c1',
        operation: 'none',
        calls: expect.any(Number),
        error: expect.objectContaining({
          code: 'validation_rule',
          next: expect.any(String),
          salesforce: expect.objectContaining({ quote: 'A won opportunity needs an amount.' }),
        }),
      }),
    ]);
    const { links } = await bodyOf(ask('GET', '/api/bots/demo/sync/links?state=failed'));
    expect(links).toHaveLength(1);
    expect((await linesOf(ask('GET', '/api/bots/demo/sync/logs?format=jsonl'))).map((row) => row.localId)).toEqual([
      'c1',
    ]);
    await world.control('POST', 'settings', { validation: false });
    expect(await bodyOf(ask('POST', '/api/bots/demo/sync/retry', { failed: true }))).toEqual({ retried: 1 });
    await world.settle();
    expect(await world.records('Opportunity')).toHaveLength(1);
    await expect(ask('GET', '/api/bots/nobody/sync/logs')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('exports the whole log, however long, and as much as a limit asks for [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await world.sync.hosts.put(
      'demo',
      'party',
      Array.from({ length: 1_234 }, (_, n) => ({
        id: `p${n}`,
        fields: { email: `p${n}@example.com`, name: `P ${n}` },
      })),
    );
    await world.sync.runner.runAllDue('demo', await world.org());
    const logs = '/api/bots/demo/sync/logs';
    const rows = await linesOf(ask('GET', `${logs}?format=jsonl`));
    expect(new Set(rows.map((row) => row.id)).size).toBe(1_234);
    expect(await linesOf(ask('GET', `${logs}?format=jsonl&limit=700`))).toEqual(rows.slice(0, 700));
    expect(await linesOf(ask('GET', `${logs}?format=jsonl&status=failed`))).toEqual([]);
    const page = await bodyOf(ask('GET', logs));
    expect(page.logs).toEqual(rows.slice(0, 100));
    expect((await bodyOf(ask('GET', `${logs}?before=${page.next}&limit=7`))).logs).toEqual(rows.slice(100, 107));
  });

  it('finds rows of the log by time, by operation, and those with a conflict [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const find = async (query: string) => {
      const { logs } = await bodyOf(ask('GET', `/api/bots/demo/sync/logs?${query}`));
      return logs.map((row: { localId: string; operation: string }) => `${row.localId} ${row.operation}`);
    };
    const iso = () => encodeURIComponent(new Date(world.clock.now).toISOString());
    await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', jobTitle: 'winner' });
    const { id } = await world.party('p1');
    world.clock.advance(60_000);
    const since = iso();
    await world.put('p2', { email: 'bob@example.com', name: 'Bob "winner":' });
    await world.party('p2');
    world.clock.advance(60_000);
    const until = iso();
    await world.edit(id, { Title: 'at Salesforce' });
    await world.put('p1', { jobTitle: 'at the host' });
    await world.party('p1');
    expect(await find(`since=${since}&until=${until}`)).toEqual(['p2 create']);
    expect(await find(`until=${since}`)).toEqual(['p1 create']);
    const { next } = await bodyOf(ask('GET', '/api/bots/demo/sync/logs?operation=create&limit=1'));
    expect(await find(`before=${next}&until=${until}`)).toEqual(['p1 create']);
    expect(await find(`before=${next}&since=${since}`)).toEqual([]);
    expect(await find('operation=create')).toEqual(['p2 create', 'p1 create']);
    const conflicts = await find('conflict=true');
    expect(new Set(conflicts)).toEqual(new Set(['p1 update']));
    expect(await find(`conflict=true&until=${until}`)).toEqual([]);
  });

  it('has one log row per effect with before and after; replayed, they rebuild both sides [sync-P31] [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const id = (
      await (async () => {
        await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1' });
        return world.party('p1');
      })()
    ).id;
    const calls = await world.calls(async () => {
      for (let n = 0; n < 6; n++) {
        world.clock.advance(60_000);
        if (n % 2 === 0) await world.put('p1', { phone: `host ${n}`, jobTitle: `host ${n}` });
        if (n % 3 !== 1) await world.edit(id, { Title: `salesforce ${n}` }, 'Contact', world.clock.now + 1_000);
        world.clock.advance(10_000);
        await world.sync.runner.runAllDue('demo', await world.org());
      }
      await world.party('p1');
    });
    const rows = [...(await world.log('p1'))].reverse();
    const crm = new Map<string, unknown>();
    const host = new Map<string, unknown>();
    for (const row of rows)
      for (const change of row.changes) (row.direction === 'to_crm' ? crm : host).set(change.field, change.after);
    const [record] = await world.records();
    expect(crm.get('Phone')).toBe(record?.Phone);
    expect((await world.host('p1')).fields.jobTitle).toBe(record?.Title);
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
    expect(rows.every((row) => row.changes.every((change) => 'before' in change && 'after' in change))).toBe(true);
    const counted = rows.slice(1).reduce((sum, row) => sum + row.calls, 0);
    expect(counted).toBeLessThanOrEqual(calls);
    expect(counted).toBeGreaterThan(0);
  });
});
