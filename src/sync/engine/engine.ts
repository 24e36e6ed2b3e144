import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { postponed } from '../../domain/link-transitions.ts';
import { DEFAULT_SETTINGS, type HostRecord, type SyncDeps, type SyncSettings } from '../../ports/sync-store.ts';
import { createLogIds } from '../host/log-ids.ts';
import { pretendedParents } from '../merge/found-parents.ts';
import { isKnown } from '../merge/freshness.ts';
import type { Plan } from '../merge/plan.ts';
import { ROLES_KEY, type Role, rolesText, wantedRoles } from '../merge/roles.ts';
import { PARTS_PER_CALL, type RowOutcome, toParts } from '../remote/collection-write.ts';
import { createFieldHistory } from '../remote/field-history.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import { openTarget, type Target } from '../remote/target.ts';
import { isSystemic, troubleOf } from '../remote/trouble.ts';
import { acknowledge, type Outcome } from './acknowledge.ts';
import { batchFailedIn, countFailed, type MayWrite, type PendingWrite } from './change-set.ts';
import { logRowOf, type ToLogRow } from './log-row.ts';
import { completeParents, parentsToFind } from './parents.ts';
import { type Finding, readRemote } from './read.ts';
import { type RoleTask, writeRoles } from './role-pass.ts';
import { lookAgain, timesOf } from './same-second.ts';
import { createSender } from './send.ts';
import { mergeChunk } from './settle.ts';

/** What became of one claim. */
export interface Result {
  readonly link: Link;
  readonly operation: 'create' | 'update' | 'delete' | 'none';
  readonly pushed: Plan['pushed'];
  readonly pulled: Plan['pulled'];
  readonly roles: readonly Role[];
  readonly error: Link['error'];
  /** The record itself is in step; the error speaks of single fields that do not follow. */
  readonly isPartial: boolean;
}

export interface How {
  /** `one`: a single record, written conditionally. `many`: packed, up to 1,000 writes a call. */
  readonly mode: 'one' | 'many';
  /** Look at Salesforce even where we know its state. */
  readonly mustRead: boolean;
  /** Asked between chunks: true leaves the rest for later. */
  readonly isStopped?: (() => Promise<boolean>) | undefined;
  /** Asked under lock before anything of a record is decided that would write to Salesforce. */
  readonly mayWrite?: MayWrite | undefined;
  /** Nothing is made for it beforehand either: no account. */
  readonly isTrial?: boolean | undefined;
}

export interface Passed {
  readonly results: ReadonlyMap<string, Result>;
  readonly calls: number;
}

const CHUNK = 200;
const MOST_ROUNDS = 4;
/** Enough to find one record among ten thousand, and no storm. */
const MOST_SPLITS = 24;
/** Creates of a round that are repeated one by one, a call each. */
const MOST_SINGLY = 25;

/**
 * One pass over claimed links: read Salesforce first, then merge in one local transaction, then write, then acknowledge.
 * A pass may die anywhere: what it sent is written down before, and the next pass knows it again.
 */
export function createEngine(deps: SyncDeps) {
  const { store, now } = deps;
  const settings: SyncSettings = { ...DEFAULT_SETTINGS, ...deps.settings };
  const history = createFieldHistory(now);
  /** Rows per collection request, by org: halved when its triggers choke, grown again while they do not. */
  const chunks = new Map<string, number>();
  const logId = createLogIds(now, deps.newId);

  async function run(
    target: Target,
    claims: readonly Link[],
    how: How,
    splits = { left: MOST_SPLITS },
  ): Promise<Passed> {
    const pass = createPass(target, how);
    const passed = (more: readonly Passed[] = []): Passed => ({
      results: new Map([...pass.results, ...more.flatMap(({ results }) => [...results])]),
      calls: more.reduce((sum, { calls }) => sum + calls, pass.calls.total),
    });
    try {
      let open = claims;
      for (let round = 0; open.length > 0 && round < MOST_ROUNDS; round++)
        open = await pass.round(open, how.mustRead || round > 0);
      await pass.giveUp(open);
      return passed();
    } catch (error) {
      if (isSystemic(error)) {
        // Nothing is lost: the claims are free again, and what was sent is written down.
        await store.links.release(claims);
        throw error;
      }
      // Nobody foresaw it: smaller passes find the record that is why, and the others go on.
      const open = claims.filter(({ id }) => !pass.results.has(id));
      if (open.length < 2 || splits.left === 0) {
        await pass.postpone(open, troubleOf('The record could not be worked on', error));
        return passed();
      }
      splits.left--;
      const half = Math.ceil(open.length / 2);
      const first = await run(target, open.slice(0, half), how, splits);
      return passed([first, await run(target, open.slice(half), how, splits)]);
    }
  }

  function createPass(target: Target, { mode, isStopped, mayWrite, isTrial }: How) {
    const { scope, org } = target;
    const results = new Map<string, Result>();
    const calls = { total: 0, unlogged: 0 };
    const onCall = () => {
      calls.total++;
      calls.unlogged++;
    };
    /** The first row that is logged after a call carries it: the log's calls add up to the calls made. */
    const logRow: ToLogRow = (link, note) => {
      const made = logRowOf(link, note, { id: logId(), at: now(), calls: calls.unlogged });
      calls.unlogged = 0;
      return made;
    };
    const { writeAlone, sendLess, toRowWrite } = createSender(deps, target, onCall);
    const roleWork = new Map<string, RoleTask>();

    async function round(claims: readonly Link[], mustRead: boolean): Promise<readonly Link[]> {
      await deps.crash?.('claimed');
      if (await isStopped?.()) {
        await store.links.release(claims);
        return [];
      }
      const hosts = await hostsOf(target, claims);
      const contacts = target.hasRoles ? await contactsOf(target, hosts) : new Map<string, string>();
      const wantedOf = (host: HostRecord) => wantedRoles(target, host.parties, contacts);
      const hasMore = (host: HostRecord, link: Link) =>
        target.hasRoles && rolesText(wantedOf(host)) !== (link.base[ROLES_KEY] ?? '');
      const reads = claims.filter(
        (link) =>
          mustRead ||
          !isKnown(target, link, hosts.get(link.localId), { mode, freshMs: settings.freshMs, now: now(), hasMore }),
      );
      const { asked, chosen } = await parentsToFind(deps, target, claims, hosts);
      const findings = await readRemote(target, reads, hosts, asked, onCall);
      await deps.crash?.('read');
      const parents = isTrial
        ? pretendedParents(findings.parents, chosen)
        : await completeParents(deps, target, findings.parents, chosen, onCall);
      const seen = { target, hosts, parents, onCall };
      const byLink = mode === 'one' ? await lookAgain(deps, seen, reads, findings.byLink) : findings.byLink;
      const fieldTimes = await timesOf(history, seen, claims, byLink);

      const again: Link[] = [];
      let renewedAt = now();
      let waiting: PendingWrite[] = [];
      let askedSingly = 0;
      for (let first = 0; first < claims.length; first += CHUNK) {
        const some = claims.slice(first, first + CHUNK);
        if (await isStopped?.()) {
          // What was merged and not sent yet is not sent: its intents are written down, and the next pass looks first.
          await store.links.release([...claims.slice(first), ...waiting.map(({ link }) => link), ...openRoles()]);
          waiting = [];
          roleWork.clear();
          break;
        }
        // Renewing is for passes that take long: the rest of a window costs as much to renew as to sync.
        if (now() - renewedAt > settings.leaseMs / 3) {
          await store.links.renew(claims.slice(first), now() + settings.leaseMs);
          renewedAt = now();
        }
        const merged = await eachAlone(some, (claims) =>
          mergeChunk(store, {
            target,
            claims,
            findings: byLink,
            parents,
            fieldTimes,
            now: now(),
            sfNow: org.clock(),
            hasMore,
            mayWrite,
            logRow,
          }),
        );
        await deps.crash?.('merged');
        for (const { link, plan, error, host } of merged.flatMap(({ settled }) => settled)) {
          note({
            link,
            operation: 'none',
            pushed: [],
            pulled: plan?.pulled ?? [],
            roles: [],
            error,
            isPartial: link.sfId !== null && (plan?.problems.length ?? 0) > 0,
          });
          if (host && plan && hasMore(host, link) && link.sfId !== null)
            queueRoles(link, link.dirty, wantedOf(host), rowOf(byLink, link));
        }
        const [single, packed] = split(
          merged.flatMap(({ writes }) => writes),
          (write) => mode === 'one' || write.plan.isContested,
        );
        for (const write of single) again.push(...(await finish([await writeAlone(write)])));
        waiting = [...waiting, ...packed];
        waiting = await flush(waiting, again, false);
      }
      await flush(waiting, again, true);
      await finishRoles();
      return again;

      function queueRoles(link: Link, dirty: number, wanted: readonly Role[], row: RemoteRow | undefined): void {
        roleWork.set(link.id, { link, dirty, wanted, row });
      }

      /** Sends five full parts at a time; at the end, all that is left. */
      async function flush(writes: PendingWrite[], into: Link[], isLast: boolean): Promise<PendingWrite[]> {
        const chunk = chunks.get(scope.orgId) ?? CHUNK;
        const parts = toParts(writes.map(toRowWrite), chunk);
        const ready = isLast ? parts : parts.filter((part) => part.length === chunk);
        const groups =
          Math.floor(ready.length / PARTS_PER_CALL) + (isLast && ready.length % PARTS_PER_CALL > 0 ? 1 : 0);
        const sent = ready.slice(0, groups * PARTS_PER_CALL);
        for (let first = 0; first < sent.length; first += PARTS_PER_CALL) {
          const group = sent.slice(first, first + PARTS_PER_CALL);
          const outcomes = await sendLess(group);
          await deps.crash?.('chunk-sent');
          const unnamed = new Set(
            outcomes
              .filter(isUnnamed)
              .slice(0, Math.max(0, MOST_SINGLY - askedSingly))
              .map(({ item }) => item),
          );
          const rows = outcomes.flatMap(({ item: write, id, isCreated, failure }) => {
            if (unnamed.has(write)) return [];
            const outcome: Outcome = failure ? { kind: 'failed', failure } : { kind: 'written', id, isCreated };
            return [{ write, outcome }];
          });
          for (let from = 0; from < rows.length; from += CHUNK) {
            into.push(...(await finish(rows.slice(from, from + CHUNK))));
            await deps.crash?.('chunk-acknowledged');
          }
          for (const write of unnamed) {
            askedSingly++;
            into.push(...(await finish([await writeAlone(write)])));
          }
        }
        const gone = new Set(sent.flat().map((row) => row.item));
        return writes.filter((write) => !gone.has(write));
      }

      async function finish(
        outcomes: readonly { write: PendingWrite; outcome: Outcome | 'changed' }[],
      ): Promise<Link[]> {
        const moved = outcomes.flatMap(({ write, outcome }) => (outcome === 'changed' ? [write.link] : []));
        const answered = outcomes.flatMap(({ write, outcome }) => (outcome === 'changed' ? [] : [{ write, outcome }]));
        const acknowledged = (
          await eachAlone(
            answered.map(({ write }) => write.link),
            (links) => {
              const ids = new Set(links.map(({ id }) => id));
              const outcomes = answered.filter(({ write }) => ids.has(write.link.id));
              return acknowledge(store, { target, outcomes, now: now(), hasMore, logRow });
            },
          )
        ).flat();
        if (mode === 'one') await deps.crash?.('acknowledged');
        adapt(
          scope.orgId,
          acknowledged.some((one) => one.isOverload),
        );
        const back = [...moved];
        const outcomeOf = new Map(answered.map(({ write, outcome }) => [write.link.id, outcome]));
        acknowledged.forEach(({ write, link, error, isAgain }) => {
          const outcome = outcomeOf.get(write.link.id);
          if (isAgain && link) back.push(link);
          const isWritten = outcome?.kind === 'written';
          const operation = !isWritten
            ? 'none'
            : write.kind === 'delete'
              ? 'delete'
              : outcome.isCreated
                ? 'create'
                : 'update';
          if (!isAgain)
            note({
              link: link ?? write.link,
              operation,
              pushed: isWritten ? write.plan.pushed : [],
              pulled: write.plan.pulled,
              roles: [],
              error,
              isPartial: isWritten && write.plan.problems.length > 0,
            });
          if (isWritten && link && hasMore(write.host, link))
            queueRoles(link, write.dirty, wantedOf(write.host), rowOf(byLink, link));
        });
        return back;
      }
    }

    const openRoles = () => [...roleWork.values()].map(({ link }) => link);

    async function finishRoles(): Promise<void> {
      if (roleWork.size === 0) return;
      const work = [...roleWork.values()];
      roleWork.clear();
      for (const done of await writeRoles(deps, target, work, onCall, logRow)) {
        const known = results.get(done.link.id);
        if (!known) continue;
        const operation = known.operation === 'none' && done.isWritten ? 'update' : known.operation;
        results.set(done.link.id, {
          ...known,
          operation,
          roles: done.wanted,
          ...(done.error ? { error: done.error, isPartial: false } : {}),
        });
      }
    }

    /**
     * Work of one transaction on many records. Where it fails for a reason that nobody foresaw, each is tried alone, and the one
     * that fails alone waits with its reason: one record never stops the others.
     */
    async function eachAlone<T>(
      links: readonly Link[],
      work: (some: readonly Link[]) => Promise<T>,
    ): Promise<readonly T[]> {
      try {
        return [await work(links)];
      } catch (thrown) {
        if (isSystemic(thrown) || links.length === 0) throw thrown;
        if (links.length > 1) {
          const done: T[] = [];
          for (const link of links) done.push(...(await eachAlone([link], work)));
          return done;
        }
        await postpone(links, troubleOf('The record could not be worked on', thrown));
        return [];
      }
    }

    /** Somebody edits faster than we read: later. */
    async function giveUp(open: readonly Link[]): Promise<void> {
      if (open.length === 0) return;
      const error = toErrorBody(
        new GatehouseError('conflict', 'The record kept changing while it was synced.', {
          next: 'Nothing to do: it is tried again in a moment.',
          retryable: true,
        }),
      ).error;
      await postpone(open, error);
    }

    async function postpone(links: readonly Link[], error: NonNullable<Link['error']>): Promise<void> {
      await store.atomically(async (inside) => {
        const standing = await inside.links.lock(links);
        const after = standing.map((link) => postponed(link, error, now()));
        await inside.links.save(after);
        await countFailed(
          inside,
          standing.flatMap((link, at) => batchFailedIn(link, after[at] ?? link)),
        );
        const news = standing.filter((link) => link.error?.message !== error.message);
        await inside.log.add(
          news.map((link) => logRow(link, { operation: 'none', direction: 'to_crm', status: 'pending', error })),
        );
      });
      for (const link of links)
        note({ link, operation: 'none', pushed: [], pulled: [], roles: [], error, isPartial: false });
    }

    function note(result: Result): void {
      const before = results.get(result.link.id);
      // An earlier round may have pulled.
      results.set(result.link.id, before ? { ...result, pulled: [...before.pulled, ...result.pulled] } : result);
    }

    return { round, giveUp, postpone, results, calls };
  }

  function adapt(orgId: string, isOverload: boolean): void {
    const chunk = chunks.get(orgId) ?? CHUNK;
    if (isOverload) chunks.set(orgId, Math.max(50, Math.floor(chunk / 2)));
    else if (chunk < CHUNK) chunks.set(orgId, Math.min(CHUNK, chunk + 10));
  }

  async function hostsOf({ scope, kind }: Target, claims: readonly Link[]): Promise<ReadonlyMap<string, HostRecord>> {
    return new Map(
      (
        await store.hosts.get(
          scope.bot,
          kind,
          claims.map((link) => link.localId),
        )
      ).map((host) => [host.id, host]),
    );
  }

  async function contactsOf(
    { scope, org }: Target,
    hosts: ReadonlyMap<string, HostRecord>,
  ): Promise<ReadonlyMap<string, string>> {
    const parties = [...new Set([...hosts.values()].flatMap((host) => host.parties.map(({ party }) => party)))];
    if (parties.length === 0) return new Map();
    const { object } = await openTarget(deps, scope.bot, org, 'party');
    if (object !== 'Contact') return new Map();
    const links = await store.links.byLocal(scope, object, parties);
    return new Map(
      links.flatMap((link) =>
        link.sfId !== null && link.state === 'active' ? [[link.localId, link.sfId] as const] : [],
      ),
    );
  }

  return { run, settings, logId, contactsOf };
}

export type Engine = ReturnType<typeof createEngine>;

function rowOf(found: ReadonlyMap<string, Finding>, { id, sfId }: Link): RemoteRow | undefined {
  const finding = found.get(id);
  if (finding?.kind === 'row') return finding.row;
  return finding?.kind === 'matches' ? finding.rows.find((row) => row.id === sfId) : undefined;
}

/** A duplicate rule names the look-alikes only to who creates one record by itself: asked, so that people can choose. */
const isUnnamed = ({ item, failure }: RowOutcome<PendingWrite>): boolean =>
  item.kind === 'create' && failure?.then === 'match' && failure.error.candidates === undefined;

function split<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
