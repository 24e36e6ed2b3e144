import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteFile } from '../../src/store/engines/sqlite.ts';
import { until } from '../support/servers.ts';
import { createWebWorld, type OrgWorld, refusal } from './org-world.ts';

/** With rotation a refresh token is spent by the question: what was granted for it must not be lost where it cannot be stored. */

const ask = async (connections: OrgWorld['connections']) => {
  const org = await connections.open('demo', { signal: new AbortController().signal });
  return org.find('Account', { fields: ['Name'], where: [], limit: 1 });
};

/** The token store takes no tokens, as a full disk or a server that went away in this moment; `check` says whether it tells so. */
async function full(world: OrgWorld, { isTold }: { readonly isTold: boolean }) {
  const file = await openSqliteFile(path.join(world.folder, 'tokens.db'));
  const which = isTold ? '' : "when new.key not like '%no such key%'";
  await file.all(`create trigger full before insert on tokens ${which} begin select raise(abort, 'disk is full'); end`);
  return async () => {
    await file.all('drop trigger full');
    await file.close();
  };
}

describe('a rotated refresh token that the token store does not take', () => {
  it('is not asked for while the store says that it takes nothing [V1] [O5] [K1]', async () => {
    await using world = await createWebWorld({ rotation: true });
    await world.control('POST', 'expire');
    const before = await world.tokenRequests();
    const mend = await full(world, { isTold: true });
    expect(await refusal(ask(world.connections))).toMatchObject({ code: 'store_unavailable', retryable: true });
    expect(await world.tokenRequests()).toBe(before);
    await mend();
    expect(await ask(world.again()), 'another process, after this one was ended').toHaveLength(1);
  });

  it('is stored by the next call instead of being asked for with the spent one [V1] [O5] [K1]', async () => {
    await using world = await createWebWorld({ rotation: true });
    await world.control('POST', 'expire');
    const before = await world.tokenRequests();
    const mend = await full(world, { isTold: false });
    for (let tries = 0; tries < 3; tries++)
      expect((await refusal(ask(world.connections))).code).toBe('store_unavailable');
    await mend();
    expect(await ask(world.connections)).toHaveLength(1);
    expect((await world.tokenRequests()) - before).toBe(1);
    await world.control('POST', 'expire');
    expect(await ask(world.again()), 'what was stored is the newest').toHaveLength(1);
  });

  it('heals the connection that another process gave up meanwhile, by itself [V1] [O5] [K1]', async () => {
    await using world = await createWebWorld({ rotation: true });
    await world.control('POST', 'expire');
    const mend = await full(world, { isTold: false });
    expect((await refusal(ask(world.connections))).code).toBe('store_unavailable');
    expect((await refusal(ask(world.again()))).code).toBe('reconnect_needed');
    await mend();
    await until(async () => (await world.connections.status('demo')).state === 'connected');
    expect(await ask(world.again())).toHaveLength(1);
  });

  it('is revoked where the bot was disconnected meanwhile [V1] [O6]', async () => {
    await using world = await createWebWorld({ rotation: true });
    await world.control('POST', 'expire');
    const mend = await full(world, { isTold: false });
    expect((await refusal(ask(world.connections))).code).toBe('store_unavailable');
    const revoked = async () =>
      (await world.control('GET', 'calls')).oauth.filter((call: { path: string }) => call.path.includes('/revoke'))
        .length;
    await world.again().disconnect('demo');
    const before = await revoked();
    await until(async () => (await revoked()) > before);
    await mend();
  });
});
