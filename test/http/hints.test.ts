import { expect, it } from 'vitest';
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

it('costs fifty listeners what it costs one, and nothing once they have left [K4]', async () => {
  await using world = await createWorld();
  const { app } = world;
  const hints = createHints(app);
  const { another } = await signedIn(app);
  const costOf = async (listeners: number) => {
    const sessions = await Promise.all(Array.from({ length: listeners }, another));
    const gone = sessions.map(() => new AbortController());
    const heard = sessions.map((session, n) => hints.listen(session, gone[n]!.signal));
    const first = heard.map((one) => one.next());
    const sent = await sentBy(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await app.audit.record(row);
      for (const one of await Promise.all(first)) expect(one.value).toEqual({ type: 'audit' });
    });
    for (const one of gone) one.abort();
    for (const one of heard) await one.next().then(() => one.next());
    return sent.filter((sql) => !/^(begin|commit|insert|update)/i.test(sql)).length;
  };
  await app.audit.record(row);
  const one = await costOf(1);
  expect(one).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await costOf(50)).toBe(one);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await sentBy(() => new Promise((resolve) => setTimeout(resolve, 2_500)))).toEqual([]);
});

it('ends with the session and with the role, and holds only so much for who does not read [K4]', async () => {
  await using world = await createWorld();
  const { app } = world;
  const hints = createHints(app);
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
  await new Promise((resolve) => setTimeout(resolve, 500));
  await app.store.operators.endSession(bo.session.id);
  await app.store.operators.setRole('cy', 'approver');
  await app.audit.record(row);
  expect(await over).toEqual([]);
  expect(await lowered).toEqual([]);
  expect((await begun).value).toEqual({ type: 'audit' });
  for (let n = 0; n < 250; n += 1) {
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1_200));
    await app.audit.record({ ...row, proposal: `p${n}` });
  }
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(await all(slow)).toEqual([]);
  expect(signal.aborted).toBe(false);
});
