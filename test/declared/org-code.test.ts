import { describe, expect, it } from 'vitest';
import { createWorld } from '../support/world.ts';
import { auto, calls, declare, makeOrder, orderStatus, remind, tell, waitingId } from './definitions.ts';

describe('code of the org', () => {
  it('is asked for every time, whatever the policy says, with all that is sent [A5 B6]', async () => {
    await using world = await createWorld({ policy: auto('OrderStatus') });
    const { warnings } = await declare(world, orderStatus);
    expect(warnings.join()).toMatch(/object policy of demo does not bound/);
    const asked = await world.call('OrderStatus', { orderNumber: '10000017' });
    expect(asked).toMatchObject({
      status: 'waiting',
      proposal: {
        changes: [
          { field: 'Method', after: 'GET' },
          { field: 'Path', after: '/services/apexrest/orders/10000017' },
        ],
      },
    });
    expect(await calls(world, 'apexrest')).toBe(0);
    expect(await world.approve(waitingId(asked))).toMatchObject({ status: 'done' });
    const told = await world.call('GetProposal', { id: waitingId(asked) });
    expect(told.result).toEqual({ ok: true, status: 200, answer: { status: 'Shipped', 'lines[].sku': ['PUMP-2'] } });
    const unknown = await world.call('OrderStatus', { orderNumber: '99999999' });
    await world.approve(waitingId(unknown));
    expect((await world.call('GetProposal', { id: waitingId(unknown) })).result).toEqual({
      ok: false,
      status: 404,
      answer: {},
    });
  });

  it('runs a flow and publishes an event, once each [A5 B6]', async () => {
    await using world = await createWorld();
    await declare(world, remind);
    await declare(world, tell);
    const flow = await world.call('RemindOrder', { orderNumber: '10000017' });
    expect(await world.approve(waitingId(flow))).toMatchObject({
      status: 'done',
      result: { ok: true, answer: { reminder: 'R-10000017' } },
    });
    const event = await world.call('TellOrder', { orderNumber: '10000017' });
    expect(await world.approve(waitingId(event))).toMatchObject({ status: 'done', result: { ok: true } });
    expect([await calls(world, 'actions/custom/flow/Order_Reminder'), await calls(world, 'Order_Event__e')]).toEqual([
      2, 1,
    ]);
    const failing = await world.call('RemindOrder', { orderNumber: '0' });
    await expect(world.approve(waitingId(failing))).rejects.toMatchObject({
      code: 'salesforce_error',
      salesforce: { code: 'FLOW_EXCEPTION' },
    });
  });

  it.each(['drop', 'drop_body', 'html', 'status'] as const)(
    'is told as unknown where its answer is lost (%s), and never sent again [A5 C6]',
    async (type) => {
      await using world = await createWorld();
      await declare(world, makeOrder);
      const asked = await world.call('MakeOrder', { orderNumber: 'PUMP' });
      await world.sim('POST', 'faults', { type, when: 'after', times: 1, status: 503, match: { path: 'apexrest' } });
      const told = await world.approve(waitingId(asked)).catch((error: unknown) => error);
      expect(told).toMatchObject({ status: 'unknown' });
      expect(await calls(world, 'apexrest')).toBe(1);
      await world.recoverAfter(3_600_000);
      await world.recoverAfter(3_600_000);
      await world.call('GetProposal', { id: waitingId(asked) });
      const again = await world.call('MakeOrder', { orderNumber: 'PUMP' });
      expect(again).toMatchObject({ status: 'unknown' });
      expect(await calls(world, 'apexrest')).toBe(1);
    },
  );

  it.each(['noted-sent', 'noted-done', 'ran', 'before-settled'])(
    'is not sent twice by whoever comes after a crash (%s) [A5 C6]',
    async (point) => {
      let isArmed = false;
      await using world = await createWorld({
        crash: (at) => {
          if (isArmed && at === point) throw new Error('killed');
        },
      });
      await declare(world, makeOrder);
      const asked = await world.call('MakeOrder', { orderNumber: 'PUMP' });
      isArmed = true;
      await world.approve(waitingId(asked)).catch(() => {});
      isArmed = false;
      const other = await world.again();
      await other.retention.recover();
      world.clock.advance(3_600_000);
      await other.retention.recover();
      expect(await calls(world, 'apexrest')).toBeLessThanOrEqual(1);
      const { status } = await world.call('GetProposal', { id: waitingId(asked) });
      expect(['done', 'unknown', 'expired']).toContain(status);
    },
  );

  it('fails in the words of the class, its first line alone, and opens no breaker [A5 B6]', async () => {
    await using world = await createWorld();
    await declare(world, orderStatus);
    for (const orderNumber of ['boom', 'boom', 'boom', 'boom', 'boom', 'boom']) {
      const asked = await world.call('OrderStatus', { orderNumber });
      const failed = await world.approve(waitingId(asked)).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'salesforce_error', salesforce: { code: 'APEX_ERROR' } });
      expect(JSON.stringify(failed)).not.toContain('Class.OrderStatus');
    }
    expect((await world.app.connections.status(world.bot)).breaker).toMatchObject({ state: 'closed' });
    await declare(world, { ...orderStatus, path: '/nothing/{orderNumber}' });
    const asked = await world.call('OrderStatus', { orderNumber: '1' });
    await expect(world.approve(waitingId(asked))).rejects.toMatchObject({
      code: 'not_found',
      message: /No Apex class/,
    });
  });

  it('cannot be undone, and says so [A6]', async () => {
    await using world = await createWorld();
    await declare(world, makeOrder);
    await world.approve(waitingId(await world.call('MakeOrder', { orderNumber: 'PUMP' })));
    const [row] = (await world.app.store.audit.find({ action: 'MakeOrder', after: 0, limit: 20 })).filter(
      ({ event }) => event === 'done',
    );
    await expect(
      world.app.approvals.undo(row!.seq, { principal: 'operator:ada', channel: 'cli' } as never),
    ).rejects.toThrow(/cannot be undone/);
  });
});
