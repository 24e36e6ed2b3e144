import { LONGEST_WAIT_OF_FEW_MS } from '../../domain/backoff.ts';
import type { Due, Link, Scope } from '../../domain/link.ts';
import { KINDS, type Kind } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { requireWriting } from '../remote/policy-bounds.ts';
import { quietUntil } from '../remote/quiet-hours.ts';
import { mappingOf, newLink, ofTarget, openTarget, type Target } from '../remote/target.ts';
import { isSystemic } from '../remote/trouble.ts';
import { claimLinks, endOverdue } from './claims.ts';
import type { Engine, Passed } from './engine.ts';
import type { How } from './pass.ts';

/** Whether a person said yes to exactly this. */
interface Asked {
  readonly isApproved?: boolean;
}

/** Claims what is due and brings it into step; a case's unknown people first. */
export interface ClaimRunner {
  /** One window; how many claims it took. Zero means that nothing is due. */
  runClaims(
    bot: string,
    org: SyncOrg,
    kind: Kind,
    due: Due,
    how?: Partial<How> & Asked & { readonly limit?: number },
  ): Promise<Passed & { readonly claimed: number }>;
  /** Everything that is due, window after window. */
  /** `byHand`: what a person asked for alone, which goes in quiet hours too; all else stops where they begin. */
  runAllDue(bot: string, org: SyncOrg, how?: { readonly byHand?: boolean }): Promise<number>;
  /** Links for records that were written while no org was connected, or before the mapping named this object. */
  ensureLinks(bot: string, org: Pick<SyncOrg, 'orgId'>, kind: Kind): Promise<number>;
  /** The links of these records, made where missing. */
  linksOf(scope: Scope, kind: Kind, hosts: readonly HostRecord[], reason: string): Promise<readonly Link[]>;
  /** Links the people of cases that have none yet. */
  completeParties(target: Target, hosts: readonly HostRecord[], isApproved?: boolean): Promise<number>;
  /** Whether nobody holds the links of these records; a hold that is overdue ends by the look. */
  areFree(target: Target, localIds: readonly string[]): Promise<boolean>;
  /** Makes cases due again for the role of people whom another process is creating, or who wait for their next try. */
  awaitPeople(target: Target, cases: readonly Link[], hosts: readonly HostRecord[]): Promise<void>;
}

/** Another process creates a person within seconds. */
const PEOPLE_WAIT_MS = 10_000;

export function createClaimRunner(deps: SyncDeps, engine: Engine): ClaimRunner {
  const { store, now, newId, policyOf } = deps;

  async function linksOf(
    scope: Scope,
    kind: Kind,
    hosts: readonly HostRecord[],
    reason: string,
  ): Promise<readonly Link[]> {
    const mapping = await mappingOf(store, scope.bot, kind);
    const ids = hosts.map((host) => host.id);
    const there = await store.links.byLocal(scope, mapping.object, ids);
    const known = new Set(there.map((link) => link.localId));
    const missing = hosts.filter((host) => !known.has(host.id) && host.deletedAt === null);
    if (missing.length === 0) return there;
    await store.links.ensure(missing.map((host) => newLink(scope, mapping, host, newId(), reason, now())));
    return store.links.byLocal(scope, mapping.object, ids);
  }

  async function completeParties(target: Target, hosts: readonly HostRecord[], isApproved = false): Promise<number> {
    const { scope, org } = target;
    const ids = [...new Set(hosts.flatMap((host) => host.parties.map(({ party }) => party)))];
    if (ids.length === 0) return 0;
    const { refusal, held } = await openTarget(deps, scope.bot, org, 'party');
    if (refusal || (held && !isApproved)) return 0;
    const people = await store.hosts.get(scope.bot, 'party', ids);
    const open = (await linksOf(scope, 'party', people, 'needed by a case')).filter((link) => link.state === 'new');
    if (open.length === 0) return 0;
    const passed = await runClaims(
      scope.bot,
      org,
      'party',
      { due: 'ids', ids: open.map((link) => link.id) },
      { limit: open.length, isApproved },
    );
    return passed.calls;
  }

  async function awaitPeople(target: Target, cases: readonly Link[], hosts: readonly HostRecord[]): Promise<void> {
    const { scope, org } = target;
    const parties = new Map(hosts.map((host) => [host.id, host.parties.map(({ party }) => party)]));
    const ids = [...new Set([...parties.values()].flat())];
    if (ids.length === 0) return;
    const { object, refusal, held } = await openTarget(deps, scope.bot, org, 'party');
    if (refusal ?? held) return;
    const open = new Map(
      (await store.links.byLocal(scope, object, ids))
        .filter((link) => link.sfId === null && link.state === 'new' && link.dirty > link.done)
        .map((link) => [
          link.localId,
          Math.min(Math.max(now() + PEOPLE_WAIT_MS, link.nextAt), now() + LONGEST_WAIT_OF_FEW_MS),
        ]),
    );
    for (const { id, localId } of open.size > 0 ? cases : []) {
      const times = (parties.get(localId) ?? []).flatMap((party) => open.get(party) ?? []);
      if (times.length > 0) await store.links.touch([id], 'waits for a person of it', false, Math.min(...times));
    }
  }

  async function runClaims(
    bot: string,
    org: SyncOrg,
    kind: Kind,
    due: Due,
    how: Partial<How> & Asked & { readonly limit?: number } = {},
  ) {
    requireWriting(bot, await policyOf(bot));
    const target = await openTarget(deps, bot, org, kind);
    const { isApproved = false } = how;
    const closed = target.refusal ?? (isApproved ? undefined : target.held);
    if (closed) throw closed;
    const claims = await claimLinks(deps, ofTarget(target), due, {
      leaseMs: engine.settings.leaseMs,
      limit: how.limit ?? engine.settings.window,
    });
    if (claims.length === 0) return { claimed: 0, calls: 0, results: new Map() };
    const localIds = claims.map((link) => link.localId);
    const cases = target.hasRoles ? await store.hosts.get(bot, kind, localIds) : [];
    let partyCalls = 0;
    try {
      // Approving a list of cases approves none of their people: those are on a list of their own.
      partyCalls = await completeParties(target, cases, isApproved && how.mayWrite === undefined);
    } catch (error) {
      // The people keep their error; the case goes on without them, and their roles follow.
      if (isSystemic(error)) {
        await store.links.release(claims);
        throw error;
      }
    }
    const mode = how.mode ?? (claims.length === 1 ? 'one' : 'many');
    const passed = await engine.run(target, claims, {
      mode,
      mustRead: how.mustRead ?? false,
      mayWrite: how.mayWrite,
      isTrial: how.isTrial,
      isStopped: how.isStopped,
      bulk: how.bulk,
    });
    await awaitPeople(target, claims, cases);
    return { results: passed.results, calls: passed.calls + partyCalls, claimed: claims.length };
  }

  return {
    runClaims,
    linksOf,
    completeParties,
    awaitPeople,

    async areFree(target, localIds) {
      await endOverdue(deps, ofTarget(target), engine.settings.leaseMs);
      const links = await store.links.byLocal(target.scope, target.object, localIds);
      return links.every(({ leaseUntil }) => leaseUntil === 0);
    },

    async runAllDue(bot, org, { byHand = false } = {}) {
      let total = 0;
      const refused: unknown[] = [];
      const isQuiet = async () => !byHand && (await quietUntil(deps, bot)) !== undefined;
      for (const kind of KINDS) {
        // What policy closes waits in the outbox until it is open.
        const { refusal, held } = await openTarget(deps, bot, org, kind);
        if (refusal ?? held) continue;
        try {
          for (
            let claimed = Number.POSITIVE_INFINITY;
            claimed >= engine.settings.window && !(await isQuiet());
            total += claimed
          )
            ({ claimed } = await runClaims(bot, org, kind, { due: 'dirty', byHand }, { isStopped: isQuiet }));
        } catch (error) {
          // An error of one kind must not keep the other one waiting.
          if (isSystemic(error)) throw error;
          refused.push(error);
        }
      }
      if (refused.length > 0) throw refused[0];
      return total;
    },

    async ensureLinks(bot, { orgId }, kind) {
      const scope = { bot, orgId };
      const mapping = await mappingOf(store, bot, kind);
      let added = 0;
      for (let after = ''; ; ) {
        const hosts = await store.hosts.unlinked(scope, kind, mapping.object, after, 1_000);
        const last = hosts.at(-1);
        if (!last) return added;
        await store.links.ensure(hosts.map((host) => newLink(scope, mapping, host, newId(), 'first sync', now())));
        added += hosts.length;
        after = last.id;
      }
    },
  };
}
