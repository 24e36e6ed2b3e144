import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse } from '../support/cli.ts';

/** What a start meets in its data folder and its environment. */

let house: Gatehouse;
beforeEach(async () => {
  house = await createGatehouse();
});
afterEach(() => house[Symbol.asyncDispose]());

const list = (env: Record<string, string> = {}) => house.run(['bot', 'list', '--json'], { env });

describe('the data folder', () => {
  it('is made at the first start, for this account alone', async () => {
    expect((await list()).code).toBe(0);
    expect((await stat(house.dataDir)).mode & 0o077).toBe(0);
  });

  it('holds no key and no token in the clear', async () => {
    const { key, hostKey } = (await house.run(['bot', 'create', 'acme', '--json'])).json;
    const operator = (await house.run(['operator', 'create', 'ann', '--role', 'admin', '--json'])).json.key;
    const { readFile } = await import('node:fs/promises');
    for (const entry of await readdir(house.dataDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(path.join(entry.parentPath, entry.name), 'latin1');
      for (const secret of [key, hostKey, operator]) expect(bytes.includes(secret), entry.name).toBe(false);
    }
  });

  it('refuses another GATEHOUSE_SECRET than the one it was made with, and says so [O4]', async () => {
    await house.run(['bot', 'create', 'acme']);
    const ran = await list({ GATEHOUSE_SECRET: 'another secret of enough length' });
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.error).toMatchObject({ code: 'config_invalid', next: expect.stringContaining('former secret') });
    expect(ran.stderr).not.toContain('another secret');
    expect((await list()).code).toBe(0);
  });

  it.each(['gatehouse.db'])('refuses a corrupted %s with the next step, and leaves it as it is', async (file) => {
    await house.run(['bot', 'create', 'acme']);
    const at = path.join(house.dataDir, file);
    for (const extra of ['-wal', '-shm']) await writeFile(`${at}${extra}`, '');
    await writeFile(at, 'this is no database, however often it is opened'.repeat(200));
    const ran = await list();
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.error.code).toBe('config_invalid');
    expect(ran.error.next).toMatch(/backup|folder|GATEHOUSE_DATA/i);
    expect((await stat(at)).size).toBe(47 * 200);
  });

  it.skipIf(process.getuid?.() === 0)('says when it may not write there', async () => {
    await list();
    await chmod(house.dataDir, 0o500);
    const ran = await list();
    await chmod(house.dataDir, 0o700);
    expect(ran.error.code).toBe('config_invalid');
  });

  it('says when the folder cannot be one', async () => {
    const file = path.join(house.dataDir, '..', 'a-file');
    await writeFile(file, '');
    const ran = await list({ GATEHOUSE_DATA: path.join(file, 'data') });
    expect([ran.code, ran.stdout, ran.error.code]).toEqual([1, '', 'config_invalid']);
  });
});

describe('the environment', () => {
  it('names every bad variable at once, and no value', async () => {
    const ran = await list({ PORT: 'eighty', GATEHOUSE_SECRET: 'short', DATABASE_URL: 'mysql://me:pass@db' });
    expect([ran.code, ran.stdout, ran.error.code]).toEqual([1, '', 'config_invalid']);
    expect(ran.error.fields.map(({ name }: { name: string }) => name).sort()).toEqual([
      'DATABASE_URL',
      'GATEHOUSE_SECRET',
      'PORT',
    ]);
    expect(ran.stderr).not.toMatch(/eighty|short|mysql|pass/);
  });
});

describe('the simulated org beside a stored real connection', () => {
  it('is refused unless GATEHOUSE_SIM=1, and keys guard what changes the house, also after Disconnect [X5] [C3] [U2] [U10]', {
    timeout: 180_000,
  }, async () => {
    // The simulated org by itself, reached as a Salesforce host would be: for Gatehouse that is a real connection.
    await using salesforce = await house.start(['sim', '--port', '0']);
    const { url } = salesforce.document;
    const real = {
      SALESFORCE_CLIENT_ID: 'sim',
      SALESFORCE_CLIENT_SECRET: 'sim',
      SALESFORCE_LOGIN_URL: url,
      SALESFORCE_EXTRA_HOSTS: new URL(url).host,
      SALESFORCE_PASSWORD: 'sim',
    };
    const as = (env: Record<string, string>, ...args: string[]) => house.run([...args, '--json'], { env });

    const admin = (await as(real, 'operator', 'create', 'ann', '--role', 'admin')).json;
    expect((await as(real, 'bot', 'create', 'acme', '--profile', 'internal')).json.bot).toBe('acme');
    expect((await as(real, 'status', 'acme')).json).toMatchObject({
      simulated: false,
      connection: { state: 'never_connected' },
    });
    const connected = await as(real, 'connect', 'acme', '--flow', 'client-credentials', '--login-url', url);
    expect([connected.code, connected.stderr]).toEqual([0, '']);
    // By an app of the bot's own: the installation's secret is not lent to it, and its own comes from the environment.
    const own = ['connect', 'acme', '--flow', 'client-credentials', '--login-url', url, '--client-id', 'sim'];
    const keyed = { ...real, GATEHOUSE_OPERATOR_KEY: admin.key, SALESFORCE_CLIENT_SECRET: 'wrong' };
    expect((await as(keyed, ...own)).error.code).toBe('config_invalid');
    expect((await as({ ...keyed, SALESFORCE_BOT_CLIENT_SECRET: 'sim' }, ...own)).code).toBe(0);

    const lost = await as({}, 'call', 'acme', 'GetAccount', '{"name":"Globex Shipping"}');
    expect([lost.code, lost.error.code]).toEqual([1, 'config_invalid']);
    expect(lost.error.next).toContain('GATEHOUSE_SIM=1');
    expect((await as({ GATEHOUSE_SIM: '1' }, 'bot', 'list')).code).toBe(0);

    const withKey = { ...real, GATEHOUSE_OPERATOR_KEY: admin.key };
    for (const args of [
      ['bot', 'create', 'other'],
      ['grant', 'acme', 'RUN_SOQL'],
      ['operator', 'create', 'bob', '--role', 'admin'],
      ['connect', 'acme', '--flow', 'client-credentials', '--login-url', url],
      ['disconnect', 'acme'],
      // Nothing is open again now: a key-holder's Disconnect is no way around the keys.
      ['operator', 'create', 'eve', '--role', 'admin'],
      ['policy', 'mode', 'acme', 'automatic'],
      ['connect', 'acme', '--flow', 'client-credentials', '--login-url', url],
      ['org', 'prepare', 'acme'],
      ['sync', 'acme', '--object', 'party', '--batch', '--every', 'day', '--at', '02:30', '--zone', 'UTC'],
    ]) {
      expect((await as(real, ...args)).error?.code, args.join(' ')).toBe('unauthenticated');
      expect((await as(withKey, ...args)).code, args.join(' ')).toBe(0);
    }
    expect((await as(real, 'mcp', '--bot', 'acme')).error.code).toBe('unauthenticated');
    const { rows } = (await as(real, 'audit', 'export')).json;
    expect(rows.filter(({ event }: { event: string }) => event === 'batch_started')).toMatchObject([
      { principal: 'operator:ann', channel: 'cli', detail: { kind: 'party', repeat: { every: 'day' } } },
    ]);
    // A batch stands for every process: a person's word on it is a decision, too.
    const { batch } = rows.find(({ event }: { event: string }) => event === 'batch_started').detail;
    for (const [word, state] of [
      ['--pause', 'paused'],
      ['--resume', 'scheduled'],
      ['--cancel', 'cancelled'],
    ]) {
      const args = ['sync', 'acme', String(word), batch];
      expect((await as(real, ...args)).error?.code, word).toBe('unauthenticated');
      expect((await as(withKey, ...args)).json, word).toMatchObject({ batch, state });
    }
    const told = (await as(real, 'audit', 'export')).json.rows.map(({ event }: { event: string }) => event);
    for (const event of ['batch_paused', 'batch_resumed', 'batch_cancelled']) expect(told).toContain(event);

    // What it prints for clients names a bot that is there, and the key that it wants then.
    await using served = await house.start(['serve', '--port', '0'], { env: real });
    const stdio = served.document.mcpServers['gatehouse-stdio'];
    expect(stdio.args.slice(1)).toEqual(['mcp', '--bot', 'acme']);
    expect(stdio.env.GATEHOUSE_BOT_KEY).toContain('gatehouse bot key acme');
  });
});
