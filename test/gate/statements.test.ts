import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Policy } from '../../permissions/policy.ts';
import { describeOnce } from '../support/databases.ts';
import { sentBy, syncsOf } from '../support/statements.ts';
import { createWorld } from '../support/world.ts';

/** What one call asks of the database, counted: each statement is a round trip on PostgreSQL, each commit a write to the disk. */
describeOnce('the statements of a call', () => {
  it('stay few: a read is two reads and one transaction of two [F2]', async () => {
    await using world = await createWorld();
    const read = () => world.call('GetAccount', { name: 'Acme Industries' });
    await read();
    const sent = await sentBy(read);
    expect(syncsOf(sent)).toBe(1);
    expect(sent.map(kindOf)).toEqual([
      'select bots',
      'select connections',
      'begin',
      'update auditHead',
      'insert audit',
      'commit',
    ]);
  });

  it('write a query to the disk once, with its audit row: what it was counted is there with it [F2]', async () => {
    await using world = await createWorld();
    await world.setPolicy(letRun('RunSOQL'));
    let count = 0;
    const query = () => {
      count += 1;
      return world.call('RunSOQL', { soql: `SELECT Name FROM Opportunity LIMIT ${count}` });
    };
    await query();
    const sent = await sentBy(query);
    expect(sent.map(kindOf).filter((kind) => kind === 'insert counters')).toHaveLength(1);
    expect(syncsOf(sent)).toBe(1);
  });

  it('read the bot and its connection once where a query may be asked about [F2]', async () => {
    await using world = await createWorld();
    const [{ Id } = { Id: '' }] = await world.records('Account');
    const query = () => world.call('RunSOQL', { soql: `SELECT Name FROM Account WHERE Id = '${Id}' LIMIT 1` });
    await query();
    const sent = await sentBy(query);
    const kinds = sent.filter((sql) => !sql.startsWith('pragma')).map(kindOf);
    expect(kinds).toEqual([
      'select bots',
      'select connections',
      'select proposals',
      'select counters',
      'insert counters',
      'select counters',
      ...['begin', 'update auditHead', 'insert audit', 'commit'],
    ]);
  });

  it('include the bot at each call: switched off or revoked in one process, it is so at the next call of every other [P5]', async () => {
    await using world = await createWorld();
    const beside = await world.again();
    const read = () =>
      beside.gate.call({
        bot: world.bot,
        principal: 'agent:beside',
        channel: 'rest',
        action: 'GetAccount',
        args: { name: 'Acme Industries' },
      });
    expect(await read()).toMatchObject({ status: 'done' });
    await world.setPolicy((policy) => ({ ...policy, mode: 'off' }));
    await expect(read()).rejects.toMatchObject({ code: 'off' });
    await world.setPolicy((policy) => ({ ...policy, mode: 'automatic' }));
    expect(await read()).toMatchObject({ status: 'done' });
    await world.app.store.bots.revoke(world.bot, 'READ_ACCOUNT');
    await expect(read()).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('of a write that policy lets run ask nothing of its proposal that was read before [F2]', async () => {
    await using world = await createWorld();
    await world.setPolicy(letRun('UpdateOpportunity'));
    let count = 0;
    const write = () => {
      count += 1;
      return world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: `Call ${count}` });
    };
    await write();
    const sent = await sentBy(write);
    expect(sent.map(kindOf).filter((kind) => kind === 'select proposals')).toHaveLength(2);
    // One of them asks the audit whether it ended before.
    expect(sent.filter((sql) => !sql.startsWith('pragma')).length).toBeLessThanOrEqual(22);
    // The write that is about to leave, with its proposal and permit, and how it ended.
    expect(syncsOf(sent)).toBe(2);
  });

  it('share a commit where calls run at once, and each is in the chain when it is answered [F2 C7]', async () => {
    await using world = await createWorld();
    await world.call('GetAccount', { name: 'Acme Industries' });
    const before = (await world.app.store.audit.head())?.seq ?? 0;
    const sent = await sentBy(() =>
      Promise.all(
        Array.from({ length: 32 }, (_, n) =>
          world.app.audit.record({ principal: `agent:${n}`, channel: 'rest', action: 'GetAccount', event: 'done' }),
        ),
      ),
    );
    expect(sent.map(kindOf)).toEqual(['begin', 'update auditHead', 'insert audit', 'commit']);
    expect((await world.app.store.audit.head())?.seq).toBe(before + 32);
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });

  it('keep the signed head once for all that are answered together, and no answer is without it [C7]', async () => {
    await using world = await createWorld();
    const record = () =>
      world.app.audit.record({ principal: 'agent:a', channel: 'rest', action: 'GetAccount', event: 'done' });
    await record();
    const folder = path.join(world.folder, 'audit-heads');
    const [name = ''] = await readdir(folder);
    const kept = async () => Number((await readFile(path.join(folder, name), 'utf8')).split(' ')[0]);
    const seqs = await Promise.all(Array.from({ length: 20 }, async () => (await record()).seq <= (await kept())));
    expect(seqs).not.toContain(false);
    // Nothing can be kept there any more: who asks at the same moment is told so, each of them.
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    const ends = await Promise.allSettled([record(), record(), record()]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await rm(folder);
    await record();
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });

  it('a row that cannot be kept fails alone, not those that would have shared its commit [C7]', async () => {
    await using world = await createWorld();
    const record = (event: string) =>
      world.app.audit.record({ principal: 'agent:a', channel: 'rest', action: 'GetAccount', event });
    const ends = await Promise.allSettled([record('done'), record('do\0ne'), record('done')]);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });
});

const letRun =
  (action: string) =>
  (policy: Policy): Policy => ({
    ...policy,
    actions: { ...policy.actions, [action]: { ...policy.actions[action]!, decision: 'auto', rules: [] } },
  });

/** `select bots`: the verb and the table, of a select that holds another one the outer. */
function kindOf(sql: string): string {
  const [verb = ''] = sql.trim().split(/\s/, 1);
  const table = [...sql.matchAll(/(?:from|into|update)\s+"?(\w+)/g)].at(verb === 'select' ? -1 : 0)?.[1];
  return table === undefined ? verb : `${verb} ${table}`;
}
