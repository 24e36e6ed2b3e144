import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Mapping } from '../../src/domain/mapping.ts';
import { CRASH_POINTS, type CrashPoint } from '../../src/ports/sync.ts';
import type { DatabaseTarget } from '../../src/store/open.ts';
import { rotateToken } from '../../src/sync/inbound/tokens.ts';
import { defaultMapping } from '../../src/sync/mapping/defaults.ts';
import { toFollow } from '../../src/sync/mapping/follow-rules.ts';
import { setWebhook } from '../../src/sync/webhooks/deliver.ts';
import { describeStores, type OpenFresh } from '../support/databases.ts';
import { testFolder } from '../support/prepared.ts';
import { createFleet } from './fixtures/fleet.ts';
import { openHouse } from './fixtures/house.ts';
import { BRISK, soak } from './soak.ts';
import { soapMessage } from './soap.ts';

const PEOPLE = ['ann', 'bob', 'cyd', 'dan'];

/** One simulated org, one database and a house that edits; the workers are processes that die. */
async function createStage(target: DatabaseTarget) {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-kill-'));
  // A dead worker's claims end soon; polls come only where they are the subject.
  const options = { folder, target, leaseMs: 400, tickMs: 50, pollMs: 3_600_000 };
  const house = await openHouse(options);
  await house.begin();
  const fleet = createFleet(options);
  const orgId = (await house.store.connections.get('demo'))?.orgId ?? '';
  const heard: { readonly id: string; readonly body: string }[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      heard.push({ id: String(request.headers['webhook-id']), body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
  const { port } = receiver.address() as AddressInfo;

  const { links, inbox, feed, webhooks, log, hosts } = house.syncStore;
  const among = { bot: 'demo', orgId };
  const stage = {
    house,
    among,
    fleet,
    heard,
    put: (id: string, fields: Record<string, string>) => house.sync.hosts.put('demo', 'party', [{ id, fields }]),
    async records(object = 'Contact'): Promise<Record<string, unknown>[]> {
      return (await house.control('GET', `records/${object}`)).records;
    },
    contact: async (id: string): Promise<Record<string, unknown>> =>
      (await stage.records()).find((record) => record.Email === `${id}@example.com`) ?? { Id: '' },
    edit: async (id: string, fields: Record<string, string>) =>
      house.control('POST', 'records/Contact', { Id: (await stage.contact(id)).Id, ...fields }),
    effects: async (id: string) =>
      (await log.find('demo', { localId: id, limit: 100 })).filter((row) => row.operation !== 'none'),
    host: async (id: string) => (await hosts.get('demo', 'party', [id]))[0]?.fields,
    webhook: () => setWebhook(house.deps, 'demo', `http://127.0.0.1:${port}/`),
    token: () => rotateToken(house.deps, 'address', 'demo'),
    /** A healthy worker finishes whatever is left: this process, which begins anew to look at the leases of the dead. */
    async finish(): Promise<void> {
      const healthy = await openHouse(options);
      healthy.worker.start();
      for (let calm = 0, tries = 0; calm < 3; tries++) {
        if (tries > 400) throw new Error(`it does not come to rest: ${fleet.said().slice(-3).join('')}`);
        await sleep(50);
        const target = await webhooks.get('demo');
        const isCalm =
          (await links.backlog(among)).count === 0 &&
          (await inbox.pending(among, 1)).length === 0 &&
          (await house.syncStore.bulk.open(among)).length === 0 &&
          (await house.sync.batches.list(among.bot)).every(({ state }) => state === 'done') &&
          (target === undefined || target.delivered === (await feed.head('demo')));
        calm = isCalm ? calm + 1 : 0;
      }
      await healthy.close();
    },
    async [Symbol.asyncDispose]() {
      await fleet[Symbol.asyncDispose]();
      receiver.close();
      await house.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (const id of PEOPLE) await stage.put(id, { email: `${id}@example.com`, name: `${id} Doe`, phone: '1' });
  await stage.finish();
  return stage;
}

type Stage = Awaited<ReturnType<typeof createStage>>;

/** What brings a worker to the point, and what must hold after another one has finished. The point's name is the value. */
interface Scene {
  begin(stage: Stage, point: string): Promise<unknown>;
  readonly pollMs?: number;
  /** Where the dying worker does not come there by itself. */
  provoke?(stage: Stage, door: string): Promise<unknown>;
  end(stage: Stage, point: string): Promise<void>;
}

const oneUpdate: Scene = {
  begin: ({ put }, point) => put('ann', { phone: point }),
  async end({ contact, effects }, point) {
    expect((await contact('ann')).Phone).toBe(point);
    expect((await effects('ann')).filter((row) => row.changes.some(({ after }) => after === point))).toHaveLength(1);
  },
};
const batch: Scene = {
  begin: ({ house }, point) =>
    house.sync.hosts.put(
      'demo',
      'party',
      PEOPLE.map((id) => ({ id, fields: { jobTitle: point } })),
    ),
  async end({ contact, effects }, point) {
    for (const id of PEOPLE) {
      expect((await contact(id)).Title).toBe(point);
      expect((await effects(id)).filter((row) => row.changes.some(({ after }) => after === point))).toHaveLength(1);
    }
  },
};
/** One case, which takes these people in. */
const cases = (people: readonly string[]): Scene => ({
  begin: ({ house }) =>
    house.sync.hosts.put('demo', 'case', [
      { id: 'c1', fields: { title: 'A case' }, parties: people.map((party) => ({ party, role: 'complainant' })) },
    ]),
  async end({ records }) {
    expect(await records('Opportunity')).toHaveLength(1);
    expect(await records('OpportunityContactRole')).toHaveLength(people.length);
  },
});
/** People who are not there yet, as one bulk job. */
const load: Scene = {
  async begin({ house, put, among }, point) {
    await house.control('POST', 'settings', { bulkQueueMs: 0, bulkRowsPerSecond: 1e6 });
    for (let n = 0; n < 4; n++)
      await put(`${point}-${n}`, { email: `${point}-${n}@example.com`, name: `N${n} ${point}` });
    await house.sync.batches.start(among.bot, among.orgId, 'party');
  },
  async end({ records, effects, house, contact }, point) {
    expect((await records()).filter(({ Email }) => String(Email).startsWith(`${point}-`))).toHaveLength(4);
    for (let n = 0; n < 4; n++) {
      expect((await effects(`${point}-${n}`)).map(({ operation }) => operation)).toEqual(['create']);
      expect((await contact(`${point}-${n}`)).Gatehouse_Id__c).toBe(`demo:party:${point}-${n}`);
    }
    // An open job of which nobody knows starts nothing.
    const { jobs } = (await house.control('GET', 'bulk')) as { jobs: { state: string }[] };
    expect(jobs.filter(({ state }) => state !== 'Open')).toEqual([]);
  },
};
const pulled = (title: string): Scene['end'] => {
  return async ({ host, effects }) => {
    expect(await host('bob')).toMatchObject({ jobTitle: title });
    const pulls = (await effects('bob')).filter((row) => row.changes.some(({ after }) => after === title));
    expect(pulls.map((row) => row.direction)).toEqual(['from_crm']);
  };
};

const SCENES: Readonly<Record<CrashPoint, Scene>> = {
  claimed: oneUpdate,
  read: oneUpdate,
  merged: oneUpdate,
  sent: oneUpdate,
  acknowledged: oneUpdate,
  'created-sent': {
    begin: ({ put }) => put('new', { email: 'new@example.com', name: 'New Doe' }),
    async end({ records, effects }) {
      expect((await records()).filter((record) => record.Email === 'new@example.com')).toHaveLength(1);
      expect((await effects('new')).map((row) => row.operation)).toEqual(['create']);
    },
  },
  'chunk-sent': batch,
  'chunk-acknowledged': batch,
  'graph-sent': cases(['ann']),
  'roles-sent': cases(['ann', 'bob']),
  'polled-page': {
    begin: ({ edit }) => edit('bob', { Title: 'found by a poll' }),
    pollMs: 0,
    end: pulled('found by a poll'),
  },
  'inbox-stored': {
    begin: ({ edit }) => edit('bob', { Title: 'told by a message' }),
    async provoke({ token, contact }, door) {
      const body = soapMessage([String((await contact('bob')).Id)]);
      // No answer at all: Salesforce would send it again.
      await expect(fetch(`${door}/${await token()}`, { method: 'POST', body })).rejects.toThrow();
    },
    end: pulled('told by a message'),
  },
  'events-stored': {
    async begin({ house, among }) {
      await house.control('POST', 'settings', { changeDataCapture: ['Contact'] });
      // It was refused before, by an org that had not selected it, and the listener is one of the dead.
      const { streams } = house.syncStore;
      await streams.put((await streams.list(among)).map((row) => ({ ...row, retryAt: 0 })));
      await streams.free(among, (await streams.lease(among)).fence);
    },
    async provoke({ house, among, edit }) {
      const isLive = async () => (await house.syncStore.streams.list(among)).some(({ state }) => state === 'live');
      while (!(await isLive())) await sleep(50);
      await edit('bob', { Title: 'told by an event' });
    },
    async end(stage, point) {
      await pulled('told by an event')(stage, point);
      await stage.house.control('POST', 'settings', { changeDataCapture: [] });
      // While a dead listener's lease lasts, the poll is as rare as if it listened.
      const { streams } = stage.house.syncStore;
      await streams.put((await streams.list(stage.among)).map((row) => ({ ...row, state: 'refused' })));
    },
  },
  'inbox-finished': {
    begin: ({ edit }) => edit('bob', { Title: 'told once more' }),
    provoke: async ({ token, contact }, door) => {
      const body = soapMessage([String((await contact('bob')).Id)], '', undefined, 1);
      expect((await fetch(`${door}/${await token()}`, { method: 'POST', body })).status).toBe(200);
    },
    end: pulled('told once more'),
  },
  'webhook-sent': {
    async begin({ webhook, edit }) {
      await webhook();
      await edit('bob', { Title: 'for the webhook' });
    },
    pollMs: 0,
    async end({ heard }) {
      // At least once: the one that nobody could acknowledge comes again, under the same id.
      expect(heard.length).toBe(2);
      expect(new Set(heard.map(({ id }) => id)).size).toBe(1);
      expect(heard.every(({ body }) => body.includes('for the webhook'))).toBe(true);
    },
  },
  'query-noted': load,
  'rows-staged': load,
  'part-sealed': load,
  'job-created': load,
  'job-noted': load,
  'job-uploaded': load,
  'upload-noted': load,
  'job-closed': load,
  'close-noted': load,
  'rows-acknowledged': load,
  'rows-told': load,
  'job-removed': load,
  // As somebody left it who died right after the mapping was saved.
  'links-followed': {
    async begin({ house, among }) {
      const { mappings } = house.syncStore;
      const mapping: Mapping = {
        ...defaultMapping('party'),
        rules: [
          ...defaultMapping('party').rules,
          { local: ['phone'], remote: ['MobilePhone'], direction: 'to_crm', transforms: [] },
        ],
      };
      const version = ((await mappings.get('demo', 'party'))?.version ?? 0) + 1;
      const change = { before: defaultMapping('party'), after: mapping, version };
      const follow = await toFollow(house.syncStore, among, change);
      await mappings.add({ bot: 'demo', kind: 'party', version, mapping, by: 'ada', at: Date.now() }, follow);
    },
    async end({ house, among, contact }) {
      expect(await house.syncStore.mappings.follows(among)).toEqual([]);
      for (const id of PEOPLE) expect((await contact(id)).MobilePhone, id).toBe((await contact(id)).Phone);
    },
  },
};

// They wait for leases and processes most of the time.
describe.concurrent('a fleet', () => {
  describeStores(suite);
});

function suite(_name: string, openFresh: OpenFresh): void {
  const points = (isLoad: boolean) => CRASH_POINTS.filter((point) => (SCENES[point] === load) === isLoad);
  const dies = async (at: readonly CrashPoint[]) => {
    await using fresh = await openFresh();
    await using stage = await createStage(fresh.target);
    for (const point of at) {
      const { begin, pollMs, provoke, end } = SCENES[point];
      await begin(stage, point);
      const doomed = await stage.fleet.start({ dieAt: point, ...(pollMs === undefined ? {} : { pollMs }) });
      await provoke?.(stage, doomed.door);
      expect(await Promise.race([doomed.ended, sleep(60_000, 'alive')]), point).toBe('SIGKILL');
      await stage.finish();
      await end(stage, point);
      const emails = (await stage.records()).map((record) => record.Email);
      expect(new Set(emails).size, point).toBe(emails.length);
    }
  };

  it('dies by kill -9 at every point of the list, and the next process ends as if nothing had happened [sync-P8] [sync-P10] [S8]', async () => {
    await dies(points(false));
  }, 240_000);

  it('dies by kill -9 at every step of a bulk load: nothing twice, nothing lost, no file left [sync-P8] [B4] [S8]', async () => {
    await dies(points(true));
  }, 480_000);

  it('survives kill -9 of real workers under faults: no duplicate, no difference, no lost edit, then rest [sync-P8] [sync-P21] [S8]', async () => {
    await using fresh = await openFresh();
    const report = await soak(8, 12, fresh.target, BRISK);
    expect(report).toMatchObject({ duplicates: 0, diverged: 0, lostSingleSideEdits: 0, writesAfterRest: 0 });
    expect(report.kills).toBeGreaterThan(0);
    expect(report.edits).toBeGreaterThan(20);
  }, 240_000);
}
