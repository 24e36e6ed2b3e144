import { describe, expect, it } from 'vitest';
import type { Org } from '../../src/ports/salesforce.ts';
import { isUnknownOutcome } from '../../src/salesforce/transport/upstream-error.ts';
import { createWebWorld, refusal } from './org-world.ts';

/**
 * Each fault of the simulated org, struck once, before or after the org did its work, on a read and on three kinds of write.
 * `healed` the caller notices nothing; a code: refused, surely nothing written; `unknown`: may have been written, said so.
 */
type Ending = 'healed' | 'unknown' | `refused ${string}`;

const FAULTS: readonly {
  readonly fault: Record<string, unknown>;
  readonly read: Ending;
  readonly write: Ending;
  /** Whether the write stands in the org in the end. */
  readonly stands: boolean;
}[] = [
  { fault: { type: 'latency', ms: 30 }, read: 'healed', write: 'healed', stands: true },
  { fault: { type: 'status', status: 503, when: 'before' }, read: 'healed', write: 'unknown', stands: false },
  { fault: { type: 'status', status: 503, when: 'after' }, read: 'healed', write: 'unknown', stands: true },
  {
    fault: { type: 'status', status: 500, when: 'before' },
    read: 'refused salesforce_error',
    write: 'unknown',
    stands: false,
  },
  {
    fault: { type: 'status', status: 500, when: 'after' },
    read: 'refused salesforce_error',
    write: 'unknown',
    stands: true,
  },
  { fault: { type: 'html', when: 'before' }, read: 'healed', write: 'unknown', stands: false },
  { fault: { type: 'html', when: 'after' }, read: 'healed', write: 'unknown', stands: true },
  { fault: { type: 'drop', when: 'before' }, read: 'healed', write: 'unknown', stands: false },
  { fault: { type: 'drop', when: 'after' }, read: 'healed', write: 'unknown', stands: true },
  { fault: { type: 'drop_body', when: 'after' }, read: 'healed', write: 'unknown', stands: true },
  { fault: { type: 'expired_session' }, read: 'healed', write: 'healed', stands: true },
  { fault: { type: 'limit' }, read: 'refused limit_reached', write: 'refused limit_reached', stands: false },
  { fault: { type: 'lock' }, read: 'healed', write: 'healed', stands: true },
  { fault: { type: 'redirect', when: 'before' }, read: 'refused salesforce_error', write: 'unknown', stands: false },
  { fault: { type: 'hang', ms: 30_000 }, read: 'refused salesforce_unavailable', write: 'unknown', stands: false },
];

const read = (org: Org) => org.find('Account', { fields: ['Name'], where: [], limit: 1 });

const WRITES = {
  create: (org: Org, _id: string) => org.create('Lead', { LastName: 'Fault', Company: 'Acme', Title: 'Struck' }),
  patch: (org: Org, id: string) => org.patch('Lead', id, { Title: 'Struck' }),
  collection: (org: Org, id: string) =>
    org.collections.send([{ method: 'update', object: 'Lead', rows: [{ id, fields: { Title: 'Struck' } }] }]),
};

async function ending(work: Promise<unknown>): Promise<Ending> {
  try {
    await work;
    return 'healed';
  } catch (thrown) {
    if (isUnknownOutcome(thrown)) return 'unknown';
    return `refused ${(await refusal(Promise.reject(thrown))).code}`;
  }
}

describe('one fault of the org', () => {
  it.each(FAULTS)(
    '$fault.type $fault.status $fault.when is healed, refused or told as unknown, and nothing is written twice [R3] [F5]',
    async ({ fault, ...expected }) => {
      await using world = await createWebWorld();
      const impatient = world.again({ requestTimeoutMs: 400 });
      const org = await impatient.open('demo', { signal: new AbortController().signal });
      const strike = (path: string) => world.control('POST', 'faults', { ...fault, times: 1, match: { path } });
      const clear = () => world.control('POST', 'faults', { clear: true });
      await strike('/query');
      expect(await ending(read(org))).toBe(expected.read);
      await clear();
      for (const [name, write] of Object.entries(WRITES)) {
        // A limit that was met keeps the line quiet; that is proven elsewhere.
        await world.store.connections.patch('demo', { limitedUntil: 0 });
        const { id } = await world.control('POST', 'records/Lead', { LastName: name, Company: 'Acme' });
        await strike(name === 'collection' ? '/composite' : '/sobjects/Lead');
        const ended = await ending(write(org, id));
        // A collection answers a lock per record, inside its 200.
        if (!(name === 'collection' && fault.type === 'lock')) expect([name, ended]).toEqual([name, expected.write]);
        await clear();
        const { records } = await world.control('GET', 'records/Lead');
        const struck = records.filter((lead: { Title?: string }) => lead.Title === 'Struck');
        if (!(name === 'collection' && fault.type === 'lock'))
          expect([name, struck.length]).toEqual([name, expected.stands ? 1 : 0]);
        for (const lead of struck) await world.control('POST', 'records/Lead', { Id: lead.Id, Title: null });
      }
    },
  );

  it('that stays costs a read three requests and then its words [R3] [F4]', async () => {
    await using world = await createWebWorld();
    await world.control('POST', 'faults', { type: 'status', status: 503 });
    const before = (await world.control('GET', 'calls')).calls.length;
    const error = await refusal(world.open().then(read));
    expect(error).toMatchObject({ code: 'salesforce_unavailable', retryable: true });
    expect((await world.control('GET', 'calls')).calls.length - before).toBe(3);
  });
});
