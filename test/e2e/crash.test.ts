import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSim, type Sim } from '../../src/sim/sim.ts';
import { createGatehouse, type Gatehouse } from '../support/cli.ts';

/** kill -9 in the middle of an approved write, then a new start. */

let house: Gatehouse;
let org: Sim;
let id: string;
let operator: Record<string, string>;

beforeEach(async () => {
  house = await createGatehouse();
  const { key } = (await house.run(['operator', 'create', 'ann', '--role', 'approver', '--json'])).json;
  operator = { GATEHOUSE_OPERATOR_KEY: key };
  await house.run(['bot', 'create', 'acme', '--profile', 'internal']);
  const policy = (await house.run(['policy', 'get', 'acme', '--json'])).json;
  policy.actions.CreateLead = { decision: 'confirm' };
  await house.run(['policy', 'set', 'acme'], { input: JSON.stringify(policy) });
  const lead = JSON.stringify({ lastName: 'Once', company: 'Only Ltd', email: 'once@only.example' });
  id = (await house.run(['call', 'acme', 'CreateLead', lead, '--json'])).json.proposal.id;
  org = await createSim({ file: path.join(house.dataDir, 'sim.db') });
});
afterEach(async () => {
  await org.close();
  await house[Symbol.asyncDispose]();
});

// biome-ignore lint/suspicious/noExplicitAny: free-form JSON of the simulator's control routes
async function control(method: 'GET' | 'POST', route: string, body?: object): Promise<any> {
  const answer = await org.fetch(
    new Request(`http://localhost/_sim/${route}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    { loopback: true },
  );
  return answer.json();
}

const leads = async () =>
  (await control('GET', 'records/Lead')).records.filter(({ LastName }: { LastName: string }) => LastName === 'Once')
    .length;
const isSettled = async () => {
  const { proposals } = (await house.run(['proposals', '--all', '--json'])).json;
  expect(proposals).toContainEqual(expect.objectContaining({ id, state: 'done' }));
};

describe('kill -9 between approval and answer', () => {
  it('leaves one record when the write had not left yet [C6] [F5]', async () => {
    await control('POST', 'faults', {
      type: 'latency',
      ms: 60_000,
      times: 1,
      match: { method: 'PATCH', path: '/sobjects/Lead/' },
    });
    const approving = house.spawn(['approve', id, '--json'], { env: operator });
    await vi.waitFor(async () => expect((await control('GET', 'faults')).faults).toEqual([]), { timeout: 15_000 });
    await approving.kill();
    expect(await leads()).toBe(0);

    await using _ = await house.start(['serve', '--port', '0']);
    await vi.waitFor(isSettled, { timeout: 15_000, interval: 200 });
    expect(await leads()).toBe(1);
  });

  it('leaves one record when the write was done and the answer lost [C6] [F5]', async () => {
    const approving = house.spawn(['approve', id, '--json'], { env: operator });
    await vi.waitFor(async () => expect(await leads()).toBe(1), { timeout: 15_000, interval: 1 });
    await approving.kill();

    await using _ = await house.start(['serve', '--port', '0']);
    await vi.waitFor(isSettled, { timeout: 15_000, interval: 200 });
    expect(await leads()).toBe(1);
    const lead = JSON.stringify({ lastName: 'Once', company: 'Only Ltd', email: 'once@only.example' });
    const again = (await house.run(['call', 'acme', 'CreateLead', lead, '--json'])).json;
    expect(again).toMatchObject({ status: 'done', result: { alreadyDone: true } });
  });
});
