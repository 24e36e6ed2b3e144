import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createChainHeadFiles } from '../../src/audit/chain-head-files.ts';
import { tamper } from '../support/databases.ts';
import { createWorld, type World } from '../support/world.ts';

const HEAD_BACK = 'update auditHead set (seq, hash) = (select seq, hash from audit order by seq desc limit 1)';

const look = async (app: World['app'], times: number) => {
  for (let n = 0; n < times; n += 1)
    await app.gate.call({
      bot: 'demo',
      principal: 'x',
      channel: 'rest',
      action: 'GetAccount',
      args: { name: 'Acme Industries' },
    });
};

describe('the heads of the audit', () => {
  it('does not heal when new rows grow over a cut tail, in no process [C7]', async () => {
    await using world = await createWorld();
    const beside = await world.again();
    await look(world.app, 5);
    await look(beside, 5);
    await tamper(world, `delete from audit where seq > 4; ${HEAD_BACK}`);
    world.clock.advance(1000);
    for (const app of [world.app, beside, world.app, await world.again()]) await look(app, 6);
    for (const app of [world.app, beside, await world.again()])
      expect(await app.audit.verify()).toMatchObject({ ok: false, problem: expect.stringContaining('signed') });
  });

  it('does not heal when the row that was signed is put back for the moment of the look [C7]', async () => {
    await using world = await createWorld();
    const beside = await world.again();
    await look(world.app, 10);
    await tamper(world, 'create table saved as select * from audit where seq = 10');
    await tamper(world, `delete from audit where seq > 5; ${HEAD_BACK}`);
    world.clock.advance(1000);
    await look(world.app, 5);
    await tamper(world, 'create table grown as select * from audit where seq = 10');
    const swap = (from: string) => `delete from audit where seq = 10; insert into audit select * from ${from}`;
    await tamper(world, swap('saved'));
    await look(beside, 1);
    await look(world.app, 1);
    await look(await world.again(), 1);
    await tamper(world, swap('grown'));
    for (const app of [world.app, await world.again()])
      expect(await app.audit.verify()).toMatchObject({ ok: false, seq: 10 });
  });

  it('does not heal when another process signs a new row under the number of the one that was cut [C7]', async () => {
    await using world = await createWorld();
    await look(world.app, 10);
    await tamper(world, `delete from audit where seq > 5; ${HEAD_BACK}`);
    world.clock.advance(1000);
    await look(await world.again(), 5);
    for (const app of [world.app, await world.again()])
      expect(await app.audit.verify()).toMatchObject({ ok: false, rows: 9, seq: 10 });
  });

  it('remembers that rows once did not follow, even when they do again [C7]', async () => {
    await using world = await createWorld();
    await look(world.app, 3);
    await tamper(world, 'create table saved as select * from audit where seq > 1');
    await tamper(world, `delete from audit where seq > 1; ${HEAD_BACK}`);
    world.clock.advance(1000);
    await look(world.app, 3);
    await tamper(world, `delete from audit where seq > 1; insert into audit select * from saved; ${HEAD_BACK}`);
    expect(await world.app.audit.verify()).toMatchObject({ ok: false, seq: 4, problem: expect.stringContaining('3') });
  });

  it('that were removed are missed: by the process that kept them, and by any other [C7]', async () => {
    await using world = await createWorld();
    expect(await world.app.audit.verify()).toEqual({ ok: true, rows: 0 });
    await look(world.app, 10);
    await tamper(world, `delete from audit where seq > 5; ${HEAD_BACK}`);
    await rm(path.join(world.folder, 'audit-heads'), { recursive: true });
    expect(await world.app.audit.verify()).toMatchObject({ ok: false, rows: 5, seq: 6 });
    expect(await (await world.again()).audit.verify()).toMatchObject({
      ok: false,
      problem: expect.stringContaining(path.join(world.folder, 'audit-heads')),
    });
  });

  it('are kept again in a folder that was removed, so that calls go on [C7]', async () => {
    await using world = await createWorld();
    await look(world.app, 2);
    await rm(path.join(world.folder, 'audit-heads'), { recursive: true });
    await look(world.app, 1);
    expect(await world.app.audit.verify()).toEqual({ ok: true, rows: 3 });
  });

  it.each([0, -1, -(2 ** 40)])('a row planted as number %d shows [C7]', async (seq) => {
    await using world = await createWorld();
    await look(world.app, 2);
    await tamper(
      world,
      `create table planted as select * from audit where seq = 1;
       update planted set seq = ${seq}, event = 'approved';
       insert into audit select * from planted`,
    );
    expect(await world.app.audit.verify()).toMatchObject({
      ok: false,
      rows: 0,
      problem: expect.stringMatching(/first/),
    });
    const lines: string[] = [];
    for await (const line of world.app.audit.export()) lines.push(line);
    expect(lines).toHaveLength(3);
  });

  it('one left half written by a process that ended is no cut chain, and hides none [C7]', async () => {
    await using world = await createWorld();
    const folder = path.join(world.folder, 'audit-heads');
    const before = async () => readFile(path.join(folder, (await readdir(folder))[0] ?? ''), 'utf8');
    const lines: string[] = [];
    for (let n = 0; n < 11; n += 1) {
      await look(world.app, 1);
      lines.push(await before());
    }
    const ended = path.join(folder, '999999999-abcd.head');
    const [earlier = '', eighth = '', ninth = '', tenth = ''] = [lines[4], lines[7], lines[8], lines[9]];
    const verdict = async (text: string) => {
      await writeFile(ended, text);
      return (await world.app.audit.verify()).ok;
    };
    for (const [older, newer] of [
      [ninth, tenth],
      [eighth, ninth],
      [earlier, tenth],
    ] as const)
      for (let written = 0; written <= newer.length; written += 1)
        expect(await verdict(newer.slice(0, written) + older.slice(written)), `${written} letters`).toBe(true);
    // What no crash leaves: not ours, cut short, a newer line's end, letters that nobody signed.
    const forged = tenth.replace(/(?<= )./, (one) => (one === 'a' ? 'b' : 'a'));
    for (const text of [
      '',
      'x',
      tenth.slice(0, 80),
      forged,
      ninth.slice(0, 70) + tenth.slice(70),
      tenth.slice(0, 100) + 'f'.repeat(46),
    ])
      expect(await verdict(text), text).toBe(false);
    // Cut behind the rows that it is of: half a head hides no more than a whole one.
    await writeFile(ended, tenth.slice(0, 90) + ninth.slice(90));
    await rm(path.join(folder, (await readdir(folder)).find((name) => !name.startsWith('9999')) ?? ''));
    await tamper(world, `delete from audit where seq > 9; ${HEAD_BACK}`);
    expect(await (await world.again()).audit.verify()).toMatchObject({ ok: false });
  });

  it('are written over in their place, each as long as the one before: no call waits for a file to be made [C7] [F2]', async () => {
    await using world = await createWorld();
    await look(world.app, 1);
    const folder = path.join(world.folder, 'audit-heads');
    const [name = ''] = await readdir(folder);
    const { ino, size } = await stat(path.join(folder, name));
    await look(world.app, 10);
    expect(await stat(path.join(folder, name))).toMatchObject({ ino, size });
    expect(await world.app.audit.verify()).toEqual({ ok: true, rows: 11 });
  });

  it('are read whole while another thread writes over them [C7]', async () => {
    await using world = await createWorld();
    const [file, texts] = [path.join(world.folder, '1-other.head'), ['a', 'b', 'c'].map((one) => one.repeat(146))];
    await writeFile(file, 'a'.repeat(146));
    const writer = new Worker(
      `const { writeFileSync } = require('node:fs');
       const { file, texts } = require('node:worker_threads').workerData;
       for (let n = 0; ; n += 1) writeFileSync(file, texts[n % texts.length], { flag: 'r+' });`,
      { eval: true, workerData: { file, texts } },
    );
    try {
      const heads = createChainHeadFiles(world.folder, () => true);
      let torn = 0;
      const isSigned = (text: string) => {
        if (!texts.includes(text)) torn += 1;
        return texts.includes(text);
      };
      for (const ends = performance.now() + 10_000; torn === 0 && performance.now() < ends; )
        for (const text of await heads.all(isSigned)) expect(texts).toContain(text);
    } finally {
      await writer.terminate();
    }
  });

  it('follow each other’s rows in several processes, and leave one behind [C7]', async () => {
    await using world = await createWorld();
    const apps = [world.app, await world.again(), await world.again()];
    for (let round = 0; round < 4; round += 1)
      await Promise.all(apps.map((app, index) => look(app, 1 + ((round + index) % 3))));
    await look(await world.again(), 1);
    for (const app of apps) expect(await app.audit.verify()).toEqual({ ok: true, rows: 25 });
    expect(await readdir(path.join(world.folder, 'audit-heads'))).toHaveLength(1);
  });

  it('lets nothing out while its head cannot be kept: not at the call, its repeat, another process or a recovery [C7] [K12]', async () => {
    await using world = await createWorld();
    const heads = path.join(world.folder, 'audit-heads');
    const lead = { lastName: 'Okafor', company: 'Unkept Ltd', email: 'okafor@unkept.example' };
    const leads = async () =>
      (await world.records('Lead')).filter(({ Company }) => Company === lead.company || Company === 'Earlier Ltd')
        .length;
    await world.call('CreateLead', { ...lead, company: 'Earlier Ltd', email: 'first@unkept.example' });
    await rename(heads, `${heads}-away`);
    await writeFile(heads, 'no folder');
    for (let n = 0; n < 3; n += 1) {
      expect(await world.refusal('CreateLead', lead)).toMatchObject({
        code: 'store_unavailable',
        retryable: true,
        message: expect.stringMatching(/takes no writes/),
      });
      world.clock.advance(2_000);
    }
    await expect(world.app.ready()).rejects.toThrow();
    const beside = await world.again();
    await world.recoverAfter(60_000);
    await beside.retention.recover();
    expect(await leads(), 'nothing left without a signed head').toBe(1);
    await rm(heads);
    await world.app.ready();
    await world.recoverAfter(60_000);
    expect(await leads(), 'and once it is kept again, once').toBe(2);
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });

  it('lets no write of its own accord out whose permit lost its head after it was asked for [C7] [K12]', async () => {
    let isAway = false;
    let heads = '';
    await using world = await createWorld({
      policy: (policy) => ({
        ...policy,
        actions: {
          ...policy.actions,
          UpdateOpportunity: { ...policy.actions.UpdateOpportunity!, decision: 'auto', rules: [] },
        },
      }),
      crash: async (point) => {
        if (!isAway || point !== 'executing') return;
        await rename(heads, `${heads}-away`);
        await writeFile(heads, 'no folder');
      },
    });
    heads = path.join(world.folder, 'audit-heads');
    const update = { reference: 'OPP-123', nextStep: 'Call the customer' };
    const stepOf = async () =>
      (await world.records('Opportunity')).filter(({ NextStep }) => NextStep === update.nextStep);
    await world.call('GetAccount', { name: 'Acme Industries' });
    isAway = true;
    expect(await world.refusal('UpdateOpportunity', update)).toMatchObject({
      code: 'store_unavailable',
      retryable: true,
    });
    isAway = false;
    expect(await stepOf(), 'nothing left without a signed head').toEqual([]);
    await rm(heads);
    await rename(`${heads}-away`, heads);
    expect(await world.call('UpdateOpportunity', update)).toMatchObject({ status: 'done' });
    expect(await stepOf()).toHaveLength(1);
    expect(await world.app.audit.verify()).toMatchObject({ ok: true });
  });
});
