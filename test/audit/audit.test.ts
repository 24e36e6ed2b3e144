import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tamper } from '../support/databases.ts';
import { createWorld, type World } from '../support/world.ts';

async function lived(world: World): Promise<void> {
  await world.call('GetAccount', { name: 'Acme Industries' });
  await world.refusal('GetAccount', { name: 'Nobody Ltd' });
  await world.call('CreateLead', { lastName: 'Doe', company: 'Doe Ltd', email: 'jane@doe.example' });
}

describe('the audit', () => {
  it('holds a row for every decision, reads and refusals too, in one whole chain [C7]', async () => {
    await using world = await createWorld();
    await lived(world);
    const rows = await world.app.store.audit.page(0, 100);
    expect(rows.map(({ event, action }) => `${action} ${event}`)).toEqual([
      'GetAccount done',
      'GetAccount refused',
      'CreateLead permitted',
      'CreateLead done',
    ]);
    expect(await world.app.audit.verify()).toEqual({ ok: true, rows: 4 });
  });

  it.each([
    ['edited', "update audit set bot = 'other' where seq = 2", 2],
    ['removed', 'delete from audit where seq = 2', 2],
    ['cut off at the end', 'delete from audit where seq >= 3', 3],
    ['with changed sealed values', "update audit set sealed = 'AAAA' where seq = 4", 4],
  ])('names the first row that was %s [C7]', async (_, sql, seq) => {
    await using world = await createWorld();
    await lived(world);
    await tamper(world, sql);
    const verdict = await world.app.audit.verify();
    expect(verdict).toMatchObject({ ok: false, seq });
  });

  it('shows a swap of two rows [C7]', async () => {
    await using world = await createWorld();
    await lived(world);
    await tamper(world, 'update audit set seq = 900 where seq = 2');
    await tamper(world, 'update audit set seq = 2 where seq = 3');
    await tamper(world, 'update audit set seq = 3 where seq = 900');
    expect(await world.app.audit.verify()).toMatchObject({ ok: false, seq: 2 });
  });

  it('keeps its head apart: dropping the whole table shows [C7]', async () => {
    await using world = await createWorld();
    await lived(world);
    expect((await readdir(path.join(world.folder, 'audit-heads'))).length).toBe(1);
    await tamper(world, 'delete from audit');
    expect(await world.app.audit.verify()).toMatchObject({ ok: false, seq: 1 });
    await rm(path.join(world.folder, 'audit-heads'), { recursive: true });
  });

  it('still knows of a cut after later processes wrote past it [C7]', async () => {
    await using world = await createWorld();
    await lived(world);
    await tamper(world, 'delete from audit where seq > 2');
    await tamper(world, 'update auditHead set seq = 2, hash = (select hash from audit where seq = 2)');
    for (const _ of ['one', 'two']) {
      const later = await world.again();
      for (const name of ['Acme Industries', 'Globex Shipping'])
        await later.gate.call({
          bot: world.bot,
          principal: 'x',
          channel: 'rest',
          action: 'GetAccount',
          args: { name },
        });
    }
    expect(await world.app.audit.verify()).toMatchObject({
      ok: false,
      seq: 4,
      problem: expect.stringContaining('signed'),
    });
  });

  it('leaves no pile of heads behind, start after start [C7]', async () => {
    await using world = await createWorld();
    for (let start = 0; start < 5; start += 1)
      await (await world.again()).gate.call({
        bot: world.bot,
        principal: 'x',
        channel: 'rest',
        action: 'GetAccount',
        args: { name: 'Acme Industries' },
      });
    expect((await readdir(path.join(world.folder, 'audit-heads'))).length).toBe(1);
    expect(await world.app.audit.verify()).toEqual({ ok: true, rows: 5 });
  });

  it('that was cut in half, or whose heads are no heads, says so instead of passing [C7]', async () => {
    await using world = await createWorld();
    for (let n = 0; n < 10; n += 1) await world.call('GetAccount', { name: 'Acme Industries' });
    const [head = ''] = await readdir(path.join(world.folder, 'audit-heads'));
    const file = path.join(world.folder, 'audit-heads', head);
    const whole = await readFile(file, 'utf8');
    for (const text of ['', 'x', whole.slice(0, whole.length / 2), whole.replace(/^10/, '9')]) {
      await writeFile(file, text);
      expect(await world.app.audit.verify(), text).toMatchObject({ ok: false });
    }
    await writeFile(file, whole);
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
    await tamper(world, 'delete from audit where seq > 5');
    expect(await world.app.audit.verify()).toMatchObject({ ok: false, rows: 5, seq: 6 });
  });

  it('loses values of records after their time, everywhere, and nothing else [C7]', async () => {
    await using world = await createWorld();
    await lived(world);
    const waiting = await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Still open' });
    world.clock.advance(60_000);
    await world.call('CreateLead', { lastName: 'Roe', company: 'Roe Ltd', email: 'rick@roe.example' });
    expect(await world.app.retention.tidy(world.clock.now)).toEqual({ rows: expect.any(Number), proposals: 1 });
    const rows = await world.app.store.audit.page(0, 100);
    const kept = JSON.stringify([
      await world.app.store.proposals.list({ limit: 100 }),
      rows.map((row) => world.app.audit.unsealed(row)),
    ]);
    expect(kept).not.toContain('jane@doe.example');
    expect(kept).toContain('rick@roe.example');
    expect((await world.approve(waiting.proposal?.id ?? '')).status).toBe('done');
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
    const done = rows.find(({ event, action }) => event === 'done' && action === 'CreateLead');
    await expect(world.app.approvals.undo(done?.seq ?? 0, 'operator:ada')).rejects.toMatchObject({ code: 'not_found' });
    expect(await world.app.retention.tidy(world.clock.now)).toEqual({ rows: 0, proposals: 0 });
  });

  it('exports JSON lines without sealed values, and no value of a record stands in the open [C7]', async () => {
    await using world = await createWorld();
    await lived(world);
    const lines: string[] = [];
    for await (const line of world.app.audit.export()) lines.push(line);
    expect(lines).toHaveLength(4);
    expect(lines.join('\n')).not.toMatch(/jane@doe\.example|Doe Ltd|Acme|sealed"/);
    const done = (await world.app.store.audit.find({ event: 'done', action: 'CreateLead', limit: 1 }))[0]!;
    expect(JSON.stringify(world.app.audit.unsealed(done))).toContain('jane@doe.example');
  });

  it('forgets before-values after their time, and a person on request, and still proves the rest [C7]', async () => {
    await using world = await createWorld();
    await lived(world);
    await world.call('CreateLead', { lastName: 'Roe', company: 'Roe Ltd', email: 'rick@roe.example' });
    const erased = await world.app.retention.erase('jane@doe.example', 'operator:ada');
    expect(erased).toMatchObject({ proposals: 1 });
    const everything = JSON.stringify([
      await world.app.store.proposals.list({ limit: 100 }),
      (await world.app.store.audit.page(0, 100)).map((row) => world.app.audit.unsealed(row)),
    ]);
    expect(everything).not.toContain('jane@doe.example');
    expect(everything).toContain('rick@roe.example');
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
    expect(await world.app.audit.forget(world.clock.now + 1)).toBeGreaterThan(0);
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });

  it('loses no row and no order under a hundred concurrent calls [C7]', async () => {
    await using world = await createWorld();
    await Promise.all(Array.from({ length: 100 }, () => world.call('GetAccount', { name: 'Acme Industries' })));
    expect(await world.app.audit.verify()).toEqual({ ok: true, rows: 100 });
  });
});
