import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldValue } from '../../src/domain/action.ts';
import { type Cells, csvOf } from '../../src/domain/bulk-csv.ts';
import type { Bulk, BulkRow } from '../../src/ports/bulk.ts';
import { readCsv } from '../../src/salesforce/bulk/csv.ts';
import { createSimWorld } from './org-world.ts';

const KEYED = { object: 'Contact', operation: 'upsert', key: 'Gatehouse_Id__c' } as const;

async function openBulk(settings: object = { bulkQueueMs: 0, bulkRowsPerSecond: 1e9 }) {
  const world = await createSimWorld();
  await world.control('POST', 'settings', settings);
  const { bulk } = await world.open();
  const stored = async (key: string) =>
    (await world.open()).find('Contact', {
      fields: ['LastName', 'Title', 'Phone'],
      where: [{ field: 'Gatehouse_Id__c', is: key }],
      limit: 10,
    });
  const puts = async () =>
    (await world.control('GET', 'calls')).calls.filter(({ method }: { method: string }) => method === 'PUT').length;
  return { ...world, world, bulk, stored, puts, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}
const only = async (columns: readonly string[], rows: readonly Cells[]) => csvOf(columns, rows);

async function loaded(bulk: Bulk, columns: readonly string[], rows: readonly Cells[]): Promise<string> {
  const id = await bulk.create(KEYED);
  await bulk.upload(id, await only(columns, rows));
  await bulk.close(id);
  return id;
}
const byKey = async (rows: AsyncIterable<BulkRow>) =>
  new Map((await all(rows)).map((row) => [row.values.Gatehouse_Id__c, row]));

describe('bulk jobs', () => {
  it('write rows, and tell by key what became of each [B4]', async () => {
    await using org = await openBulk();
    const rows: Cells[] = [
      ['k1', 'Moyo, "the"\r\nelder', 'Head'],
      ['k2', undefined, 'Head'],
      ['k1', 'Again', null],
    ];
    const id = await loaded(org.bulk, ['Gatehouse_Id__c', 'LastName', 'Title'], rows);
    expect(await org.bulk.ended(id)).toMatchObject({ state: 'JobComplete', processed: 3, failed: 2, error: undefined });
    const done = await byKey(org.bulk.results(id, 'successful'));
    expect(done.get('k1')).toMatchObject({
      isCreated: true,
      failure: undefined,
      id: expect.stringMatching(/^003\w{15}$/),
    });
    const failed = await byKey(org.bulk.results(id, 'failed'));
    expect(failed.get('k2')?.failure).toMatchObject({ then: 'field', error: { salesforce: { fields: ['LastName'] } } });
    expect(failed.get('k1')?.failure?.error.salesforce?.code).toBe('DUPLICATE_VALUE');
    expect(await org.stored('k1')).toMatchObject([{ LastName: 'Moyo, "the"\nelder' }]);
    await org.bulk.remove(id);
    await org.bulk.remove(id);
    await expect(org.bulk.status(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('leave what is undefined, and empty what is null or an empty text [B4]', async () => {
    await using org = await openBulk();
    const columns = ['Gatehouse_Id__c', 'LastName', 'Title', 'Phone'];
    await org.bulk.ended(await loaded(org.bulk, columns, [['k1', 'Moyo', 'Head', '1']]));
    await org.bulk.ended(await loaded(org.bulk, columns, [['k1', undefined, null, '']]));
    expect(await org.stored('k1')).toMatchObject([{ LastName: 'Moyo', Title: null, Phone: null }]);
  });

  it('wait as long as Salesforce works, and longer each time [B4]', async () => {
    await using org = await openBulk({ bulkQueueMs: 3_600_000 });
    const id = await loaded(org.bulk, ['Gatehouse_Id__c', 'LastName'], [['k1', 'Moyo']]);
    const ended = org.bulk.ended(id);
    while (org.waits.length < 12) await new Promise((resolve) => setImmediate(resolve));
    await org.control('POST', 'bulk', { do: 'finish' });
    expect(await ended).toMatchObject({ state: 'JobComplete' });
    expect(org.waits[0]).toBeLessThan(2_401);
    expect(Math.max(...org.waits)).toBeLessThanOrEqual(36_000);
    expect(org.waits[11]).toBeGreaterThan(20_000);
  });

  it('that failed tell what was done and what was never tried [B4]', async () => {
    await using org = await openBulk();
    await org.control('POST', 'bulk', { do: 'fail', after: 1, message: 'TooManyLockFailure : Too many lock failure' });
    const id = await loaded(
      org.bulk,
      ['Gatehouse_Id__c', 'LastName'],
      [
        ['k1', 'A'],
        ['k2', 'B'],
      ],
    );
    expect(await org.bulk.ended(id)).toMatchObject({ state: 'Failed', error: expect.stringMatching(/^TooManyLock/) });
    expect([...(await byKey(org.bulk.results(id, 'successful'))).keys()]).toEqual(['k1']);
    expect([...(await byKey(org.bulk.results(id, 'unprocessed'))).keys()]).toEqual(['k2']);
  });

  it('tell a lock as something to try again, and a look-alike as one [B4]', async () => {
    await using org = await openBulk();
    await org.control('POST', 'bulk', { do: 'lock', rows: 1 });
    const rows: Cells[] = [
      ['k1', 'A', undefined],
      ['k2', 'Gonzalez', 'rosa.gonzalez@acme.example'],
    ];
    const id = await loaded(org.bulk, ['Gatehouse_Id__c', 'LastName', 'Email'], rows);
    await org.bulk.ended(id);
    const failed = await byKey(org.bulk.results(id, 'failed'));
    expect(failed.get('k1')?.failure?.then).toBe('retry');
    expect(failed.get('k2')?.failure?.then).toBe('match');
  });

  it('are closed once, though the answer to the first close was lost [B4]', async () => {
    for (const when of ['before', 'after']) {
      await using org = await openBulk();
      const id = await org.bulk.create(KEYED);
      await org.bulk.upload(id, await only(['Gatehouse_Id__c', 'LastName'], [['k1', 'Moyo']]));
      await org.control('POST', 'faults', { type: 'drop', when, times: 1, match: { method: 'PATCH', path: '/jobs/' } });
      await org.bulk.close(id);
      expect(await org.bulk.ended(id)).toMatchObject({ state: 'JobComplete', processed: 1 });
    }
  });

  it('never send an upload twice, whatever became of the first: the job is aborted, and nothing of it is written [B4]', async () => {
    for (const when of ['before', 'after']) {
      await using org = await openBulk();
      const id = await org.bulk.create(KEYED);
      await org.control('POST', 'faults', { type: 'drop', when, times: 1, match: { method: 'PUT' } });
      const csv = await only(['Gatehouse_Id__c', 'LastName'], [['k1', 'Moyo']]);
      await expect(org.bulk.upload(id, csv)).rejects.toMatchObject({ outcome: 'unknown' });
      expect(await org.puts()).toBe(1);
      await org.bulk.abort(id);
      expect(await org.bulk.ended(id)).toMatchObject({ state: 'Aborted', processed: 0 });
      expect(await org.stored('k1')).toEqual([]);
    }
  });

  it('say loudly that a result file was cut, or that something else answered [B4]', async () => {
    await using org = await openBulk();
    const id = await loaded(
      org.bulk,
      ['Gatehouse_Id__c', 'LastName'],
      [
        ['k1', 'Moyo'],
        ['k2', 'Moyo'],
      ],
    );
    await org.bulk.ended(id);
    const fault = (rule: object) =>
      org.control('POST', 'faults', { ...rule, times: 1, match: { path: 'successfulResults' } });
    await fault({ type: 'drop_body', when: 'after' });
    await expect(all(org.bulk.results(id, 'successful'))).rejects.toMatchObject({ code: 'salesforce_unavailable' });
    await fault({ type: 'html', status: 200 });
    await expect(all(org.bulk.results(id, 'successful'))).rejects.toMatchObject({ code: 'salesforce_error' });
    expect(await all(org.bulk.results(id, 'successful'))).toHaveLength(2);
  });

  it('read a query in pages to its end, and are removed afterwards [B4]', async () => {
    await using org = await openBulk();
    const found = await all(org.bulk.query('SELECT Id, Name, Owner.Name FROM Account ORDER BY Name', { pageSize: 3 }));
    expect(found).toHaveLength(8);
    expect(Object.keys(found[0] ?? {})).toEqual(['Id', 'Name', 'Owner.Name']);
    expect((await org.control('GET', 'bulk')).jobs).toEqual([]);
    for await (const row of org.bulk.query('SELECT Id FROM Account', { pageSize: 3 })) {
      expect(row.Id).toMatch(/^001/);
      break;
    }
    expect((await org.control('GET', 'bulk')).jobs).toEqual([]);
  });
});

describe('rows as CSV', () => {
  const bytes = async function* (csv: string) {
    yield Buffer.from(csv);
  };

  it('come back as they went, whatever stands in them [B4]', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('=cmd', '"', '""', ',', '\r\n', '\n', '\uFEFF', 'Zoë', '👩‍👩‍👧', 'a\ud800b', ' padded ', "'"),
    );
    const cell: fc.Arbitrary<FieldValue | undefined> = fc.oneof(value, fc.constantFrom(null, undefined, true, 4.5));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }), async (rows) => {
        const csv = await text(await only(['A__c', 'B__c'], rows));
        const wanted = (one: FieldValue | undefined) => {
          if (one === undefined) return '';
          return one === null || one === '' ? '#N/A' : Buffer.from(String(one).replace(/\r\n?/g, '\n')).toString();
        };
        const expected = rows.map(([a, b]) => ({ A__c: wanted(a), B__c: wanted(b) }));
        expect(await all(readCsv(bytes(csv)))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('refuse a text that means null, a value that is too long, and a column that is none [B4]', async () => {
    const sent = async (cell: FieldValue) => text(await only(['A__c'], [[cell]]));
    await expect(sent('#N/A')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(sent('x'.repeat(131_073))).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(only(['A__c,Id'], [['x']])).rejects.toThrow('A column is');
  });

  it('that are cut, or name a column twice, are read by nobody [B4]', async () => {
    for (const csv of ['A,A\n1,2\n', 'A,B\n1\n', 'A,B\n"1,2\n'])
      await expect(all(readCsv(bytes(csv)))).rejects.toMatchObject({ code: 'salesforce_error' });
  });
});
