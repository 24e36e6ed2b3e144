import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Database } from 'sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSim, type Sim } from '../../src/sim/sim.ts';
import { start as startProgram } from '../support/programs.ts';

describe('several processes on one file', () => {
  let folder: string;
  let file: string;
  const open: Sim[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sim-'));
    file = path.join(folder, 'sim.db');
  });
  afterEach(async () => {
    for (const sim of open.splice(0)) await sim.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<Sim> => {
    const sim = await createSim({ file });
    open.push(sim);
    return sim;
  };
  // biome-ignore lint/suspicious/noExplicitAny: answers of any path, asserted below.
  const send = async (sim: Sim, method: string, route: string, body?: any, token = ''): Promise<any> => {
    const isForm = body instanceof URLSearchParams;
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(body && !isForm ? { 'Content-Type': 'application/json' } : {}),
    };
    const content = body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) };
    const text = await (
      await sim.fetch(new Request(`http://sim.invalid${route}`, { method, headers, ...content }))
    ).text();
    return text ? JSON.parse(text) : undefined;
  };
  const signIn = async (sim: Sim): Promise<string> =>
    (
      await send(
        sim,
        'POST',
        '/services/oauth2/token',
        new URLSearchParams({
          grant_type: 'password',
          client_id: 'sim',
          client_secret: 'sim',
          username: 'admin@sim.example',
          password: 'sim',
        }),
      )
    ).access_token;
  const records = async (sim: Sim, object: string) => (await send(sim, 'GET', `/_sim/records/${object}`)).records;

  it('see one org: records, sessions, faults, clock, calls and resets [X5]', async () => {
    const [one, two] = [await start(), await start()];
    const token = await signIn(one);
    const { id } = await send(two, 'POST', '/services/data/v66.0/sobjects/Account', { Name: 'Shared' }, token);
    expect((await send(one, 'GET', `/services/data/v66.0/sobjects/Account/${id}`, undefined, token)).Name).toBe(
      'Shared',
    );
    await send(one, 'POST', '/_sim/faults', { type: 'limit', times: 1 });
    expect((await send(two, 'GET', '/services/data/v66.0/limits', undefined, token))[0].errorCode).toBe(
      'REQUEST_LIMIT_EXCEEDED',
    );
    expect((await send(one, 'GET', '/services/data/v66.0/limits', undefined, token)).DailyApiRequests.Max).toBe(
      100_000,
    );
    await send(two, 'POST', '/_sim/clock', { now: '2031-01-01T00:00:00Z' });
    expect((await send(one, 'GET', '/_sim/clock')).now).toMatch(/^2031-01-01/);
    expect((await send(one, 'GET', '/_sim/calls')).count).toBe(4);
    await send(two, 'POST', '/_sim/reset');
    expect(await records(one, 'Account')).toHaveLength(8);
    expect((await send(one, 'GET', '/_sim/calls')).count).toBe(0);
  });

  it('go on with a file of before the newest settings, and see the fields that another one adds [X5]', async () => {
    await (await createSim({ file })).close();
    const run = (sql: string) =>
      new Promise<void>((resolve, reject) => {
        const db = new Database(file, (opened) => {
          if (opened) return reject(opened);
          db.run(sql, (error) => db.close(() => (error ? reject(error) : resolve())));
        });
      });
    await run(`update entry set json = '{"withoutFields":[],"sessionMs":60000}' where kind = 'settings'`);
    const [one, two] = [await start(), await start()];
    expect(await send(one, 'GET', '/_sim/settings')).toMatchObject({ sessionMs: 60_000, addedFields: [], apiMax: 1e5 });
    await send(one, 'POST', '/_sim/fields', { object: 'Contact', name: 'Extra__c', type: 'time' });
    await send(two, 'POST', '/_sim/records/Contact', { LastName: 'E', Extra__c: '10:30' });
    expect((await records(one, 'Contact')).at(-1)).toMatchObject({ LastName: 'E', Extra__c: '10:30:00.000Z' });
  });

  it('are seeded once, however many begin at the same instant [X5]', async () => {
    const sims = await Promise.all([start(), start(), start(), start()]);
    for (const sim of sims) expect(await records(sim, 'Account')).toHaveLength(8);
    await Promise.all(sims.map(async (sim, n) => send(sim, 'POST', '/_sim/records/Account', { Name: `A${n}` })));
    const ids = (await records(await start(), 'Account')).map((row: { Id: string }) => row.Id);
    expect(new Set(ids).size).toBe(12);
  });

  it('keep every record that was answered for when one of them is killed, and go on at once [X5]', async () => {
    const writers = await Promise.all(['left', 'right'].map((name) => startProgram('sim', { file, name })));
    const ids: string[][] = [[], []];
    const reach = async (n: number, count: number) => {
      while ((ids[n]?.length ?? 0) < count) ids[n]?.push(await writers[n]?.next());
    };
    await Promise.all([reach(0, 15), reach(1, 15)]);
    await writers[0]?.kill();
    await reach(1, 25);
    await writers[1]?.kill();
    // What they answered before they died.
    for (const [n, writer] of writers.entries())
      for (let id = await writer.next(); id !== undefined; id = await writer.next()) ids[n]?.push(id);
    const survivor = await start();
    const kept = new Set((await records(survivor, 'Lead')).map((row: { Id: string }) => row.Id));
    const answered = ids.flat();
    expect(answered.length).toBeGreaterThanOrEqual(40);
    expect(new Set(answered).size).toBe(answered.length);
    expect(answered.filter((id) => !kept.has(id))).toEqual([]);
    expect(await records(survivor, 'Account')).toHaveLength(8);
    expect(await integrity(file)).toBe('ok');
  });
});

function integrity(file: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const db = new Database(file);
    db.get('pragma integrity_check', (error, row: Record<string, unknown>) => {
      db.close(() => (error ? reject(error) : resolve(row.integrity_check)));
    });
  });
}
