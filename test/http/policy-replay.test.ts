import { describe, expect, it } from 'vitest';
import { openDoor } from '../support/door.ts';

describe('the replay of a policy', () => {
  it('says of a month of calls what was decided, and of another policy what would change [P7] [C1] [W2]', async () => {
    await using door = await openDoor();
    const { world } = door;
    const key = await door.operatorKey('admin');
    const { policy } = (await door.ask('GET', '/api/bots/demo/policy', { key })).json;
    await world.call('GetAccount', { name: 'Acme' }).catch(() => {});
    for (const lastName of ['Ito', 'Okafor', 'Lund']) {
      world.clock.advance(86_400_000);
      await world.call('CreateLead', { lastName, company: `${lastName} & Sons` });
    }
    await world.call('UpdateOpportunity', { reference: 'OPP-123', amount: 9_000_000 });
    await world.call('RunSOQL', { soql: 'SELECT Name FROM Account LIMIT 1' });
    const ask = (json: unknown, as = key) => door.ask('POST', '/api/bots/demo/policy/replay', { key: as, json });

    const same = await ask(policy);
    expect(same).toMatchObject({ status: 200, json: { changed: [], rows: [] } });
    // A rule by the hour stands in the way of the leads; everything else is as it was decided.
    expect(same.json.unknown).toEqual({ rate: 3, facts: 0, fields: 0 });
    expect(same.json.same).toBe(same.json.calls - 3);

    const rules = [{ if: { amountAbove: 1_000_000 }, then: 'deny' }];
    const actions = {
      ...policy.actions,
      CreateLead: { decision: 'confirm' },
      UpdateOpportunity: { decision: 'auto', rules },
    };
    const calls = await world.calls();
    const other = await ask({ ...policy, actions });
    expect(await world.calls()).toBe(calls);
    expect(other.json.changed).toEqual(
      expect.arrayContaining([
        { from: 'runs', to: 'asks', count: 3 },
        { from: 'asks', to: 'denied', count: 1 },
      ]),
    );
    expect(other.json.rows[0]).toMatchObject({ action: 'UpdateOpportunity', from: 'asks', to: 'denied' });
    expect(other.text).not.toContain('9000000');

    const closed = await ask({ ...policy, objects: { ...policy.objects, Task: { read: false } } });
    expect(closed.json.unknown.fields).toBeGreaterThan(0);
    expect((await ask({ ...policy, mode: 'off' })).json.same).toBe(0);
    expect((await ask(policy, await door.operatorKey('approver'))).status).toBe(403);
    const { rows } = (await door.ask('GET', '/api/audit?event=replayed', { key })).json;
    expect(rows).toHaveLength(4);
  });

  it('knows what a refused call met, sealed, and says who would have been asked instead [P7] [C1] [C7]', async () => {
    await using door = await openDoor();
    const { world } = door;
    const key = await door.operatorKey('admin');
    const rules = [{ if: { amountAbove: 1_000_000 }, then: 'deny' as const }];
    await world.setPolicy((policy) => ({
      ...policy,
      actions: { ...policy.actions, UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, rules } },
    }));
    expect(await world.refusal('UpdateOpportunity', { reference: 'OPP-123', amount: 9_000_000 })).toMatchObject({
      code: 'permission_denied',
    });
    const audited = await door.ask('GET', '/api/audit?event=refused', { key });
    expect(audited.text).not.toContain('9000000');
    const { policy } = (await door.ask('GET', '/api/bots/demo/policy', { key })).json;
    const ask = async (amountAbove: number) =>
      (
        await door.ask('POST', '/api/bots/demo/policy/replay', {
          key,
          json: {
            ...policy,
            actions: {
              ...policy.actions,
              UpdateOpportunity: { decision: 'confirm', rules: [{ if: { amountAbove }, then: 'deny' }] },
            },
          },
        })
      ).json;
    expect((await ask(10_000_000)).changed).toEqual([{ from: 'denied', to: 'asks', count: 1 }]);
    expect(await ask(2_000_000)).toMatchObject({ changed: [], same: 1 });
  });

  it('is no way to guess values one threshold at a time [P7] [C7]', async () => {
    await using door = await openDoor();
    const key = await door.operatorKey('admin');
    const { policy } = (await door.ask('GET', '/api/bots/demo/policy', { key })).json;
    const ask = () => door.ask('POST', '/api/bots/demo/policy/replay', { key, json: policy });
    for (let times = 0; times < 30; times += 1) expect((await ask()).status).toBe(200);
    expect(await ask()).toMatchObject({ status: 429, json: { error: { code: 'rate_limited' } } });
  });
});
