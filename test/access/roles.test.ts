import { expect, it } from 'vitest';
import { OPERATOR_PERMISSIONS, type OperatorPermission } from '../../permissions/catalog.ts';
import {
  changeRole,
  createOperator,
  newOperatorKey,
  newSignInLink,
  removeOperator,
} from '../../src/access/operators.ts';
import { listRoles, removeRole, saveRole } from '../../src/access/roles.ts';
import { describeWorlds } from '../support/world.ts';

/** Named sets of what people may: made, given, changed and taken away, and never more than whoever gives them holds. */

const local = { principal: 'local', channel: 'cli' } as const;
const as = (name: string) => ({ principal: `operator:${name}`, channel: 'console' }) as const;

describeWorlds((create) => {
  it.each([...OPERATOR_PERMISSIONS])('gives %s alone [P4]', async (permission) => {
    await using world = await create();
    const { app } = world;
    await saveRole(app, { name: 'one', permissions: [permission] }, local);
    const operator = await app.access.operator(await createOperator(app, 'ann', 'one', local));
    for (const other of OPERATOR_PERMISSIONS) {
      const ask = () => app.access.require(operator, other);
      if (other === permission) expect(ask).not.toThrow();
      else expect(ask, other).toThrow(`The role one does not hold ${other}`);
    }
  });

  it('gives it for some bots alone, and nothing that is about every bot [P4]', async () => {
    await using world = await create();
    const { app } = world;
    const bots = ['demo', 'shop'];
    await saveRole(app, { name: 'shopkeeper', permissions: ['MANAGE_POLICY'], bots }, local);
    const ann = await app.access.operator(await createOperator(app, 'ann', 'shopkeeper', local));
    expect(() => app.access.require(ann, 'MANAGE_POLICY', 'demo')).not.toThrow();
    expect(() => app.access.require(ann, 'MANAGE_POLICY', 'other')).toThrow('is for demo, shop alone');
    expect(() => app.access.require(ann, 'MANAGE_POLICY')).toThrow('this is about every bot');
    for (const permission of ['MANAGE_BOTS', 'MANAGE_OPERATORS', 'ERASE_PEOPLE'])
      await expect(
        saveRole(app, { name: 'wide', permissions: ['READ_LOGS', permission], bots }, local),
      ).rejects.toMatchObject({ code: 'invalid_input' });
    // Of no bot at all is of none, not of every one.
    await saveRole(app, { name: 'nobody', permissions: ['READ_LOGS'], bots: [] }, local);
    const bo = await app.access.operator(await createOperator(app, 'bo', 'nobody', local));
    expect(() => app.access.require(bo, 'READ_LOGS', 'demo')).toThrow('no bot alone');
  });

  it('holds at the next request once a role is changed, for keys and browsers; gone, it gives nothing [P4]', async () => {
    await using world = await create();
    const { app } = world;
    await saveRole(app, { name: 'desk', permissions: ['READ_LOGS', 'DECIDE_PROPOSALS'] }, local);
    const key = await createOperator(app, 'ann', 'desk', local);
    const { cookie } = await app.access.redeem((await app.access.signInToken('ann')).token);
    const now = async () => [await app.access.operator(key), await app.access.session(cookie)];
    for (const one of await now()) expect(one?.permissions).toEqual(['DECIDE_PROPOSALS', 'READ_LOGS']);
    await saveRole(app, { name: 'desk', permissions: ['READ_LOGS'], bots: ['demo'] }, local);
    for (const one of await now()) expect(one).toMatchObject({ permissions: ['READ_LOGS'], bots: ['demo'] });
    await expect(removeRole(app, 'desk', local)).rejects.toMatchObject({ code: 'conflict' });
    expect((await app.access.operator(key)).permissions).toEqual(['READ_LOGS']);
    // As a database that somebody restored by halves.
    await app.store.operators.setRole('ann', 'lost');
    for (const one of await now()) expect(one?.permissions).toEqual([]);
    await removeRole(app, 'desk', local);
    expect((await listRoles(app)).map(({ name }) => name)).toEqual(['admin', 'approver', 'viewer']);
    const events = (await app.store.audit.find({ limit: 20 })).map(({ event }) => event);
    expect(events).toEqual(expect.arrayContaining(['role_saved', 'role_removed']));
  });

  it('is refused in words where it cannot be [P4]', async () => {
    await using world = await create();
    const { app } = world;
    const save = (name: string, permissions: readonly string[]) => saveRole(app, { name, permissions }, local);
    await expect(save('admin', ['READ_LOGS'])).rejects.toMatchObject({ code: 'conflict' });
    await expect(removeRole(app, 'viewer', local)).rejects.toMatchObject({ code: 'conflict' });
    await expect(removeRole(app, 'none', local)).rejects.toMatchObject({ code: 'invalid_input' });
    for (const name of ['', 'Big', 'a b', '../x', '-x', 'x'.repeat(41)])
      await expect(save(name, ['READ_LOGS']), name).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(save('empty', [])).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(save('wrong', ['READ_LOG'])).rejects.toMatchObject({
      next: expect.stringContaining('Did you mean READ_LOGS?'),
    });
    await expect(save('bots', ['RUN_SOQL'])).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(createOperator(app, 'ann', 'nothing', local)).rejects.toMatchObject({
      next: expect.stringContaining('admin, approver, viewer'),
    });
    expect(await app.store.roles.list()).toEqual([]);
  });

  it('lets nobody give, take or become more than they hold [P4]', async () => {
    await using world = await create();
    const { app } = world;
    const own: readonly OperatorPermission[] = ['MANAGE_OPERATORS', 'READ_LOGS'];
    await saveRole(app, { name: 'people', permissions: own }, local);
    await createOperator(app, 'ada', 'admin', local);
    await createOperator(app, 'eve', 'people', local);
    await createOperator(app, 'vic', 'viewer', local);
    const eve = as('eve');
    const refused = { code: 'permission_denied' };
    await expect(createOperator(app, 'new', 'admin', eve)).rejects.toMatchObject(refused);
    await expect(createOperator(app, 'new', 'approver', eve)).rejects.toMatchObject(refused);
    await expect(changeRole(app, 'eve', 'admin', eve)).rejects.toMatchObject(refused);
    await expect(changeRole(app, 'ada', 'people', eve)).rejects.toMatchObject(refused);
    await expect(newSignInLink(app, 'ada', eve)).rejects.toMatchObject(refused);
    await expect(newOperatorKey(app, 'ada', { replace: false }, eve)).rejects.toMatchObject(refused);
    await expect(removeOperator(app, 'ada', eve)).rejects.toMatchObject(refused);
    const wider = [...own, 'ERASE_PEOPLE'];
    await expect(saveRole(app, { name: 'people', permissions: wider }, eve)).rejects.toMatchObject(refused);
    await saveRole(app, { name: 'eraser', permissions: ['ERASE_PEOPLE'] }, local);
    await expect(saveRole(app, { name: 'eraser', permissions: ['READ_LOGS'] }, eve)).rejects.toMatchObject(refused);
    await expect(removeRole(app, 'eraser', eve)).rejects.toMatchObject(refused);
    // What they do hold they may give.
    await saveRole(app, { name: 'reader', permissions: ['READ_LOGS'] }, eve);
    await createOperator(app, 'new', 'reader', eve);
    await newSignInLink(app, 'new', eve);
    await newOperatorKey(app, 'eve', { replace: true }, eve);
    await removeOperator(app, 'new', eve);
    expect((await app.store.operators.list()).map(({ name, role }) => [name, role])).toEqual([
      ['ada', 'admin'],
      ['eve', 'people'],
      ['vic', 'viewer'],
    ]);
  });
});
