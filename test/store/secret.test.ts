import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkSecret, loadSecret } from '../../src/store/secrets/secret.ts';
import { describeOnce, describeStores } from '../support/databases.ts';
import { race } from '../support/programs.ts';
import { NOW } from './rows.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-secret-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
describeOnce('the secret', () => {
  it('comes from the environment where it is set, and then makes no file', async () => {
    expect(await loadSecret(folder, 'from the environment')).toBe('from the environment');
    expect(await readdir(folder)).toEqual([]);
  });

  it('is made once, 32 random bytes for this account alone, and then kept', async () => {
    const data = path.join(folder, 'new/data');
    const secret = await loadSecret(data);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(await loadSecret(data)).toBe(secret);
    expect(await readdir(data)).toEqual(['secret']);
    expect((await stat(path.join(data, 'secret'))).mode & 0o777).toBe(0o600);
  });

  it('is the same for eight processes that start at the same moment', async () => {
    const secrets = await race('store', Array(8).fill({ do: 'secret', folder }));
    expect(new Set(secrets).size).toBe(1);
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it.each(['', 'short\n'])('is refused when the file holds %j, never replaced', async (text) => {
    await writeFile(path.join(folder, 'secret'), text);
    await expect(loadSecret(folder)).rejects.toMatchObject({ code: 'config_invalid' });
    expect((await stat(path.join(folder, 'secret'))).size).toBe(text.length);
  });

  it('is refused with the path when it can be neither read nor made', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const refused = loadSecret(path.join(folder, 'file'));
    await expect(refused).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(path.join(folder, 'file/secret')),
    });
  });
});

describeStores((_, openFresh) => {
  it('holds a store to the secret that it was made with', async () => {
    await using fresh = await openFresh();
    await checkSecret(fresh.store, 'the first secret of all');
    await checkSecret(fresh.store, 'the first secret of all');
    await expect(checkSecret(fresh.store, 'another secret')).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'GATEHOUSE_SECRET is not the one this database was made with.',
    });
    expect(await fresh.store.values.get('check', 'secret', NOW)).not.toContain('the first');
    await fresh.store.values.set('check', 'secret', 'edited', null);
    await expect(checkSecret(fresh.store, 'the first secret of all')).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('lets one secret win when two come first at once', async () => {
    await using fresh = await openFresh();
    const checks = await Promise.allSettled([
      checkSecret(fresh.store, 'the secret of one process'),
      checkSecret(fresh.store, 'the secret of the other'),
    ]);
    expect(checks.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});
