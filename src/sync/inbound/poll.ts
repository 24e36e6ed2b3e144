import { fromErrorBody, GatehouseError } from '../../domain/errors.ts';
import { holdsFor } from '../../domain/lease-watch.ts';
import type { Scope } from '../../domain/link.ts';
import { hidesFor } from '../../domain/stored-value/times.ts';
import type { CompositeAnswer } from '../../ports/salesforce.ts';
import type { SyncDeps, SyncOrg, SyncSettings } from '../../ports/sync.ts';
import type { InboxRow, PollState } from '../../ports/sync-store.ts';
import { findField } from '../mapping/compile.ts';
import { queryPath, toIso, toMs, toPage } from '../remote/soql-read.ts';
import { mappingOf } from '../remote/target.ts';
import { isSystemic } from '../remote/trouble.ts';
import { tellingObjects } from './found.ts';
import { watchedObjects } from './watched.ts';

const PAGE = 2_000;
const MOST_PER_CALL = 5;

/** The reason of a link that no event touched before a poll did. */
export const FOUND_BY_POLL = 'changed in Salesforce';

export interface Polled {
  readonly calls: number;
  /** Links that have to be read again. */
  readonly hints: number;
  /** Objects that the org did not let be looked at; the others were. */
  readonly refused: readonly GatehouseError[];
}

/** One poll an interval, by whichever process comes first. Undefined where it is not due. */
export async function pollWhenDue(
  deps: SyncDeps,
  settings: SyncSettings,
  bot: string,
  org: SyncOrg,
  everyMs: number,
): Promise<Polled | undefined> {
  const { store, now, watch } = deps;
  const scope: Scope = { bot, orgId: org.orgId };
  const { object } = await mappingOf(store, bot, 'party');
  const last = await store.polls.get(scope, object);
  const at = now();
  const name = `poll of ${object} for ${bot}/${org.orgId}`;
  const pause = { until: (last?.polledAt ?? 0) + everyMs, now: at, longestMs: everyMs };
  if (last && (holdsFor(watch, name, pause) > 0 || !(await store.polls.claimPoll(scope, object, last.polledAt, at))))
    return;
  try {
    return await poll(deps, settings, bot, org);
  } catch (error) {
    if (last) await store.polls.claimPoll(scope, object, at, last.polledAt);
    throw error;
  }
}

/**
 * The net under all events: everything stamped since the watermark, less an overlap, because a record may become visible up
 * to ten minutes after its own stamp. Keyset paging by (SystemModstamp, Id), the place saved with each page: a crash or a
 * thousand equal stamps lose nothing. Deleted and merged rows come with it.
 */
export async function poll(
  { store, now, crash }: SyncDeps,
  settings: SyncSettings,
  bot: string,
  org: SyncOrg,
): Promise<Polled> {
  const scope: Scope = { bot, orgId: org.orgId };
  const objects = await watchedObjects(store, bot);
  /** Of these every change is an event, whether a link is about it or not. */
  const subscribed = new Set((await store.subscriptions.list(bot)).map((one) => one.object));
  for (const object of await tellingObjects(store, bot)) subscribed.add(object);
  let scans = (await Promise.all([...objects].map(openScan))).filter((scan) => scan !== undefined);
  let calls = 0;
  let hints = 0;
  const refused: GatehouseError[] = [];
  while (scans.length > 0) {
    const now_ = scans.slice(0, MOST_PER_CALL);
    const rest = scans.slice(MOST_PER_CALL);
    calls++;
    const answers = await org.composite(
      now_.map((scan, at) => ({ method: 'GET', id: `p${at}`, path: queryPath(soqlOf(scan), true) })),
    );
    const next: Scan[] = [];
    for (const [at, scan] of now_.entries()) {
      const answer = answers[at];
      if (!answer) continue;
      const refusal = refusalOf(scan, answer);
      if (refusal) {
        refused.push(refusal);
        continue;
      }
      const { records, next: isCut } = toPage(answer);
      const last = records.at(-1);
      const isMore = last !== undefined && (records.length === PAGE || isCut !== undefined);
      const stamps = records.map((record) => toMs(String(record.SystemModstamp)));
      const highest = Math.max(toMs(scan.state.position?.highest ?? scan.state.watermark), ...stamps);
      const state: PollState = isMore
        ? {
            ...scan.state,
            position: {
              stamp: toIso(String(last.SystemModstamp)),
              id: String(last.Id),
              highest: new Date(highest).toISOString(),
            },
          }
        : {
            object: scan.state.object,
            position: null,
            polledAt: now(),
            watermark: new Date(
              Math.max(toMs(scan.state.watermark), Math.min(highest, org.clock() - settings.overlapMs)),
            ).toISOString(),
          };
      // Hints and the place of the page commit together, so a crash repeats both or neither.
      hints += await store.atomically(async (inside) => {
        const links = await inside.links.bySf(
          scope,
          records.map((record) => String(record.Id)),
        );
        const stampOf = new Map(records.map((record) => [String(record.Id), toIso(String(record.SystemModstamp))]));
        const stale = links.filter(
          (link) => link.state !== 'unlinked' && (stampOf.get(link.sfId ?? '') ?? '') > (link.seenStamp ?? ''),
        );
        // A link that is due for reading already needs no second hint.
        const fresh = stale.filter((link) => !(link.seenAt === 0 && link.dirty > link.done));
        await inside.links.touch(
          fresh.map((link) => link.id),
          FOUND_BY_POLL,
          true,
          now(),
        );
        if (subscribed.has(scan.state.object))
          await inside.inbox.add(
            records.map((record) => toEvent(scope, scan.state.object, record, now(), org.clock())),
          );
        await inside.polls.put(scope, state);
        return fresh.length;
      });
      await crash?.('polled-page');
      if (isMore) next.push({ ...scan, state });
    }
    scans = [...next, ...rest];
  }
  return { calls, hints, refused };

  /** One object that the org refuses must not keep the others from being looked at; what is about the whole org stops all. */
  function refusalOf({ state: { object } }: Scan, answer: CompositeAnswer): GatehouseError | undefined {
    if (answer.status < 300) return undefined;
    const { then, error } = org.refusal(answer);
    const failure = fromErrorBody({ error });
    if (then === 'wait' || then === 'retry' || isSystemic(failure)) throw failure;
    return new GatehouseError('salesforce_error', `Salesforce does not let ${object} be polled: ${failure.message}`, {
      next: 'Let the connected user see the object and its fields; outbound messages and pushes go on meanwhile.',
      salesforce: error.salesforce,
    });
  }

  async function openScan(object: string): Promise<Scan | undefined> {
    const describe = await org.describe(object).catch((error: unknown) => {
      // One that the org lacks must not keep the others from being looked at.
      if (error instanceof GatehouseError && error.code === 'not_found') return undefined;
      throw error;
    });
    if (!describe) return undefined;
    const extra = ['IsDeleted', 'MasterRecordId'].filter((name) => findField(describe, name));
    // A first poll looks at what changes from now on; what was there before is the business of a batch.
    const state = (await store.polls.get(scope, object)) ?? (await begun(object));
    return { state, select: ['Id', 'SystemModstamp', ...extra], overlapMs: settings.overlapMs };
  }

  async function begun(object: string): Promise<PollState> {
    await org.hearClock();
    return { object, watermark: new Date(org.clock()).toISOString(), position: null, polledAt: 0 };
  }
}

interface Scan {
  readonly state: PollState;
  readonly select: readonly string[];
  readonly overlapMs: number;
}

function soqlOf({ state: { object, watermark, position }, select, overlapMs }: Scan): string {
  const from = `SELECT ${select.join(', ')} FROM ${object}`;
  const where = position
    ? `(SystemModstamp > ${position.stamp} OR (SystemModstamp = ${position.stamp} AND Id > '${position.id}'))`
    : `SystemModstamp >= ${new Date(toMs(watermark) - overlapMs).toISOString()}`;
  return `${from} WHERE ${where} ORDER BY SystemModstamp, Id LIMIT ${PAGE}`;
}

function toEvent(
  scope: Scope,
  object: string,
  record: Readonly<Record<string, unknown>>,
  receivedAt: number,
  sfNow: number,
): InboxRow {
  const sfId = String(record.Id);
  const stamp = String(record.SystemModstamp);
  return {
    ...scope,
    object,
    sfId,
    kind: 'poll',
    receivedAt,
    // The overlap shows each record several times; its stamp makes that one event, and one more while its second lasts.
    eventId: `poll:${sfId}:${toIso(stamp)}${hidesFor(toMs(stamp), sfNow) > 0 ? ':early' : ''}`,
  };
}
