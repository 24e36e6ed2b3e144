import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/domain/errors.ts';
import type { Envelope } from '../../src/domain/proposal.ts';
import { createClock, createWorld, type World } from '../support/world.ts';

/** Each fault of the org, before and after the write, under each action: the org's end state is compared with what was said. */

const FAULTS = [
  { type: 'status', status: 503 },
  { type: 'status', status: 500 },
  { type: 'html', status: 502 },
  { type: 'drop' },
  { type: 'drop_body' },
  { type: 'latency', ms: 900 },
  { type: 'expired_session' },
  { type: 'limit' },
  { type: 'lock' },
  { type: 'redirect' },
  // As a second copy of the request is answered, or a proxy that has passed the first one on.
  { type: 'html', status: 412 },
  { type: 'html', status: 413 },
  { type: 'html', status: 429 },
] as const;

const PARTY = { id: 'p-1', fields: { name: 'Fay Fault', email: 'fay@fault.example' } };

/** One call of each action, approved where it waits, and how often its effect stands in the org. */
const ACTIONS: Record<
  string,
  { path: string; run(world: World): Promise<Envelope>; effects(world: World): Promise<number>; is: number }
> = {
  GetAccount: {
    path: '/query',
    run: (world) => world.call('GetAccount', { key: 'ACME-001' }),
    effects: async () => 0,
    is: 0,
  },
  RunSOQL: {
    path: '/query',
    run: (world) =>
      world.call('RunSOQL', { soql: "SELECT Name FROM Account WHERE Account_Key__c = 'ACME-001' LIMIT 5" }),
    effects: async () => 0,
    is: 0,
  },
  CreateLead: {
    path: '/sobjects/Lead',
    run: (world) => world.call('CreateLead', { lastName: 'Fault', company: 'Acme' }),
    effects: async (world) => (await world.records('Lead')).filter(({ LastName }) => LastName === 'Fault').length,
    is: 1,
  },
  UpdateOpportunity: {
    path: '/sobjects/Opportunity/',
    async run(world) {
      const waiting = await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Faulty' });
      return world.approve(waiting.proposal?.id ?? '');
    },
    effects: async (world) =>
      (await world.records('Opportunity')).filter(({ NextStep }) => NextStep === 'Faulty').length,
    is: 1,
  },
  SyncParty: {
    path: 'Contact',
    run: (world) => world.call('SyncParty', { partyId: 'p-1' }),
    effects: async (world) =>
      (await world.records('Contact')).filter(({ Email }) => Email === 'fay@fault.example').length,
    is: 1,
  },
  SyncCase: {
    path: 'Opportunity',
    run: (world) => world.call('SyncCase', { caseId: 'c-1' }),
    effects: async (world) => (await world.records('Opportunity')).filter(({ Name }) => Name === 'Faulty case').length,
    is: 1,
  },
};

describe.each(Object.entries(ACTIONS))('%s', (_, action) => {
  it.each(FAULTS.flatMap((fault) => (['before', 'after'] as const).map((when) => [fault.type, when, fault] as const)))(
    'under "%s" %s the write says what is so, and never does it twice [R3 C6 F5]',
    async (__, when, fault) => {
      const clock = createClock();
      await using world = await createWorld({
        clock,
        env: { GATEHOUSE_REQUEST_TIMEOUT_MS: '600' },
        // What waits before it tries again need not wait for real.
        seams: { wait: async (ms) => clock.advance(ms) },
      });
      const sync = await world.app.sync();
      await sync.hosts.put(world.bot, 'party', [PARTY]);
      await sync.hosts.put(world.bot, 'case', [{ id: 'c-1', fields: { title: 'Faulty case' }, parties: [] }]);
      await world.sim('POST', 'faults', { ...fault, when, times: 1, match: { path: action.path } });
      const end = await action.run(world).catch((error: unknown) => error);
      const effects = await action.effects(world);
      expect(effects).toBeLessThanOrEqual(action.is);
      if (end instanceof GatehouseError) {
        expect(end.code).not.toBe('internal');
        // An error that may not be repeated blindly is never said of something that was done.
        if (!['salesforce_unavailable', 'salesforce_error', 'circuit_open'].includes(end.code)) expect(effects).toBe(0);
      } else {
        const { status } = end as Envelope;
        if (status === 'done') expect(effects).toBe(action.is);
        expect(['done', 'unknown', 'conflict']).toContain(status);
      }
      // Afterwards, with the fault gone and its time over, asking again ends in exactly one effect.
      await world.sim('POST', 'faults', { clear: true });
      world.clock.advance(16 * 60_000);
      await world.app.retention.recover();
      if ((await action.effects(world)) < action.is) await action.run(world);
      expect(await action.effects(world)).toBe(action.is);
    },
    30_000,
  );
});
