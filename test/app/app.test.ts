import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { createApp } from '../../src/app/app.ts';
import { readConfig } from '../../src/runtime/config.ts';

describe('the simulated org of a data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-app-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const read = async () => {
    const app = await createApp(readConfig({ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent' }));
    try {
      if ((await app.store.bots.get('desk')) === undefined) {
        const policy = shippedPolicy('internal');
        const bot = { name: 'desk', audience: 'internal', profile: 'internal', createdAt: app.now(), policy } as const;
        await app.store.bots.create({ ...bot, grants: ['READ_ACCOUNT'] });
        await app.connections.connect('desk', { flow: 'simulated' });
      }
      const args = { name: 'Acme Industries', include: ['contacts'] };
      const envelope = await app.gate.call({
        bot: 'desk',
        principal: 'local',
        channel: 'cli',
        action: 'GetAccount',
        args,
      });
      return envelope.result;
    } finally {
      await app.close();
    }
  };

  it('lies in a file for this account alone', async () => {
    await read();
    expect((await stat(path.join(folder, 'sim.db'))).mode & 0o777).toBe(0o600);
  });

  it('gives everybody an address without a space', async () => {
    const { contacts } = (await read()) as { contacts: { Email: string }[] }; // as GetAccount answers
    expect(contacts.length).toBeGreaterThan(1);
    for (const { Email } of contacts) expect(Email).toMatch(/^[^\s@]+@[^\s@]+$/);
  });

  it('is named when its file is damaged, and what to do', async () => {
    await read();
    for (const extra of ['-wal', '-shm']) await rm(path.join(folder, `sim.db${extra}`), { force: true });
    await writeFile(path.join(folder, 'sim.db'), 'this is no database, however often it is opened'.repeat(200));
    await expect(read()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(path.join(folder, 'sim.db')),
    });
  });
});
