import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Database } from 'sqlite3';
import { expect, it } from 'vitest';
import { createApp } from '../../src/app/app.ts';
import { readConfig } from '../../src/runtime/config.ts';
import { createSim } from '../../src/sim/sim.ts';
import { testFolder } from '../support/prepared.ts';

/**
 * A data folder as version 0.1 left it before proposals belonged to orgs (schema 4): one change approved and done, one waiting,
 * one lead, an operator. Written by that version's own commands.
 */
const FIXTURE = new URL('fixtures/before-orgs/', import.meta.url);
const LATER = 1_795_898_445_000;
const [APPROVED, WAITING] = [5, '381da15fdc7412597ac724ddd2adae25'];

async function restore(folder: string): Promise<void> {
  for (const name of ['gatehouse', 'sim']) {
    const text = await readFile(new URL(`${name}.sql`, FIXTURE), 'utf8');
    const database = new Database(path.join(folder, `${name}.db`));
    const version = name === 'gatehouse' ? 'pragma user_version = 4;' : '';
    await new Promise<void>((done, fail) =>
      database.exec(`${text}${version}`, (error) => (error ? fail(error) : done())),
    );
    await new Promise<void>((done, fail) => database.close((error: Error | null) => (error ? fail(error) : done())));
  }
  await mkdir(path.join(folder, 'audit-heads'));
  await writeFile(path.join(folder, 'audit-heads', 'old.head'), await readFile(new URL('head.txt', FIXTURE)));
}

it('a data folder of an earlier version goes on: the chain verifies, what was done can be undone, and what waited is not run unsigned [X1 A6 C5 C7]', async () => {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-upgrade-'));
  await restore(folder);
  const app = await createApp(
    readConfig({
      GATEHOUSE_DATA: folder,
      GATEHOUSE_SECRET: 'a secret of this test, long enough',
      GATEHOUSE_LOG: 'silent',
    }),
    { now: () => LATER },
  );
  const sim = await createSim({ file: path.join(folder, 'sim.db'), now: () => LATER });
  const amount = async () => {
    const request = new Request('http://sim.localhost/_sim/records/Opportunity');
    const { records } = JSON.parse(await (await sim.fetch(request, { loopback: true })).text());
    return records.find((record: { Reference__c?: string }) => record.Reference__c === 'OPP-123').Amount;
  };
  const yes = { answer: 'approve', by: 'operator:ada', via: 'cli', assurance: 'session' } as const;
  try {
    expect(await app.audit.verify()).toMatchObject({ ok: true });
    expect(await amount()).toBe(51_000);
    // The connection stood before it was asked, so it is known whom it was read as.
    const { orgId, userId } = (await app.store.connections.get('demo'))!;
    expect(await app.store.proposals.get(WAITING)).toMatchObject({ orgId, userId });
    // Its tokens are not in the fixture.
    await app.connections.connect('demo', { flow: 'simulated' });

    expect((await app.approvals.decide(WAITING, yes)).status).toBe('conflict');
    const asked = await app.gate.call({
      bot: 'demo',
      principal: 'local',
      channel: 'cli',
      action: 'UpdateOpportunity',
      args: { reference: 'OPP-123', nextStep: 'Call them' },
    });
    expect(asked.status).toBe('waiting');
    expect((await app.approvals.decide(asked.proposal!.id, yes)).status).toBe('done');

    const undo = await app.approvals.undo(APPROVED, 'operator:ada');
    expect((await app.approvals.decide(undo.proposal!.id, yes)).status).toBe('done');
    expect(await amount()).not.toBe(51_000);
    expect(await app.audit.verify()).toMatchObject({ ok: true });
  } finally {
    await sim.close();
    await app.close();
    await rm(folder, { recursive: true, force: true });
  }
});
