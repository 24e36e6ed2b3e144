import { describe, expect, it } from 'vitest';
import { type Door, openDoor, proposeMove } from '../support/door.ts';

const open = () => openDoor({}, async ({ app }) => ({ routes: (await app.sync()).routes }));
const find = async (door: Door, key: string, q: string) =>
  (await door.ask('POST', '/api/search', { key, json: { q } })).json.hits;

describe('the search', () => {
  it('finds a bot, a proposal, a row of the log, a record of Salesforce and a record of the host [W10]', async () => {
    await using door = await open();
    const key = await door.operatorKey('viewer');
    const { id, recordId } = await proposeMove(door.world);
    await door.ask('PUT', '/api/parties/crm-7', {
      key: door.keys.host,
      json: { email: 'ana@x.example', name: 'Ana Lim' },
    });
    expect(await find(door, key, 'DEM')).toEqual([{ what: 'bot', bot: 'demo' }]);
    const proposal = { what: 'proposal', id, bot: 'demo', action: 'UpdateOpportunity', state: 'pending' };
    expect(await find(door, key, ` ${id} `)).toEqual([proposal]);
    expect(await find(door, key, recordId)).toEqual([proposal, { what: 'entries', recordId }]);
    expect(await find(door, key, recordId.slice(0, 15))).toEqual([proposal, { what: 'entries', recordId }]);
    const { rows } = (await door.ask('GET', '/api/audit?event=proposed', { key })).json;
    expect(await find(door, key, `#${rows[0].seq}`)).toMatchObject([{ what: 'entry', seq: rows[0].seq, bot: 'demo' }]);
    expect(await find(door, key, 'crm-7')).toMatchObject([
      { what: 'record', bot: 'demo', kind: 'party', localId: 'crm-7', object: 'Contact', recordId: null },
    ]);
    expect(await find(door, key, 'nothing of the kind')).toEqual([]);
  });

  it('looks through values for READ_VALUES alone, writes that down without the words, and shows no value to others [W10] [C7]', async () => {
    await using door = await open();
    await door.ask('PUT', '/api/parties/crm-7', {
      key: door.keys.host,
      json: { email: 'ana@x.example', name: 'Ana Lim' },
    });
    const [admin, viewer] = [await door.operatorKey('admin'), await door.operatorKey('viewer')];
    expect(await find(door, admin, 'ana lim')).toMatchObject([{ localId: 'crm-7', label: 'Ana Lim' }]);
    expect(await find(door, admin, 'ana@x')).toMatchObject([{ localId: 'crm-7' }]);
    expect(await find(door, viewer, 'ana lim')).toEqual([]);
    expect(JSON.stringify(await find(door, viewer, 'crm-7'))).not.toMatch(/Ana|ana@/);
    const { rows } = (await door.ask('GET', '/api/audit?event=searched', { key: viewer })).json;
    expect(rows.map(({ detail }: { detail: unknown }) => detail)).toEqual([{ found: 1 }, { found: 1 }]);
    expect(JSON.stringify(rows)).not.toMatch(/ana/i);
  });

  it('refuses agents and hosts, a long text, and more than a person would ask [W10]', async () => {
    await using door = await open();
    const ask = (key: string, q: string) => door.ask('POST', '/api/search', { key, json: { q } });
    expect((await ask(door.keys.agent, 'demo')).status).toBe(403);
    expect((await ask(door.keys.host, 'demo')).status).toBe(403);
    const key = await door.operatorKey('viewer');
    expect((await ask(key, 'x'.repeat(201))).status).toBe(400);
    expect((await ask(key, '  ')).status).toBe(400);
    const statuses = [];
    for (let times = 0; times < 62; times += 1) statuses.push((await ask(key, '%_\\"')).status);
    expect(statuses).toContain(200);
    expect(statuses.at(-1)).toBe(429);
  });
});
