import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveSim } from '../../src/sim/server.ts';
import { controlOf } from '../support/control.ts';
import { FACTS } from './facts.ts';
import { askOf } from './live.ts';
import { openLiveOrg, readSettings } from './org.ts';
import { openTurned, type Turn } from './turned.ts';
import { TURNS } from './turns.ts';

let org: Awaited<ReturnType<typeof serveSim>>;
beforeAll(async () => {
  org = await serveSim({ port: 0, seed: 'stock' });
  await controlOf(org)('POST', 'settings', { compositeConditional: true, cometdHoldMs: 20, bulkQueueMs: 0 });
});
afterAll(() => org.close());

const settingsAt = (url: string) =>
  readSettings({
    ...{ LIVE_LOGIN_URL: url, LIVE_CLIENT_ID: 'sim', LIVE_CLIENT_SECRET: 'sim', LIVE_PAUSE_MS: '20' },
    LIVE_CALLBACK: 'http://127.0.0.1/callback',
  });

async function verdictOf(id: string, turn?: Turn) {
  await using proxy = await openTurned(org.url, turn);
  const fact = FACTS.find((one) => one.id === id);
  if (fact === undefined) throw new Error(`no fact ${id}`);
  return await askOf(fact, await openLiveOrg(settingsAt(proxy.url), `GHLive ${id}`));
}

const asked = FACTS.filter(({ ask }) => ask !== undefined).map(({ id }) => id);

describe('the check of the fact', () => {
  it.each(asked)('%s is seen to hold, and to fail where an org does otherwise [X5]', async (id) => {
    expect(await verdictOf(id)).toMatchObject({ is: 'as assumed' });
    const turn = TURNS[id];
    if (turn === undefined) throw new Error(`nobody has seen the check of ${id} fail: give it a turn in turns.ts`);
    expect(await verdictOf(id, turn())).toMatchObject({ is: 'otherwise' });
  });

  it('is turned for no other fact than those that are asked [X5]', () => {
    expect(Object.keys(TURNS).sort()).toEqual([...asked].sort());
  });
});

describe('the table of facts', () => {
  it('names each once, says how it is asked or why not, and which files of ours are built on it [X5]', () => {
    expect(new Set(FACTS.map(({ id }) => id)).size).toBe(FACTS.length);
    for (const { id, how, assumed, source, reliesOn } of FACTS) {
      expect([id, how, assumed, source].filter((text) => text.trim() === '')).toEqual([]);
      for (const file of reliesOn)
        expect([id, file, existsSync(new URL(`../../${file}`, import.meta.url))]).toEqual([id, file, true]);
    }
  });

  it('says of itself in docs/live.md what cannot be asked from here [X5]', async () => {
    const page = await readFile(new URL('../../docs/live.md', import.meta.url), 'utf8');
    for (const { id, ask } of FACTS)
      if (ask === undefined) expect([id, page.includes(`\`${id}\``)]).toEqual([id, true]);
  });

  it('asks the wire itself: nothing of the simulated org, and no stand-in, is in the suite [X5]', async () => {
    const here = new URL('./', import.meta.url);
    const files = (await readdir(here, { recursive: true })).filter((name) => /\.(ts|mjs)$/.test(name));
    const suite = files.filter((name) => !/^(turned|turns|facts\.test)\.ts$/.test(name));
    expect(suite.length).toBeGreaterThan(8);
    for (const name of suite)
      expect([
        name,
        /src\/sim\/|support\/|vitest|turned\.ts/.test(await readFile(new URL(name, here), 'utf8')),
      ]).toEqual([name, false]);
  });
});

describe('the suite refuses', () => {
  it.each([
    ['a production org', { OrganizationType: 'Enterprise Edition' }],
    ['a sandbox of one', { OrganizationType: 'Unlimited Edition', IsSandbox: true }],
  ])('%s, before anything is written [X5]', async (_, kind) => {
    await using real = await openTurned(org.url, {
      said: ({ path }, { body }) => {
        if (!path.includes('Organization')) return undefined;
        const json = JSON.parse(body);
        Object.assign(json.records[0], kind);
        return { body: JSON.stringify(json) };
      },
    });
    await expect(openLiveOrg(settingsAt(real.url), 'GHLive x')).rejects.toThrow('only a Developer Edition');
  });

  it('CI, a login without https, and settings that name no way in [X5]', () => {
    const good = { LIVE_LOGIN_URL: 'https://x.my.salesforce.com', LIVE_CLIENT_ID: 'a', LIVE_CLIENT_SECRET: 'b' };
    expect(readSettings(good).loginUrl).toBe(good.LIVE_LOGIN_URL);
    expect(() => readSettings({ ...good, CI: '1' })).toThrow('never runs in CI');
    expect(() => readSettings({ ...good, LIVE_LOGIN_URL: 'http://x.my.salesforce.com' })).toThrow('https');
    expect(() => readSettings({ ...good, LIVE_CLIENT_SECRET: undefined })).toThrow('LIVE_USERNAME');
    expect(() => readSettings({ SALESFORCE_CLIENT_ID: 'a', SALESFORCE_LOGIN_URL: 'https://x' })).toThrow(
      'LIVE_LOGIN_URL',
    );
  });
});
