import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { MOVES, type ProposalState } from '../../src/confirm/proposal.ts';
import { sha256 } from '../../src/digest.ts';
import { GatehouseError, toErrorBody } from '../../src/errors.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { describeStores } from '../support/databases.ts';
import { aBot, aConnection, anEntry, aProposal, NOW, seal } from './rows.ts';

describeStores((name, openFresh) => {
  describe('bots', () => {
    it('gives a bot back with its grants and policy as it was made', async () => {
      await using fresh = await openFresh();
      expect(await fresh.store.bots.create(aBot())).toBe(true);
      expect(await fresh.store.bots.get('demo')).toEqual({
        ...aBot(),
        grants: ['CREATE_LEAD', 'READ_ACCOUNT'],
        policyRevision: 1,
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
      expect(await fresh.store.operators.get('ada')).toEqual(ada);
      expect(await fresh.store.operators.get('bob')).toBeUndefined();
      expect(await fresh.store.operators.list()).toEqual([ada]);
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

  describe('proposals', () => {
    it('gives a proposal back exactly, every part of it [C5]', async () => {
      await using fresh = await openFresh();
      const proposal = aProposal({
        session: { indexValue: 'ACME-1' },
        conversation: 'c1',
        dedupeKey: 'd1',
        result: { id: '00Q' },
        error: { error: { code: 'conflict', message: 'm', next: 'n', retryable: false } },
        effects: [
          {
            kind: 'update',
            object: 'Opportunity',
            id: '006',
            mark: null,
            before: { Amount: null },
            after: { Amount: 1 },
            at: NOW,
            state: 'sent',
          },
        ],
      });
      expect(await fresh.store.proposals.insert(proposal)).toEqual({ inserted: true, proposal });
      expect(await fresh.store.proposals.get('proposal-1')).toEqual(proposal);
      expect(await fresh.store.proposals.byDedupeKey('d1')).toEqual(proposal);
      expect(await fresh.store.proposals.get('nothing')).toBeUndefined();
    });

    it('answers the one that holds the dedupe key, to all of ten who propose the same at once [A4]', async () => {
      await using fresh = await openFresh();
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          fresh.store.proposals.insert(aProposal({ id: `p${index}`, dedupeKey: 'same' })),
        ),
      );
      expect(answers.filter(({ inserted }) => inserted)).toHaveLength(1);
      expect(new Set(answers.map(({ proposal }) => proposal.id)).size).toBe(1);
      expect(await fresh.store.proposals.list({ limit: 100 })).toHaveLength(1);
    });

    it('frees the key on release, and lets any number stand without one', async () => {
      await using fresh = await openFresh();
      await fresh.store.proposals.insert(aProposal({ id: 'p1', dedupeKey: 'same' }));
      await fresh.store.proposals.release('p1');
      expect(await fresh.store.proposals.byDedupeKey('same')).toBeUndefined();
      expect(await fresh.store.proposals.insert(aProposal({ id: 'p2', dedupeKey: 'same' }))).toMatchObject({
        inserted: true,
      });
      await fresh.store.proposals.insert(aProposal({ id: 'p3' }));
      await fresh.store.proposals.insert(aProposal({ id: 'p4' }));
      expect(await fresh.store.proposals.list({ limit: 100 })).toHaveLength(4);
    });

    it('moves for one of ten who decide at once, and writes what came with the winner [C6]', async () => {
      await using fresh = await openFresh();
      await fresh.store.proposals.insert(aProposal());
      const moved = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          fresh.store.proposals.move('proposal-1', ['pending'], index % 2 === 0 ? 'approved' : 'rejected', {
            decidedBy: `person-${index}`,
          }),
        ),
      );
      expect(moved.filter(Boolean)).toHaveLength(1);
      expect((await fresh.store.proposals.get('proposal-1'))?.decidedBy).toBe(`person-${moved.indexOf(true)}`);
    });

    it('makes the listed moves and refuses all others, whatever it is asked [C6]', async () => {
      await using fresh = await openFresh();
      // The keys of MOVES are the states.
      const states = Object.keys(MOVES) as ProposalState[];
      for (const from of states)
        for (const to of states) {
          const id = `${from}-${to}`;
          await fresh.store.proposals.insert(aProposal({ id, state: from }));
          expect([id, await fresh.store.proposals.move(id, states, to, {})]).toEqual([id, MOVES[from].includes(to)]);
        }
    });

    it('changes a proposal only for the runner that holds it', async () => {
      await using fresh = await openFresh();
      await fresh.store.proposals.insert(aProposal({ state: 'executing', runner: 'a' }));
      const { proposals } = fresh.store;
      expect(await proposals.patch('proposal-1', 'executing', { leaseUntil: NOW }, 'b')).toBe(false);
      expect(await proposals.move('proposal-1', ['executing'], 'done', {}, 'b')).toBe(false);
      expect(await proposals.patch('proposal-1', 'pending', { leaseUntil: NOW }, 'a')).toBe(false);
      expect(await proposals.patch('proposal-1', 'executing', { leaseUntil: NOW, state: 'done' }, 'a')).toBe(true);
      expect(await proposals.get('proposal-1')).toMatchObject({ state: 'executing', leaseUntil: NOW });
      expect(await proposals.move('proposal-1', ['executing'], 'done', { result: { id: '1' } }, 'a')).toBe(true);
      expect(await proposals.move('proposal-1', [], 'done', {})).toBe(false);
    });

    it('can put a part back to nothing', async () => {
      await using fresh = await openFresh();
      await fresh.store.proposals.insert(aProposal({ result: { id: '1' }, runner: 'a' }));
      await fresh.store.proposals.patch('proposal-1', 'pending', { result: null, runner: null, preview: null });
      expect(await fresh.store.proposals.get('proposal-1')).toMatchObject({
        result: null,
        runner: null,
        preview: null,
      });
    });

    it('lists the newest first, by bot and state, and counts what waits', async () => {
      await using fresh = await openFresh();
      const { proposals } = fresh.store;
      for (const [id, bot, state] of [
        ['p1', 'demo', 'pending'],
        ['p2', 'demo', 'done'],
        ['p3', 'other', 'pending'],
        ['p4', 'demo', 'pending'],
      ] as const)
        await proposals.insert(aProposal({ id, bot, state, createdAt: NOW + Number(id[1]) }));
      const ids = async (filter: Parameters<typeof proposals.list>[0]) =>
        (await proposals.list(filter)).map(({ id }) => id);
      expect(await ids({ limit: 10 })).toEqual(['p4', 'p3', 'p2', 'p1']);
      expect(await ids({ bot: 'demo', states: ['pending', 'done'], limit: 2 })).toEqual(['p4', 'p2']);
      expect(await ids({ states: ['pending'], limit: 10 })).toEqual(['p4', 'p3', 'p1']);
      expect(await ids({ states: [], limit: 10 })).toEqual([]);
      expect(await proposals.countPending('demo')).toBe(2);
      expect(await proposals.countPending('nobody')).toBe(0);
    });

    it('finds what is due: between a yes and its end, past its time, or made in a future that was none [C6]', async () => {
      await using fresh = await openFresh();
      const { proposals } = fresh.store;
      const waits = { createdAt: NOW - 50, expiresAt: NOW + 1 };
      await proposals.insert(aProposal({ ...waits, id: 'pending' }));
      await proposals.insert(aProposal({ ...waits, id: 'approved', state: 'approved' }));
      await proposals.insert(aProposal({ ...waits, id: 'running', state: 'executing', createdAt: NOW - 40 }));
      await proposals.insert(aProposal({ ...waits, id: 'unknown', state: 'unknown', createdAt: NOW - 30 }));
      await proposals.insert(aProposal({ ...waits, id: 'over', createdAt: NOW - 20, expiresAt: NOW }));
      await proposals.insert(aProposal({ id: 'future', createdAt: NOW + 3_600_000, expiresAt: NOW + 4_000_000 }));
      await proposals.insert(aProposal({ ...waits, id: 'done', state: 'done' }));
      const due = ['approved', 'running', 'unknown', 'over', 'future'];
      expect((await proposals.due(NOW, 10)).map(({ id }) => id)).toEqual(due);
      expect((await proposals.due(NOW, 2)).map(({ id }) => id)).toEqual(due.slice(0, 2));
    });

    it('finds what waits about one record, of one caller [C6]', async () => {
      await using fresh = await openFresh();
      const { proposals } = fresh.store;
      const preview = { summary: '', changes: [], target: { object: 'Lead', id: '00Q1', name: '', url: '' } };
      await proposals.insert(aProposal({ id: 'this', preview }));
      await proposals.insert(aProposal({ id: 'settled', preview, state: 'done' }));
      await proposals.insert(aProposal({ id: 'spoken', preview, conversation: 'c1' }));
      await proposals.insert(
        aProposal({ id: 'other', preview: { ...preview, target: { ...preview.target, id: 'x' } } }),
      );
      const { bot, action, principal } = aProposal();
      const wish = { bot, action, principal, conversation: null, target: '00Q1' };
      const found = async (change: object) => (await proposals.waitingFor({ ...wish, ...change })).map(({ id }) => id);
      expect(await found({})).toEqual(['this']);
      expect(await found({ conversation: 'c1' })).toEqual(['spoken']);
      for (const change of [{ bot: 'b' }, { action: 'a' }, { principal: 'p' }, { target: 't' }])
        expect(await found(change)).toEqual([]);
    });

    it('blanks what ended proposals hold of people, and only theirs [C7]', async () => {
      await using fresh = await openFresh();
      const { proposals } = fresh.store;
      const preview = { summary: 'Jane', changes: [], target: { object: 'Lead', id: '00Q1', name: '', url: '' } };
      const args = { lastName: 'Doe' };
      await proposals.insert(
        aProposal({ id: 'old', state: 'done', settledAt: NOW - 1, args, preview, result: { id: '1' } }),
      );
      await proposals.insert(aProposal({ id: 'young', state: 'done', settledAt: NOW, args, preview }));
      await proposals.insert(aProposal({ id: 'open', args, preview }));
      expect(await proposals.blankSettledBefore(NOW)).toBe(1);
      expect(await proposals.get('old')).toMatchObject({ state: 'done', args: {}, preview: null, result: null });
      expect(await proposals.get('young')).toMatchObject({ args, preview });
      expect(await proposals.get('open')).toMatchObject({ args, preview });
      expect(await proposals.blankSettledBefore(NOW)).toBe(0);
    });
  });

  describe('audit', () => {
    it('chains entries from the first on: numbers without gaps, each after the one before [C7]', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      expect(await audit.head()).toBeUndefined();
      const first = await audit.append(anEntry({ sealed: 'secret text' }), seal);
      expect(first).toEqual({
        ...anEntry({ sealed: 'secret text' }),
        seq: 1,
        previous: '0'.repeat(64),
        sealedHash: sha256('secret text'),
        hash: seal({ ...first }),
      });
      const appended = await Promise.all(
        Array.from({ length: 20 }, (_, index) => audit.append(anEntry({ event: `e${index}` }), seal)),
      );
      const rows = await audit.page(0, 100);
      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
      for (const [index, row] of rows.slice(1).entries()) expect(row.previous).toBe(rows[index]?.hash);
      expect(rows.slice(1)).toEqual(appended.toSorted((a, b) => a.seq - b.seq));
      expect(await audit.head()).toEqual({ seq: 21, hash: rows[20]?.hash });
      expect(await audit.get(1)).toEqual(first);
      expect(await audit.get(22)).toBeUndefined();
      expect((await audit.page(5, 2)).map(({ seq }) => seq)).toEqual([6, 7]);
    });

    it('takes no number for an entry that could not be sealed', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      await expect(
        audit.append(anEntry(), () => {
          throw new Error('no seal');
        }),
      ).rejects.toThrow('no seal');
      expect((await audit.append(anEntry(), seal)).seq).toBe(1);
    });

    it('finds by bot, proposal, action and event, newest first', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      await audit.append(anEntry({ proposal: 'p1', event: 'proposed' }), seal);
      await audit.append(anEntry({ proposal: 'p1' }), seal);
      await audit.append(anEntry({ bot: 'other', action: 'GetAccount' }), seal);
      const found = async (filter: Parameters<typeof audit.find>[0]) =>
        (await audit.find(filter)).map(({ seq }) => seq);
      expect(await found({ limit: 10 })).toEqual([3, 2, 1]);
      expect(await found({ bot: 'demo', limit: 1 })).toEqual([2]);
      expect(await found({ proposal: 'p1', event: 'proposed', limit: 10 })).toEqual([1]);
      expect(await found({ action: 'GetAccount', limit: 10 })).toEqual([3]);
    });

    it('drops sealed values of any number of rows and keeps every hash [C7]', async () => {
      await using fresh = await openFresh();
      const { audit } = fresh.store;
      for (const at of [NOW, NOW + 10, NOW + 20]) await audit.append(anEntry({ at, sealed: `sealed at ${at}` }), seal);
      await audit.append(anEntry({ at: NOW }), seal);
      expect(await audit.sealedBefore(NOW + 20, 10)).toEqual([1, 2]);
      expect(await audit.sealedBefore(NOW + 20, 1)).toEqual([1]);
      await audit.unseal([1, ...Array.from({ length: 40_000 }, (_, index) => index + 100)]);
      await audit.unseal([]);
      expect(await audit.get(1)).toMatchObject({ sealed: null, sealedHash: sha256(`sealed at ${NOW}`) });
      expect(await audit.sealedBefore(NOW + 20, 10)).toEqual([2]);
    });
  });

  describe('counters', () => {
    it('adds up what is counted at once, per key and window', async () => {
      await using fresh = await openFresh();
      const { counters } = fresh.store;
      const seen = await Promise.all(Array.from({ length: 20 }, () => counters.add('runs', NOW, 2)));
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 2));
      await counters.add('runs', NOW + 60_000, 5);
      await counters.add('other', NOW, 100);
      expect(await counters.sum('runs', NOW)).toBe(45);
      expect(await counters.sum('runs', NOW + 1)).toBe(5);
      expect(await counters.sum('nothing', 0)).toBe(0);
    });

    it('gives back what was counted, and sums all windows but one', async () => {
      await using fresh = await openFresh();
      const { counters } = fresh.store;
      await counters.add('runs', NOW, 25);
      await counters.add('runs', NOW + 60_000, 4);
      expect(await counters.add('runs', NOW, -22)).toBe(3);
      expect(await counters.sum('runs', NOW, NOW)).toBe(4);
      expect(await counters.sum('runs', NOW, NOW + 60_000)).toBe(3);
      expect(await counters.sum('runs', NOW, NOW + 1)).toBe(7);
      expect(await counters.add('fresh', NOW, -2)).toBe(-2);
      expect(await counters.add('fresh', NOW, 2)).toBe(0);
      await Promise.all(Array.from({ length: 20 }, (_, n) => counters.add('both', NOW, n % 2 === 0 ? 5 : -5)));
      expect(await counters.sum('both', NOW)).toBe(0);
    });

    it('lets windows go that no limit looks at, when a key begins a new one', async () => {
      await using fresh = await openFresh();
      const { counters } = fresh.store;
      const day = 24 * 60 * 60 * 1000;
      await counters.add('runs', NOW - 36 * day, 1);
      await counters.add('runs', NOW - 34 * day, 1);
      await counters.add('runs', NOW, 1);
      expect(await counters.sum('runs', 0)).toBe(2);
    });
  });

  describe('values', () => {
    it('keeps and replaces a value until it expires, and never gives it back after', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      await values.set('cursor', 'a', '1', NOW + 10);
      await values.set('cursor', 'a', '2', NOW + 20);
      expect(await values.get('cursor', 'a', NOW + 19)).toBe('2');
      expect(await values.get('cursor', 'a', NOW + 20)).toBeUndefined();
      expect(await values.take('cursor', 'a', NOW + 20)).toBeUndefined();
      expect(await values.take('cursor', 'a', NOW)).toBeUndefined();
      await values.set('check', 'a', 'for ever', null);
      expect(await values.get('check', 'a', Number.MAX_SAFE_INTEGER)).toBe('for ever');
      expect(await values.get('other', 'a', NOW)).toBeUndefined();
    });

    it('is taken by exactly one of ten [O8]', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      await values.set('state', 'a', '1', NOW + 10);
      const taken = await Promise.all(Array.from({ length: 10 }, () => values.take('state', 'a', NOW)));
      expect(taken.filter((value) => value === '1')).toHaveLength(1);
      expect(await values.get('state', 'a', NOW)).toBeUndefined();
    });

    it('is set by the first of ten, and all are told the same', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      const set = await Promise.all(
        Array.from({ length: 10 }, (_, index) => values.setIfAbsent('key', 'a', `${index}`, NOW + 10, NOW)),
      );
      expect(new Set(set).size).toBe(1);
      expect(await values.get('key', 'a', NOW)).toBe(set[0]);
      expect(await values.setIfAbsent('key', 'a', 'later', NOW + 30, NOW + 10)).toBe('later');
      expect(await values.get('key', 'a', NOW + 29)).toBe('later');
      await values.set('key', 'b', 'for ever', null);
      expect(await values.setIfAbsent('key', 'b', 'later', NOW, NOW)).toBe('for ever');
    });

    it('removes one, or all under a prefix taken literally', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      for (const key of ['a_b:1', 'a_b:2', 'axb:1', 'A_B:1', 'a%', 'ä🙂:1', 'ä🙃:1'])
        await values.set('describe', key, key, null);
      await values.set('other', 'a_b:1', 'x', null);
      await values.removeAll('describe', 'a_b:');
      await values.removeAll('describe', 'ä🙂');
      await values.remove('describe', 'a%');
      const left = await Promise.all(
        ['a_b:1', 'a_b:2', 'axb:1', 'A_B:1', 'a%', 'ä🙂:1', 'ä🙃:1'].map((key) => values.get('describe', key, NOW)),
      );
      expect(left).toEqual([undefined, undefined, 'axb:1', 'A_B:1', undefined, undefined, 'ä🙃:1']);
      expect(await values.get('other', 'a_b:1', NOW)).toBe('x');
      await values.removeAll('describe', '');
      expect(await values.get('describe', 'axb:1', NOW)).toBeUndefined();
    });

    it('sweeps what is dead when somebody takes', async () => {
      await using fresh = await openFresh();
      const { values } = fresh.store;
      for (let index = 0; index < 5; index += 1) await values.set('cursor', `${index}`, 'x', NOW + index);
      await values.take('state', 'a', NOW + 3);
      const { rows } = await sql`select * from "keptValues"`.execute(fresh.database.kysely);
      expect(rows).toHaveLength(1);
    });
  });

  describe('what may be stored', () => {
    it('keeps text as it is: quotes, emoji, right-to-left, line ends, 2 MB of it', async () => {
      await using fresh = await openFresh();
      const text = `'"; drop table bots; -- \r\n\t\\ 🙂 עברית \u200b ${'x'.repeat(2_000_000)}`;
      await fresh.store.values.set('k', text.slice(0, 80), text, null);
      expect(await fresh.store.values.get('k', text.slice(0, 80), NOW)).toBe(text);
    });

    it.each(['a\0b', '\ud83d alone'])('refuses a text that one of the databases would change [A7]', async (text) => {
      await using fresh = await openFresh();
      const refused = await fresh.store.values.set('k', 'key', text, null).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(GatehouseError);
      expect(refused).toMatchObject({ code: 'invalid_input' });
      await expect(fresh.store.values.get('k', text, NOW)).rejects.toMatchObject({ code: 'invalid_input' });
    });

    it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 5n, new Date(), { a: 1 }, Symbol('s')])(
      'refuses to bind %s instead of storing something else',
      async (value) => {
        await using fresh = await openFresh();
        await expect(sql`select ${value} as x`.execute(fresh.database.kysely)).rejects.toThrow('cannot be stored');
      },
    );

    it('answers whole numbers as numbers, up to the last safe one', async () => {
      await using fresh = await openFresh();
      await fresh.store.counters.add('big', Number.MAX_SAFE_INTEGER, 2 ** 33);
      expect(await fresh.store.counters.sum('big', Number.MAX_SAFE_INTEGER)).toBe(2 ** 33);
    });
  });

  describe('atomically', () => {
    it('keeps all or nothing', async () => {
      await using fresh = await openFresh();
      const failing = fresh.store.atomically(async (inside) => {
        await inside.values.set('k', 'a', '1', null);
        await inside.audit.append(anEntry(), seal);
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      expect(await fresh.store.values.get('k', 'a', NOW)).toBeUndefined();
      expect(await fresh.store.audit.head()).toBeUndefined();
      const answer = await fresh.store.atomically(async (inside) => {
        await inside.values.set('k', 'a', '1', null);
        return (await inside.audit.append(anEntry(), seal)).seq;
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
      const second = fresh.store.atomically((inside) => inside.values.take('k', 'b', NOW));
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
            stores[index % 2]?.audit.append(anEntry({ event: `${index}` }), seal),
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
