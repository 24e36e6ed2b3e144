import { describe, expect, it } from 'vitest';
import { csvLine } from '../../src/domain/csv.ts';
import { tamper } from '../support/databases.ts';
import { type Door, openDoor, proposeMove } from '../support/door.ts';

/** A read, a refusal, a write that a person lets through, and a bot of its own that was refused. */
async function lived(door: Door) {
  const { world } = door;
  await world.call('GetAccount', { name: 'Acme Industries' });
  await world.refusal('GetAccount', { name: 'Nobody Ltd' });
  const { id, recordId } = await proposeMove(world);
  world.clock.advance(90_000);
  await world.approve(id);
  return { id, recordId };
}

const seqs = (json: { rows: { seq: number }[] }) => json.rows.map(({ seq }) => seq);

describe('the log over REST', () => {
  it('is found by who, what, outcome, cause and record, and walked both ways without a gap [W6]', async () => {
    await using door = await openDoor();
    const { recordId, id } = await lived(door);
    const key = await door.operatorKey('viewer');
    const find = async (query: string) =>
      (await door.ask('GET', `/api/audit?bot=${door.world.bot}&${query}`, { key })).json;
    expect((await find('outcome=refused')).rows).toMatchObject([{ event: 'refused', outcome: 'refused' }]);
    expect((await find('code=not_found')).rows).toHaveLength(1);
    expect((await find('code=permission_denied')).rows).toHaveLength(0);
    expect((await find(`record=${recordId}&outcome=done`)).rows).toMatchObject([{ proposal: id }]);
    expect((await find('channel=console')).rows.every((row: { channel: string }) => row.channel === 'console')).toBe(
      true,
    );
    expect((await find('principal=nobody')).rows).toEqual([]);
    const all = seqs(await find(''));
    expect(all.length).toBeGreaterThanOrEqual(5);
    const [first = 0, second, third] = all;
    expect(seqs(await find(`before=${first}&limit=2`))).toEqual([second, third]);
    // The next newer ones, not the newest.
    expect(seqs(await find(`after=${third}&limit=1`))).toEqual([second]);
    expect(seqs(await find(`after=${third}`))).toEqual([first, second]);
    expect((await door.ask('GET', '/api/audit?before=0', { key })).status).toBe(400);
  });

  it('leaves as CSV in which no cell is a formula, and as JSON lines, whole and without values [W6] [A7]', async () => {
    await using door = await openDoor();
    await lived(door);
    const evil = '=HYPERLINK("https://evil.example")';
    for (let n = 0; n < 501; n += 1)
      await door.world.app.audit.record({ principal: evil, channel: 'cli', action: 'Note', event: 'noted' });
    const key = await door.operatorKey('viewer');
    const csv = await door.ask('GET', '/api/audit?format=csv', { key });
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(csv.headers.get('content-disposition')).toContain('gatehouse-log.csv');
    expect(csv.text).toContain(`"'=HYPERLINK(""https://evil.example"")"`);
    expect(csv.text).not.toMatch(/(^|,|\n)"?=/);
    const rows = csv.text.trim().split('\r\n').length - 1;
    const lines = (await door.ask('GET', '/api/audit?format=jsonl', { key })).text.trim().split('\n');
    expect(lines).toHaveLength(rows);
    expect(rows).toBeGreaterThan(501);
    expect(lines.every((line) => !('sealed' in JSON.parse(line)))).toBe(true);
    expect(
      (await door.ask('GET', '/api/audit?format=csv&action=Note&limit=1', { key })).text.split('\r\n'),
    ).toHaveLength(503);
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('%j is text in a spreadsheet [W6]', (cell) => {
    expect(csvLine([cell, 1])).toMatch(/^"?'/);
  });

  it('shows one row with what can be done, and values only to an admin whose look is written down [W6] [C7]', async () => {
    await using door = await openDoor();
    const { recordId } = await lived(door);
    const [viewer, admin] = [await door.operatorKey('viewer'), await door.operatorKey('admin')];
    const [done] = (await door.ask('GET', `/api/audit?outcome=done&record=${recordId}`, { key: viewer })).json.rows;
    const at = `/api/audit/${done.seq}`;
    const one = (await door.ask('GET', at, { key: viewer })).json;
    expect(one).toMatchObject({
      isIntact: true,
      hasValues: true,
      mayUndo: true,
      url: expect.stringContaining(recordId),
    });
    expect(JSON.stringify(one)).not.toContain('Negotiation/Review');
    const refused = await door.ask('POST', `${at}/values`, { key: viewer });
    expect(refused.json.error).toMatchObject({ code: 'permission_denied' });
    const seen = (await door.ask('POST', `${at}/values`, { key: admin })).json;
    expect(seen.changes).toContainEqual(
      expect.objectContaining({ field: 'StageName', after: 'Negotiation/Review', object: 'Opportunity', id: recordId }),
    );
    const looks = (await door.ask('GET', '/api/audit?event=values_read', { key: viewer })).json.rows;
    expect(looks).toMatchObject([{ principal: 'operator:admin-2', recordId, detail: { seq: done.seq } }]);
    for (const no of ['0', 'x', '99999', '1e3'])
      expect((await door.ask('GET', `/api/audit/${no}`, { key: viewer })).status).toBe(404);
    expect((await door.ask('POST', `/api/audit/${looks[0].seq}/values`, { key: admin })).status).toBe(404);
  });

  it('shows no values of a row that somebody changed, and says so of the chain [W6] [C7]', async () => {
    await using door = await openDoor();
    const { recordId } = await lived(door);
    const key = await door.operatorKey('admin');
    expect((await door.ask('GET', '/api/audit/verify', { key })).json).toMatchObject({ ok: true });
    const [done] = (await door.ask('GET', `/api/audit?outcome=done&record=${recordId}`, { key })).json.rows;
    await tamper(door.world, `update audit set bot = '${door.world.bot}', "recordId" = 'x' where seq = ${done.seq}`);
    const at = `/api/audit/${done.seq}`;
    expect((await door.ask('GET', at, { key })).json).toMatchObject({ isIntact: false, mayUndo: false });
    expect((await door.ask('POST', `${at}/values`, { key })).status).toBe(409);
    expect((await door.ask('POST', `${at}/undo`, { key })).status).toBe(409);
    const verdict = (await door.ask('GET', '/api/audit/verify', { key })).json;
    expect(verdict).toMatchObject({ ok: false, problem: { seq: done.seq, words: 'it was edited' } });
  });

  it('turns an undo into a proposal that waits for a person, for who may decide alone [W6] [A6]', async () => {
    await using door = await openDoor();
    const { recordId } = await lived(door);
    const [viewer, approver] = [await door.operatorKey('viewer'), await door.operatorKey('approver')];
    const [done] = (await door.ask('GET', `/api/audit?outcome=done&record=${recordId}`, { key: viewer })).json.rows;
    expect((await door.ask('POST', `/api/audit/${done.seq}/undo`, { key: viewer })).status).toBe(403);
    const asked = await door.ask('POST', `/api/audit/${done.seq}/undo`, { key: approver });
    expect(asked.json).toMatchObject({ status: 'waiting', proposal: { action: 'Undo' } });
    const [row] = (await door.ask('GET', '/api/audit?action=Undo', { key: viewer })).json.rows;
    expect(row).toMatchObject({ event: 'proposed', channel: 'rest', principal: 'operator:approver-2' });
    // Of no bot.
    const { seq } = await door.world.app.audit.record({
      principal: 'x',
      channel: 'cli',
      action: 'Note',
      event: 'done',
    });
    expect((await door.ask('POST', `/api/audit/${seq}/undo`, { key: approver })).status).toBe(404);
  });
});

describe('the charts', () => {
  it('count what the log holds, by the hour, with the median wait and the use of the API [W8]', async () => {
    await using door = await openDoor();
    const { app, clock, bot } = door.world;
    await lived(door);
    await app.apiUse.note();
    const used = clock.now;
    clock.advance(3_500_000);
    const key = await door.operatorKey('viewer');
    const ask = async (query: string) => (await door.ask('GET', `/api/charts?${query}`, { key })).json;
    const all = await ask('from=4h');
    expect(all).toMatchObject({
      bucket: 'hour',
      refusals: [{ code: 'not_found', count: 1 }],
      waits: { count: 1, medianMs: 90_000 },
    });
    expect(all.buckets).toHaveLength(4);
    expect(all.buckets[3]).toMatchObject({ done: 2, asked: 1, refused: 1, approved: 1, declined: 0, expired: 0 });
    expect(all.buckets[2]).toMatchObject({ done: 0, asked: 0 });
    const { samples } = all.api.find((one: { bot: string }) => one.bot === bot);
    expect(samples).toHaveLength(1);
    expect(samples[0].max).toBeGreaterThan(samples[0].used);
    expect(Date.parse(samples[0].at)).toBeLessThanOrEqual(used);
    clock.advance(3_600_000);
    // Of the hour that is over, what was noted stays.
    await door.world.call('GetAccount', { name: 'Acme Industries' });
    await app.apiUse.note();
    expect((await ask('from=4h')).api[0].samples).toHaveLength(2);
    expect((await ask('from=4h&action=GetAccount')).buckets[2]).toMatchObject({ done: 1, asked: 0, refused: 1 });
    expect((await ask('from=30d')).buckets).toHaveLength(30);
    expect((await ask('from=30d')).bucket).toBe('day');
    expect((await ask('from=4h&bot=none')).buckets.every((one: { done: number }) => one.done === 0)).toBe(true);
    for (const bad of ['from=900d&bucket=hour', 'from=1h&to=2h', 'from=soon'])
      expect((await door.ask('GET', `/api/charts?${bad}`, { key })).status).toBe(400);
  });
});
