import { expect, it, vi } from 'vitest';
import type { App } from '../../src/app/app.ts';
import { createHints, type Hint } from '../../src/http/hints.ts';
import { sentBy } from '../support/statements.ts';
import { createWorld } from '../support/world.ts';

it('leaves no open page of the sync old: what a pass did is hinted within a second, though no audit row tells of it [W5]', async () => {
  await using world = await createWorld();
  const { app } = world;
  const sync = await app.sync();
  const { session } = await signedIn(app);
  const hints = createHints({ store: app.store, access: app.access, syncHead: sync.mark });
  const heard = hints.listen(session, AbortSignal.timeout(20_000));
  const first = heard.next();
  // It has taken its marks once ours, asked after them, are answered.
  for (let n = 0; n < 5; n++) await sync.mark();
  await sync.hosts.put(world.bot, 'party', [{ id: 'p1', fields: { email: 'a@example.com', name: 'A B' } }]);
  await sync.runner.runAllDue(
    world.bot,
    await app.connections.open(world.bot, { signal: AbortSignal.timeout(20_000) }),
  );
  const types: string[] = [];
  for (let hint = await first; !hint.done; hint = await heard.next()) {
    types.push(hint.value.type);
    if (hint.value.type === 'sync') break;
  }
  expect(types).toContain('sync');
});

async function signedIn({ access }: App, name = 'ann') {
  await access.createOperator(name, 'viewer');
  const session = async () => (await access.redeem((await access.signInToken(name)).token)).session;
  return { session: await session(), another: session };
}

const row = { principal: 'local', channel: 'cli', action: 'test', event: 'policy_saved', bot: 'demo' };

/** Looks one at a time: each waits until the test asks for the next. */
function byHand() {
  let isOver = false;
  let go = () => {};
  return {
    wait: () =>
      new Promise<void>((resolve) => {
        go = resolve;
        isOver = true;
      }),
    over: () => vi.waitFor(() => expect(isOver).toBe(true), { timeout: 20_000, interval: 2 }),
    next() {
      isOver = false;
      go();
    },
    /** One more, to its end. */
    async look() {
      await this.over();
      this.next();
      await this.over();
    },
    isOver: () => isOver,
  };
}

it('costs fifty listeners what it costs one, and nothing once they have left [K4]', async () => {
  await using world = await createWorld();
  const { app } = world;
  const looks = byHand();
  const hints = createHints({ ...app, wait: looks.wait });
  const { another } = await signedIn(app);
  const costOf = async (listeners: number) => {
    const sessions = await Promise.all(Array.from({ length: listeners }, another));
    const gone = sessions.map(() => new AbortController());
    const heard = sessions.map((session, n) => hints.listen(session, gone[n]!.signal));
    const first = heard.map((one) => one.next());
    const sent = await sentBy(async () => {
      await looks.over();
      await app.audit.record(row);
      await looks.look();
      for (const one of await Promise.all(first)) expect(one.value).toEqual({ type: 'audit' });
    });
    for (const one of gone) one.abort();
    for (const one of heard) await one.next().then(() => one.next());
    // Nobody is left: any further look is one too many. What it asks leaves at once.
    await looks.over();
    const after = await sentBy(async () => {
      looks.next();
      for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
    });
    expect([after, looks.isOver()]).toEqual([[], false]);
    return sent.filter((sql) => !/^(begin|commit|insert|update)/i.test(sql)).length;
  };
  await app.audit.record(row);
  const one = await costOf(1);
  expect(one).toBeGreaterThan(0);
  expect(await costOf(50)).toBe(one);
});

it('ends with the session and with the role, and holds only so much for who does not read [K4]', async () => {
  await using world = await createWorld();
  const { app } = world;
  const looks = byHand();
  const hints = createHints({ ...app, wait: looks.wait });
  const bo = await signedIn(app, 'bo');
  const cy = await signedIn(app, 'cy');
  const signal = AbortSignal.timeout(30_000);
  const all = async (listening: AsyncGenerator<Hint>) => {
    const told: Hint[] = [];
    for await (const hint of listening) told.push(hint);
    return told;
  };
  const [over, lowered] = [all(hints.listen(bo.session, signal)), all(hints.listen(cy.session, signal))];
  const slow = hints.listen((await signedIn(app)).session, signal);
  const begun = slow.next();
  await looks.over();
  await app.store.operators.endSession(bo.session.id);
  await app.store.operators.setRole('cy', 'approver');
  await app.audit.record(row);
  await looks.look();
  expect(await over).toEqual([]);
  expect(await lowered).toEqual([]);
  expect((await begun).value).toEqual({ type: 'audit' });
  for (let n = 0; n < 250; n += 1) {
    if (n % 50 === 0) await looks.look();
    await app.audit.record({ ...row, proposal: `p${n}` });
  }
  await looks.look();
  expect(await all(slow)).toEqual([]);
  expect(signal.aborted).toBe(false);
});
