import path from 'node:path';
import { expect, it } from 'vitest';
import { createReadiness } from '../../src/runtime/readiness.ts';
import { createStore, openDatabase } from '../../src/store/open.ts';
import { describeOnce, describePostgres, migratedFile } from '../support/databases.ts';
import { createProxy } from '../support/servers.ts';

const TOKENS = { check: async () => {} };

describeOnce('a house', () => {
  it('is told as not ready where a folder that calls write to takes nothing [K12]', async () => {
    const { target, remove } = await migratedFile();
    const store = createStore(await openDatabase(target));
    const ready = createReadiness({ store, tokens: TOKENS, folders: [target.file] });
    await expect(ready()).rejects.toThrow();
    await expect(
      createReadiness({ store, tokens: TOKENS, folders: [path.dirname(target.file)] })(),
    ).resolves.toBeUndefined();
    await store.close();
    await remove();
  });
});

describePostgres((makeSchema) => {
  it('a pool whose every line is taken, or dead, is told with the reason, in bounded time, and over when it is over [K1] [K12]', async () => {
    const { target, remove } = await makeSchema();
    await (await openDatabase(target)).close();
    const proxy = await createProxy();
    const near = new URL(target.url);
    proxy.to(Number(near.port || 5432));
    near.hostname = '127.0.0.1';
    near.port = `${proxy.port}`;
    const database = await openDatabase({ url: near.href, schema: target.schema });
    const store = createStore(database);
    const ready = createReadiness({ store, tokens: TOKENS, folders: [] });
    await ready();

    let free = () => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    let taken = 0;
    const all = Array.from({ length: 8 }, () =>
      database.transaction(async (inside) => {
        await inside.all('select 1', []);
        taken++;
        await held;
      }),
    );
    const isReady = () =>
      ready().then(
        () => true,
        () => false,
      );
    const isReadyAgain = () => expect.poll(isReady, { timeout: 30_000 }).toBe(true);
    await expect.poll(() => taken).toBe(8);
    const reason = { code: 'store_unavailable', message: expect.stringContaining('database') };
    await expect(ready()).rejects.toMatchObject(reason);
    free();
    await Promise.all(all);
    await isReadyAgain();

    proxy.deaden();
    await expect(ready()).rejects.toMatchObject(reason);
    await isReadyAgain();
    await database.close();
    await proxy.close();
    await remove();
  });
});
