import { describe, expect, it } from 'vitest';
import { MOVES, type ProposalState } from '../../src/domain/proposal.ts';
import { createStore } from '../../src/store/open.ts';
import { createCipher } from '../../src/store/secrets/cipher.ts';
import { describeStores } from '../support/databases.ts';
import { aProposal, NOW } from './rows.ts';

describeStores((_name, openFresh) => {
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

    it('seals what a visitor sent, whole and in every change, and finds who waits for an answer [U1]', async () => {
      await using fresh = await openFresh();
      const secrets = createCipher('a secret of this test', 'requests of visitors');
      const { proposals } = createStore(fresh.database, secrets);
      const visitor = { id: 'v', requests: 1, ownRequests: 0 };
      const mine = aProposal({ id: 'mine', visitor, state: 'received', args: { lastName: 'Visible' } });
      await proposals.insert(mine);
      await proposals.patch('mine', 'received', { preview: { summary: 'Visible too', changes: [] } });
      await proposals.move('mine', ['received'], 'pending', { reasons: ['Visible three'] });
      expect(await proposals.get('mine')).toMatchObject({ visitor, args: mine.args, reasons: ['Visible three'] });
      const row = await fresh.database.kysely.selectFrom('proposals').selectAll().executeTakeFirstOrThrow();
      expect(JSON.stringify(row)).not.toContain('Visible');
      // Without the secret nothing of it is read, and nothing is stored.
      expect(await fresh.store.proposals.get('mine')).toMatchObject({ args: {}, preview: null });
      await expect(fresh.store.proposals.insert(aProposal({ id: 'x', visitor }))).rejects.toThrow('secret');

      for (const state of ['received', 'expired', 'approved', 'done', 'rejected'] as const)
        await proposals.insert(aProposal({ id: state, visitor, state, decidedBy: state === 'done' ? 'policy' : null }));
      await proposals.insert(aProposal({ id: 'not a visitor', state: 'expired' }));
      await proposals.insert(aProposal({ id: 'waits' }));
      expect(await proposals.countHeld('demo')).toEqual({ received: 1, pending: 1, expired: 1 });
      expect(await proposals.countPlaces('demo', NOW - 1)).toBe(5);
      expect(await proposals.countPlaces('demo', NOW)).toBe(4);
      expect(await proposals.countPending('demo')).toBe(1);
      const open = await proposals.list({ bot: 'demo', isOpen: true, limit: 9 });
      expect(open.map(({ id }) => id).sort()).toEqual(['expired', 'mine', 'received', 'waits']);
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
});
