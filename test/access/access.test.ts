import { describe, expect, it } from 'vitest';
import { OPERATOR_PERMISSIONS } from '../../permissions/catalog.ts';
import { createWorld, signFor } from '../support/world.ts';

describe('keys', () => {
  it('come in three kinds that never stand in for each other, and are kept as hashes only [P4]', async () => {
    await using world = await createWorld();
    const { access, store } = world.app;
    const agent = await access.issueKey('agent', world.bot);
    const host = await access.issueKey('host', world.bot);
    const operator = await access.createOperator('ada', 'admin');
    expect([agent, host, operator].map((key) => key.slice(0, 4))).toEqual(['gha_', 'ghh_', 'gho_']);
    expect(await access.agent(agent)).toMatchObject({ bot: world.bot });
    expect(await access.host(host)).toMatchObject({ bot: world.bot });
    expect(await access.operator(operator)).toEqual({ name: 'ada', role: 'admin', permissions: OPERATOR_PERMISSIONS });
    for (const wrong of [agent, host])
      await expect(access.operator(wrong)).rejects.toMatchObject({ code: 'permission_denied' });
    for (const wrong of [agent, operator])
      await expect(access.host(wrong)).rejects.toMatchObject({ code: 'permission_denied' });
    for (const wrong of [host, operator])
      await expect(access.agent(wrong)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(JSON.stringify([await store.keys.list(world.bot), await store.keys.list('ada')])).not.toMatch(/gh[aho]_/);
  });

  it.each([undefined, '', 'gha_', 'gha_unknown', 'Bearer x', 'a'.repeat(10_000)])('refuse %s [P4]', async (key) => {
    await using world = await createWorld();
    await expect(world.app.access.agent(key)).rejects.toMatchObject({ code: 'unauthenticated', status: 401 });
  });

  it('end with their revocation [P4]', async () => {
    await using world = await createWorld();
    const key = await world.app.access.issueKey('agent', world.bot);
    expect(await world.app.access.revokeKeys('agent', world.bot)).toBe(1);
    await expect(world.app.access.agent(key)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

it('no operator is named like another one but for its letters: the log would tell of one, four eyes of two [C3]', async () => {
  await using world = await createWorld();
  const { access } = world.app;
  await access.createOperator('ada', 'approver');
  await expect(access.createOperator('Ada', 'admin')).rejects.toMatchObject({ code: 'conflict' });
  expect(await access.operators()).toHaveLength(1);
});

describe('a sign-in link', () => {
  it('works once, for ten minutes, also when redeemed twice at the same moment [C3]', async () => {
    await using world = await createWorld();
    const { access } = world.app;
    await access.createOperator('ada', 'approver');
    const { token } = await access.signInToken('ada');
    const ends = await Promise.allSettled([access.redeem(token), access.redeem(token), access.redeem(token)]);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const late = await access.signInToken('ada');
    world.clock.advance(10 * 60_000 + 1);
    await expect(access.redeem(late.token)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(access.redeem('x')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(access.signInToken('nobody')).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('opens a session that ends by time and by sign-out [C3]', async () => {
    await using world = await createWorld();
    const { access } = world.app;
    await access.createOperator('ada', 'approver');
    const open = async () => (await access.redeem((await access.signInToken('ada')).token)).cookie;
    const first = await open();
    expect(await access.session(first)).toMatchObject({ name: 'ada', role: 'approver' });
    await access.signOut(first);
    expect(await access.session(first)).toBeUndefined();
    const second = await open();
    world.clock.advance(12 * 3_600_000 + 1);
    expect(await access.session(second)).toBeUndefined();
    expect(await access.session('forged')).toBeUndefined();
    expect(await access.session(undefined)).toBeUndefined();
  });
});

describe('a chat session', () => {
  it('is believed only as the host signed it, for its bot and its time [O9 P6]', async () => {
    await using world = await createWorld();
    const { access } = world.app;
    const key = await access.issueKey('host', 'demo');
    const { principal } = await access.host(key);
    const token = access.signSession('demo', principal, { indexValue: 'ACME-001' }, 60_000);
    expect(await access.verifySession('demo', token)).toEqual({ indexValue: 'ACME-001' });
    const [claims = '', mark = ''] = token.slice(4).split('.');
    const other = Buffer.from(
      JSON.stringify({ bot: 'demo', indexValue: 'GLOB-002', exp: world.clock.now + 60_000 }),
    ).toString('base64url');
    for (const forged of [
      `ghs_${other}.${mark}`,
      `ghs_${claims}.`,
      `ghs_${claims}`,
      `${token}.x`,
      `${token}.`,
      claims,
      '',
      'ghs_.',
    ])
      await expect(access.verifySession('demo', forged)).rejects.toThrow('not ours');
    await expect(access.verifySession('other', token)).rejects.toThrow('another bot');
    world.clock.advance(60_000);
    await expect(access.verifySession('demo', token)).rejects.toThrow('is over');
  });

  it('ends with the host key that it was signed for, and with its bot, though another one takes the name [O9 P6]', async () => {
    await using world = await createWorld();
    const { access, store } = world.app;
    const sign = () => signFor(access, 'demo', { indexValue: 'ACME-001' });
    const [first, before] = [await sign(), await sign()];
    expect(await access.verifySession('demo', first)).toMatchObject({ indexValue: 'ACME-001' });
    await access.revokeKeys('host', 'demo');
    await expect(access.verifySession('demo', first)).rejects.toThrow('revoked');
    const second = await sign();
    expect(await access.verifySession('demo', second)).toMatchObject({ indexValue: 'ACME-001' });
    const row = await store.bots.get('demo');
    await store.bots.remove('demo');
    await store.bots.create(row!);
    await sign();
    for (const token of [before, second])
      await expect(access.verifySession('demo', token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('operators', () => {
  it('have names that can be typed, once each [P4]', async () => {
    await using world = await createWorld();
    const { access } = world.app;
    await access.createOperator('ada', 'viewer');
    await expect(access.createOperator('ada', 'admin')).rejects.toMatchObject({ code: 'conflict' });
    for (const name of ['', ' ', 'a b', '../x', 'x'.repeat(65)])
      await expect(access.createOperator(name, 'admin')).rejects.toMatchObject({ code: 'invalid_input' });
    expect(() => access.require({ name: 'ada', role: 'viewer', permissions: [] }, 'DECIDE_PROPOSALS')).toThrow(
      'does not hold DECIDE_PROPOSALS',
    );
  });
});
