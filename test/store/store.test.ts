import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { OPERATOR_PERMISSIONS } from '../../permissions/catalog.ts';
import { GatehouseError, toErrorBody } from '../../src/domain/errors.ts';
import type { Store } from '../../src/ports/store.ts';
import { openDatabase, openStore } from '../../src/store/open.ts';
import { describePostgres, describeStores } from '../support/databases.ts';
import { createProxy } from '../support/servers.ts';
import { aBot, aConnection, anEntry, hashOf, NOW } from './rows.ts';

describeStores((name, openFresh) => {
  describe('bots', () => {
    it('gives a bot back with its grants and policy as it was made', async () => {
      await using fresh = await openFresh();
      expect(await fresh.store.bots.create(aBot())).toBe(true);
      expect(await fresh.store.bots.get('demo')).toEqual({
        ...aBot(),
        grants: ['CREATE_LEAD', 'READ_ACCOUNT'],
        policyRevision: 1,
        declared: [],
      });
      expect(await fresh.store.bots.get('nobody')).toBeUndefined();
    });

    it('refuses a name that is taken and leaves the first bot as it was', async () => {
      await using fresh = await openFresh();
      await fresh.store.bots.create(aBot());
      expect(await fresh.store.bots.create(aBot({ profile: 'public', grants: ['RUN_SOQL'] }))).toBe(false);
      expect(await fresh.store.bots.get('demo')).toMatchObject({
        profile: 'internal',
        grants: ['CREATE_LEAD', 'READ_ACCOUNT'],
      });
    });

    it('makes one bot of eight made at once under one name', async () => {
      await using fresh = await openFresh();
      const made = await Promise.all(Array.from({ length: 8 }, () => fresh.store.bots.create(aBot())));
      expect(made.filter(Boolean)).toHaveLength(1);
      expect(await fresh.store.bots.policyHistory('demo')).toHaveLength(1);
    });

    it('lists bots by age, those without grants too', async () => {
      await using fresh = await openFresh();
      await fresh.store.bots.create(aBot({ name: 'young', createdAt: NOW + 1 }));
      await fresh.store.bots.create(aBot({ name: 'old', grants: [] }));
      expect((await fresh.store.bots.list()).map(({ name, grants }) => [name, grants])).toEqual([
        ['old', []],
        ['young', ['CREATE_LEAD', 'READ_ACCOUNT']],
      ]);
    });

    it('grants once and revokes at once [P2]', async () => {
      await using fresh = await openFresh();
      await fresh.store.bots.create(aBot({ grants: [] }));
      await fresh.store.bots.grant('demo', 'RUN_SOQL');
      await fresh.store.bots.grant('demo', 'RUN_SOQL');
      expect((await fresh.store.bots.get('demo'))?.grants).toEqual(['RUN_SOQL']);
      await fresh.store.bots.revoke('demo', 'RUN_SOQL');
      await fresh.store.bots.revoke('demo', 'RUN_SOQL');
      expect((await fresh.store.bots.get('demo'))?.grants).toEqual([]);
    });

    it('refuses a grant to a bot that does not exist', async () => {
      await using fresh = await openFresh();
      await expect(fresh.store.bots.grant('nobody', 'RUN_SOQL')).rejects.toThrow(/foreign key/i);
    });

    it('saves a policy over the revision that was read, and for one of two savers only', async () => {
      await using fresh = await openFresh();
      await fresh.store.bots.create(aBot());
      const policy = { ...aBot().policy, mode: 'ask' as const };
      const saved = await Promise.all([
        fresh.store.bots.savePolicy('demo', policy, 'ada', NOW + 1, 1),
        fresh.store.bots.savePolicy('demo', { ...policy, mode: 'off' }, 'bob', NOW + 1, 1),
      ]);
      expect(saved.filter((revision) => revision === 2)).toHaveLength(1);
      expect(saved.filter((revision) => revision === undefined)).toHaveLength(1);
      expect(await fresh.store.bots.savePolicy('demo', policy, 'ada', NOW + 2, 1)).toBeUndefined();
      expect(await fresh.store.bots.savePolicy('nobody', policy, 'ada', NOW + 2, 1)).toBeUndefined();

      const history = await fresh.store.bots.policyHistory('demo');
      expect(history.map(({ revision, by }) => [revision, by])).toEqual([
        [1, 'gatehouse'],
        [2, saved[0] === 2 ? 'ada' : 'bob'],
      ]);
      expect((await fresh.store.bots.get('demo'))?.policy).toEqual(history[1]?.policy);
    });

    it('refuses a stored policy that somebody edited into something else, naming the place', async () => {
      await using fresh = await openFresh();
      await fresh.store.bots.create(aBot());
      await fresh.database.kysely.updateTable('bots').set({ policy: '{"mode":"open-bar"}' }).execute();
      await expect(fresh.store.bots.get('demo')).rejects.toMatchObject({
        code: 'config_invalid',
        fields: [{ name: 'mode' }],
      });
    });
  });

  describe('keys', () => {
    const key = { id: 'k1', hash: 'h1', kind: 'agent', owner: 'demo', createdAt: NOW, revokedAt: null } as const;

    it('finds a key by its hash alone, and a revoked one as revoked [P4]', async () => {
      await using fresh = await openFresh();
      await fresh.store.keys.add(key);
      expect(await fresh.store.keys.byHash('h1')).toEqual(key);
      expect(await fresh.store.keys.byHash('H1')).toBeUndefined();
      expect(await fresh.store.keys.revoke('k1', NOW + 5)).toBe(true);
      expect(await fresh.store.keys.revoke('k1', NOW + 6)).toBe(false);
      expect(await fresh.store.keys.revoke('k2', NOW + 6)).toBe(false);
      expect(await fresh.store.keys.byHash('h1')).toEqual({ ...key, revokedAt: NOW + 5 });
    });

    it('lists the keys of one owner and never keeps one hash twice', async () => {
      await using fresh = await openFresh();
      await fresh.store.keys.add(key);
      await fresh.store.keys.add({ ...key, id: 'k2', hash: 'h2', kind: 'host', createdAt: NOW + 1 });
      await fresh.store.keys.add({ ...key, id: 'k3', hash: 'h3', owner: 'other' });
      expect((await fresh.store.keys.list('demo')).map(({ id }) => id)).toEqual(['k1', 'k2']);
      await expect(fresh.store.keys.add({ ...key, id: 'k4' })).rejects.toThrow(/unique/i);
    });
  });

  describe('operators', () => {
    const ada = { name: 'ada', role: 'admin', createdAt: NOW } as const;

    it('makes an operator once', async () => {
      await using fresh = await openFresh();
      expect(await fresh.store.operators.create(ada)).toBe(true);
      expect(await fresh.store.operators.create({ ...ada, role: 'viewer' })).toBe(false);
      const known = { ...ada, permissions: OPERATOR_PERMISSIONS };
      expect(await fresh.store.operators.get('ada')).toEqual(known);
      expect(await fresh.store.operators.get('bob')).toBeUndefined();
      expect(await fresh.store.operators.list()).toEqual([known]);
    });

    it('redeems a sign-in link for one of ten who click at once, and never again [C3]', async () => {
      await using fresh = await openFresh();
      await fresh.store.operators.create(ada);
      await fresh.store.operators.addLink('link', 'ada', NOW + 10);
      const clicks = await Promise.all(
        Array.from({ length: 10 }, () => fresh.store.operators.redeemLink('link', NOW + 9)),
      );
      expect(clicks.filter((operator) => operator === 'ada')).toHaveLength(1);
      expect(await fresh.store.operators.redeemLink('link', NOW)).toBeUndefined();
      expect(await fresh.store.operators.redeemLink('never', NOW)).toBeUndefined();
    });

    it('refuses a link from the moment that it expires', async () => {
      await using fresh = await openFresh();
      await fresh.store.operators.create(ada);
      await fresh.store.operators.addLink('link', 'ada', NOW + 10);
      expect(await fresh.store.operators.redeemLink('link', NOW + 10)).toBeUndefined();
      expect(await fresh.store.operators.redeemLink('link', NOW)).toBeUndefined();
    });

    it('knows a session until it expires or ends', async () => {
      await using fresh = await openFresh();
      await fresh.store.operators.create(ada);
      const session = { hash: 's1', operator: 'ada', csrf: 'c', createdAt: NOW, expiresAt: NOW + 100 };
      await fresh.store.operators.addSession(session);
      expect(await fresh.store.operators.session('s1', NOW + 99)).toEqual(session);
      expect(await fresh.store.operators.session('s1', NOW + 100)).toBeUndefined();
      await fresh.store.operators.addSession({ ...session, hash: 's2', createdAt: NOW + 50, expiresAt: NOW + 200 });
      await fresh.store.operators.endSession('s1');
      expect(await fresh.store.operators.session('s1', NOW)).toBeUndefined();
      expect(await fresh.store.operators.session('s2', NOW)).toBeDefined();
    });

    it('forgets dead sessions when a new one begins', async () => {
      await using fresh = await openFresh();
      await fresh.store.operators.create(ada);
      const session = { hash: 's1', operator: 'ada', csrf: 'c', createdAt: NOW, expiresAt: NOW + 100 };
      await fresh.store.operators.addSession(session);
      await fresh.store.operators.addSession({ ...session, hash: 's2', createdAt: NOW + 100, expiresAt: NOW + 200 });
      const { rows } = await sql`select * from sessions`.execute(fresh.database.kysely);
      expect(rows).toHaveLength(1);
    });
  });

  describe('connections', () => {
    it('gives a connection back whole, by bot and by id, and replaces it', async () => {
      await using fresh = await openFresh();
      await fresh.store.connections.put(aConnection());
      expect(await fresh.store.connections.get('demo')).toEqual(aConnection());
      expect(await fresh.store.connections.byId('connection-1')).toEqual(aConnection());
      const next = aConnection({ id: 'connection-2', orgId: '00D000000000002AAA', apiUsed: 5 });
      await fresh.store.connections.put(next);
      expect(await fresh.store.connections.list()).toEqual([next]);
      expect(await fresh.store.connections.byId('connection-1')).toBeUndefined();
      await fresh.store.connections.remove('demo');
      expect(await fresh.store.connections.get('demo')).toBeUndefined();
    });

    it('patches what is named and nothing else', async () => {
      await using fresh = await openFresh();
      await fresh.store.connections.put(aConnection());
      await fresh.store.connections.put(aConnection({ bot: 'other', id: 'connection-2' }));
      await fresh.store.connections.patch('demo', { state: 'needs_reauth', apiUsed: 7, apiMax: 15_000, apiAt: NOW });
      await fresh.store.connections.patch('demo', {});
      expect(await fresh.store.connections.get('demo')).toEqual(
        aConnection({ state: 'needs_reauth', apiUsed: 7, apiMax: 15_000, apiAt: NOW }),
      );
      expect(await fresh.store.connections.get('other')).toEqual(aConnection({ bot: 'other', id: 'connection-2' }));
    });

    it('applies a conditional patch only while the condition holds, for one of many', async () => {
      await using fresh = await openFresh();
      await fresh.store.connections.put(aConnection());
      const opened = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          fresh.store.connections.patchIf(
            'demo',
            { breakerState: 'closed', leaseOwner: null },
            { breakerState: 'open', breakerUntil: NOW + index },
          ),
        ),
      );
      expect(opened.filter(Boolean)).toHaveLength(1);
      expect(await fresh.store.connections.patchIf('demo', { breakerState: 'open' }, {})).toBe(true);
      expect(await fresh.store.connections.patchIf('demo', { lastFailureAt: NOW }, { fence: 9 })).toBe(false);
      expect(await fresh.store.connections.patchIf('nobody', {}, { fence: 9 })).toBe(false);
    });

    it('counts successes and failures made at once without losing one [O7]', async () => {
      await using fresh = await openFresh();
      await fresh.store.connections.put(aConnection());
      await Promise.all([
        ...Array.from({ length: 10 }, () => fresh.store.connections.noteSuccess('demo', NOW + 1, 1)),
        ...Array.from({ length: 5 }, () => fresh.store.connections.noteFailure('demo', NOW + 2, 'SERVER_BUSY', 'busy')),
      ]);
      expect(await fresh.store.connections.get('demo')).toMatchObject({
        successes: 10,
        failures: 5,
        lastSuccessAt: NOW + 1,
        lastFailureAt: NOW + 2,
        lastFailureCode: 'SERVER_BUSY',
        lastFailureMessage: 'busy',
      });
    });

    it('leases to one at a time, with a fence that only rises [O5]', async () => {
      await using fresh = await openFresh();
      await fresh.store.connections.put(aConnection());
      const asked = await Promise.all(
        ['a', 'b', 'c'].map((owner) => fresh.store.connections.lease('demo', owner, NOW, NOW + 100)),
      );
      expect(asked.filter((fence) => fence === 1)).toHaveLength(1);
      expect(asked.filter((fence) => fence === undefined)).toHaveLength(2);
      expect(await fresh.store.connections.lease('demo', 'd', NOW + 99, NOW + 200)).toBeUndefined();
      expect(await fresh.store.connections.lease('demo', 'd', NOW + 100, NOW + 200)).toBe(2);
      await fresh.store.connections.patch('demo', { leaseOwner: null });
      expect(await fresh.store.connections.lease('demo', 'e', NOW + 101, NOW + 200)).toBe(3);
      expect(await fresh.store.connections.lease('nobody', 'e', NOW, NOW + 1)).toBeUndefined();
    });
  });

  describe('atomically', () => {
    it('keeps all or nothing', async () => {
      await using fresh = await openFresh();
      const failing = fresh.store.atomically(async (inside) => {
        await inside.values.set('k', 'a', '1', null);
        await inside.audit.append(anEntry(), hashOf);
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      expect(await fresh.store.values.get('k', 'a', NOW)).toBeUndefined();
      expect(await fresh.store.audit.head()).toBeUndefined();
      const answer = await fresh.store.atomically(async (inside) => {
        await inside.values.set('k', 'a', '1', null);
        return (await inside.audit.append(anEntry(), hashOf)).seq;
      });
      expect(answer).toBe(1);
      expect(await fresh.store.values.get('k', 'a', NOW)).toBe('1');
    });

    it('is the same transaction when it is nested', async () => {
      await using fresh = await openFresh();
      const failing = fresh.store.atomically(async (inside) => {
        await inside.atomically(async (deeper) => {
          await deeper.bots.create(aBot());
          expect(await inside.bots.get('demo')).toBeDefined();
        });
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      expect(await fresh.store.bots.get('demo')).toBeUndefined();
    });

    it('goes on after a value that was there already, in the same transaction', async () => {
      await using fresh = await openFresh();
      await fresh.store.bots.create(aBot());
      await fresh.store.atomically(async (inside) => {
        expect(await inside.bots.create(aBot())).toBe(false);
        await inside.values.set('k', 'a', '1', null);
      });
      expect(await fresh.store.values.get('k', 'a', NOW)).toBe('1');
    });

    it.each([
      ['a read', (store: Store) => store.bots.list()],
      ['a transaction', (store: Store) => store.atomically(async () => 1)],
    ])('refuses %s of the outer store inside, at once, and lives on', async (_, useOuter) => {
      await using fresh = await openFresh();
      const before = performance.now();
      await expect(
        fresh.store.atomically(async (inside) => {
          await inside.values.set('k', 'a', '1', null);
          await useOuter(fresh.store);
        }),
      ).rejects.toThrow('inside its own transaction');
      expect(performance.now() - before).toBeLessThan(1000);
      expect(await fresh.store.values.get('k', 'a', NOW)).toBeUndefined();
    });

    it('lets others wait in line and work that outlives it use the outer store', async () => {
      await using fresh = await openFresh();
      let late: Promise<unknown> = Promise.resolve();
      let begin = () => {};
      const gate = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const first = fresh.store.atomically(async (inside) => {
        await inside.values.set('k', 'a', '1', null);
        late = gate.then(() => fresh.store.values.get('k', 'a', NOW));
      });
      const second = fresh.store.atomically((inside) => inside.values.consume('k', 'b', NOW));
      await Promise.all([first, second]);
      begin();
      expect(await late).toBe('1');
    });

    it('loses no read-modify-write of two stores on one database when it reads what it locks', async () => {
      await using fresh = await openFresh();
      const other = await openStore(fresh.target);
      try {
        const stores = [fresh.store, other];
        await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            stores[index % 2]?.audit.append(anEntry({ event: `${index}` }), hashOf),
          ),
        );
        expect(await other.audit.head()).toMatchObject({ seq: 40 });
      } finally {
        await other.close();
      }
    });
  });

  it('shows what a store on the same database wrote, after closing and opening again', async () => {
    await using fresh = await openFresh();
    await fresh.store.bots.create(aBot());
    const again = await openStore(fresh.target);
    expect(await again.bots.get('demo')).toBeDefined();
    await again.close();
    expect(await fresh.store.bots.get('demo')).toBeDefined();
  });

  it('refuses a database that a newer Gatehouse has used', async () => {
    await using fresh = await openFresh();
    await (name === 'SQLite' ? sql`pragma user_version = 999` : sql`update gatehouse_schema set version = 999`).execute(
      fresh.database.kysely,
    );
    const refused = await openStore(fresh.target).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('999') });
    // Shown so, it names the way out.
    expect(refused instanceof GatehouseError && toErrorBody(refused).error.next).toContain('newer');
  });
});

describePostgres((makeSchema) => {
  it('eight calls on dead lines end long before a minute, the ninth sooner, and the next one is served [K1]', async () => {
    const { target, remove } = await makeSchema();
    await (await openDatabase(target)).close();
    const proxy = await createProxy();
    const url = new URL(target.url);
    proxy.to(Number(url.port || 5432));
    url.host = `127.0.0.1:${proxy.port}`;
    const store = await openStore({ ...target, url: url.href });
    try {
      const ask = () => store.bots.get('nobody');
      await Promise.all(Array.from({ length: 8 }, ask));
      proxy.deaden();
      const begun = performance.now();
      const after = async (asked: Promise<unknown>) => {
        await expect(asked).rejects.toMatchObject({
          code: 'store_unavailable',
          message: expect.stringContaining('does not answer'),
          retryable: true,
        });
        return performance.now() - begun;
      };
      const eight = Promise.all(Array.from({ length: 8 }, () => after(ask())));
      expect(await after(store.proveWritable())).toBeLessThan(8_000);
      expect(Math.max(...(await eight))).toBeLessThan(20_000);
      // The lines that died are gone from the pool, and all eight places serve again.
      expect(await Promise.all(Array.from({ length: 8 }, ask))).toEqual(Array(8).fill(undefined));
    } finally {
      await store.close();
      await proxy.close();
      await remove();
    }
  });
});
