/** A two-way soak: two real workers, faults, kill -9, edits on both sides; then both sides are compared. Run by test/bench/soak.mjs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseTarget } from '../../src/store/open.ts';
import { receiveMessage } from '../../src/sync/inbound/receive.ts';
import { rotateToken } from '../../src/sync/inbound/tokens.ts';
import { testFolder } from '../support/prepared.ts';
import { createFleet } from './fixtures/fleet.ts';
import { openHouse } from './fixtures/house.ts';

export interface SoakReport {
  readonly seconds: number;
  readonly edits: number;
  readonly kills: number;
  readonly faults: number;
  readonly duplicates: number;
  readonly diverged: number;
  readonly lostSingleSideEdits: number;
  readonly otherWinner: number;
  readonly writesAfterRest: number;
  readonly apiCalls: number;
  readonly logRows: number;
}

const FIELDS = [
  ['phone', 'Phone'],
  ['jobTitle', 'Title'],
  ['notes', 'Description'],
] as const;
const FAULTS = [
  { type: 'status', status: 503, times: 3 },
  { type: 'drop', when: 'after', times: 2 },
  { type: 'drop', when: 'before', times: 2 },
  { type: 'lock', times: 3, match: { path: '/composite' } },
  { type: 'latency', ms: 800, times: 5 },
  { type: 'expired_session', times: 1 },
  { type: 'drop_body', when: 'after', times: 1 },
] as const;

/** How long things take: a short run has shorter leases, so that it comes to rest sooner. */
export interface Pace {
  readonly leaseMs: number;
  readonly pollMs: number;
  /** From one kill to the next, at least and at most. */
  readonly killMs: readonly [least: number, most: number];
  /** From one edit to the next, at least and at most. */
  readonly editMs: readonly [least: number, most: number];
  /** Not over before, however slow the machine is. */
  readonly leastEdits: number;
}
export const BRISK: Pace = { leaseMs: 2_000, pollMs: 1_000, killMs: [1_500, 2_500], editMs: [30, 300], leastEdits: 25 };
const STEADY: Pace = { leaseMs: 8_000, pollMs: 3_000, killMs: [10_000, 30_000], editMs: [50, 450], leastEdits: 0 };

export async function soak(
  seconds: number,
  people = 40,
  target?: DatabaseTarget,
  { leaseMs, pollMs, killMs, editMs, leastEdits }: Pace = STEADY,
): Promise<SoakReport> {
  const folder = await mkdtemp(path.join(testFolder(), 'gatehouse-soak-'));
  const options = {
    folder,
    target: target ?? { file: path.join(folder, 'gatehouse.db') },
    leaseMs,
    tickMs: 200,
    pollMs,
  };
  const house = await openHouse(options);
  const between = ([least, most]: readonly [number, number]) => least + Math.random() * (most - least);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
  try {
    await house.begin();
    await using fleet = createFleet(options);
    const token = await rotateToken(house.deps, 'address', 'demo');
    const door = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        receiveMessage({ ...house.deps, onChange() {} }, token, body).then(
          (answer) => response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body),
          () => response.destroy(),
        );
      });
    });
    await new Promise<void>((ready) => door.listen(0, '127.0.0.1', ready));
    await house.control('POST', 'outbound-messages', {
      object: 'Contact',
      url: `http://127.0.0.1:${(door.address() as AddressInfo).port}/`,
      fields: ['Phone', 'Title', 'Description', 'LastModifiedDate'],
    });
    const ids = Array.from({ length: people }, (_, n) => `p${n}`);
    await house.sync.hosts.put(
      'demo',
      'party',
      ids.map((id) => ({ id, fields: { email: `${id}@example.com`, name: `Person ${id}` } })),
    );
    const workers = [await fleet.start(), await fleet.start()];
    const sfIds = await untilLinked();

    const last = new Map<string, { value: string; side: string }>();
    const sides = new Map<string, Map<string, string>>();
    const count = { edits: 0, kills: 0, faults: 0 };
    const end = Date.now() + seconds * 1_000;
    let nextKill = Date.now() + killMs[0];
    while (Date.now() < end || count.edits < leastEdits || count.kills === 0) {
      const id = pick(ids);
      const [local, remote] = pick(FIELDS);
      const side = pick(['host', 'salesforce'] as const);
      const value = `${side} ${count.edits++}`;
      last.set(`${id}.${local}`, { value, side });
      sides.set(`${id}.${local}`, (sides.get(`${id}.${local}`) ?? new Map()).set(side, value));
      if (side === 'host') await house.sync.hosts.put('demo', 'party', [{ id, fields: { [local]: value } }]);
      else await house.control('POST', 'records/Contact', { Id: sfIds.get(id), [remote]: value });
      if (Math.random() < 0.05) {
        await house.control('POST', 'faults', pick(FAULTS));
        count.faults++;
      }
      if (Date.now() > nextKill) {
        const victim = Math.floor(Math.random() * workers.length);
        const worker = workers[victim];
        if (worker) await fleet.kill(worker);
        workers[victim] = await fleet.start();
        count.kills++;
        nextKill = Date.now() + between(killMs);
      }
      await sleep(between(editMs));
    }
    await house.control('POST', 'faults', { clear: true });
    await untilRest();
    for (const worker of workers) await fleet.kill(worker);

    const records = (await house.control('GET', 'records/Contact')).records as Record<string, string>[];
    const hosts = await house.syncStore.hosts.get('demo', 'party', ids);
    const result = { duplicates: records.length - people, diverged: 0, lostSingleSideEdits: 0, otherWinner: 0 };
    for (const host of hosts) {
      const record = records.find((one) => one.Id === sfIds.get(host.id)) ?? {};
      for (const [local, remote] of FIELDS) {
        const key = `${host.id}.${local}`;
        const held = host.fields[local] ?? null;
        if (held !== (record[remote] ?? null)) result.diverged++;
        else if (last.has(key) && held !== last.get(key)?.value) {
          const isOneSided = (sides.get(key)?.size ?? 0) === 1;
          if (isOneSided) result.lostSingleSideEdits++;
          else result.otherWinner++;
        }
      }
    }
    const stamps = JSON.stringify(records.map((record) => record.SystemModstamp));
    const again = await fleet.start();
    await sleep(leaseMs);
    await fleet.kill(again);
    const after = (await house.control('GET', 'records/Contact')).records as Record<string, string>[];
    door.close();
    return {
      seconds,
      ...count,
      ...result,
      writesAfterRest: stamps === JSON.stringify(after.map((record) => record.SystemModstamp)) ? 0 : 1,
      apiCalls: (await house.control('GET', 'calls')).count,
      logRows: (await house.syncStore.log.find('demo', { limit: 1_000_000 })).length,
    };
  } finally {
    await house.close();
    await rm(folder, { recursive: true, force: true });
  }

  async function untilLinked(): Promise<Map<string, string>> {
    const orgId = (await house.store.connections.get('demo'))?.orgId ?? '';
    for (let n = 0; n < 300; n++) {
      const links = await house.syncStore.links.list({ bot: 'demo', orgId }, { state: 'active', limit: 10_000 });
      if (links.length === people) return new Map(links.map((link) => [link.localId, link.sfId ?? '']));
      await sleep(200);
    }
    throw new Error('the people were not linked in a minute');
  }

  async function untilRest(): Promise<void> {
    const orgId = (await house.store.connections.get('demo'))?.orgId ?? '';
    let calm = 0;
    for (let n = 0; n < 600; n++) {
      await sleep(500);
      const isCalm =
        (await house.syncStore.links.backlog({ bot: 'demo', orgId })).count === 0 &&
        (await house.syncStore.inbox.pending({ bot: 'demo', orgId }, 1)).length === 0;
      calm = isCalm ? calm + 1 : 0;
      // Longer than a poll and a lease.
      if (calm * 500 > leaseMs + pollMs + 1_000) return;
    }
    throw new Error('the sync did not come to rest in five minutes');
  }
}
