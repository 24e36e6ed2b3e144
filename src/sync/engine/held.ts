import type { Change, HeldPushed, HeldRecord, HeldSync } from '../../domain/action.ts';
import { digestOf } from '../../domain/canonical-json.ts';
import { GatehouseError, StillUnderWay } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { Kind } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { touchCasesOf } from '../host/case-people.ts';
import { NEW } from '../merge/found-parents.ts';
import { ROLES_KEY } from '../merge/roles.ts';
import { requireWriting } from '../remote/policy-bounds.ts';
import { ofTarget, openTarget, type Target } from '../remote/target.ts';
import type { WouldWrite } from './change-set.ts';
import { toChanges } from './changes.ts';
import type { ClaimRunner } from './claim-runner.ts';
import { contactsOf } from './contacts.ts';
import type { Result } from './pass.ts';

/** Records on one list; the rest waits for the next. */
export const MOST_HELD = 1_000;
/** Looks at what waits, each as long as the last one was full. */
const MOST_LOOKS = 5;
const WAIT_MS = 100;
const MOST_WAITS = 50;

/**
 * The lists that a person approves where policy holds a kind. A list is made by a pass of the ordinary engine that is stopped at
 * each record that would write, and run by one that goes on at exactly the listed writes: nothing plans or writes beside it.
 */
export function createHeldSync(
  deps: SyncDeps,
  runner: ClaimRunner,
  { bot, org, mayWrite }: { readonly bot: string; readonly org: SyncOrg; readonly mayWrite: boolean },
): HeldSync {
  const { store, now } = deps;

  /** What these would write now; one that is left out is in step, or has an error of its own. */
  async function plan(target: Target, ids: readonly string[]): Promise<ReadonlyMap<string, HeldRecord>> {
    const planned = new Map<string, HeldRecord>();
    const bases = new Map<string, WouldWrite['link']['base']>();
    const stop = (write: WouldWrite) => {
      planned.set(write.link.id, toRecord(target, write));
      bases.set(write.link.id, write.link.base);
      return false;
    };
    await pass(target, ids, { mayWrite: stop, isTrial: true, mode: 'many' });
    if (!target.hasRoles) return planned;
    const cases = [...planned.values()].map(({ id }) => id);
    const hosts = new Map((await store.hosts.get(bot, target.kind, cases)).map((host) => [host.id, host]));
    const names = await namesOf([...hosts.values()]);
    const contacts = await contactsOf(deps, target, hosts);
    return new Map(
      [...planned].map(([link, record]) => {
        const roles = rolesOf(target, hosts.get(record.id), { names, contacts, base: bases.get(link) ?? {} });
        return [link, { ...record, changes: [...record.changes, ...roles] }];
      }),
    );
  }

  async function pass(target: Target, ids: readonly string[], how: Parameters<ClaimRunner['runClaims']>[4]) {
    if (ids.length === 0) return new Map<string, never>();
    const due = { due: 'ids', ids } as const;
    const { results } = await runner.runClaims(bot, org, target.kind, due, {
      mustRead: true,
      isApproved: true,
      limit: ids.length,
      ...how,
    });
    return results;
  }

  async function namesOf(cases: readonly HostRecord[]): Promise<ReadonlyMap<string, string>> {
    const ids = [...new Set(cases.flatMap(({ parties }) => parties.map(({ party }) => party)))];
    const people = await store.hosts.get(bot, 'party', ids);
    const { compiled } = await openTarget(deps, bot, org, 'party');
    const rule = compiled.rules.find(({ remote }) => remote.includes('LastName'));
    return new Map(people.map((person) => [person.id, String(rule?.fromHost(person) ?? person.id)]));
  }

  /** Less those that a person refused in exactly this form, even if they were touched since. */
  async function notRefused(records: readonly HeldRecord[]): Promise<readonly HeldRecord[]> {
    const refused = new Map(
      (
        await store.asked.refused(
          bot,
          records.map(({ link }) => link),
        )
      ).map((one) => [one.link, one]),
    );
    const again = records.filter(({ link, digest }) => refused.get(link)?.digest === digest);
    await store.asked.put(
      bot,
      again.map(({ link, dirty, digest }) => ({
        ...{ link, dirty, digest },
        proposal: refused.get(link)?.proposal ?? null,
      })),
    );
    return records.filter((record) => !again.includes(record));
  }

  return {
    async planHeld(kind, isDenied) {
      const target = await openTarget(deps, bot, org, kind);
      if (target.refusal) throw target.refusal;
      const listed = new Map<string, HeldRecord>();
      for (let look = 0; look < MOST_LOOKS && listed.size < MOST_HELD; look++) {
        const due = await store.asked.due(ofTarget(target), now(), MOST_HELD);
        const fresh = due.filter((id) => !listed.has(id));
        if (fresh.length === 0) break;
        const open = await notRefused([...(await plan(target, fresh)).values()]);
        const denied = open.filter(isDenied);
        await store.asked.put(
          bot,
          denied.map(({ link, dirty, digest }) => ({ link, dirty, digest, proposal: null })),
        );
        for (const record of open) if (!denied.includes(record)) listed.set(record.link, record);
        if (due.length < MOST_HELD) break;
      }
      const list = [...listed.values()].slice(0, MOST_HELD);
      return list.sort((a, b) => (a.id < b.id ? -1 : 1));
    },

    noteHeld: (records, proposal) =>
      store.asked.put(
        bot,
        records.map(({ link, dirty, digest }) => ({ link, dirty, digest, proposal })),
      ),

    async pushHeld(kind, records) {
      if (!mayWrite)
        throw new GatehouseError('internal', 'Something tried to sync without an approved list; nothing was sent.', {
          next: 'This is a bug of the caller.',
        });
      const target = await openAsApproved(kind);
      await waitUntilFree(target, records);
      // Planned again first: `pass` creates the accounts of all it is given, so it is given only what is still as it was approved.
      const planned = await plan(
        target,
        records.map(({ link }) => link),
      );
      const same = records.filter(({ link, digest }) => planned.get(link)?.digest === digest);
      const digests = new Map(same.map(({ link, digest }) => [link, digest]));
      const results = await pass(target, [...digests.keys()], {
        mayWrite: (write) => toRecord(target, write).digest === digests.get(write.link.id),
      });
      const links = new Map(
        (
          await store.links.byLocal(
            target.scope,
            target.object,
            records.map(({ id }) => id),
          )
        ).map((link) => [link.id, link]),
      );
      if (kind === 'party') await touchCases(records);
      const ends = new Map<HeldRecord, End>();
      for (const record of records) {
        const result = results.get(record.link);
        const link = links.get(record.link);
        const error = result?.error ?? link?.error;
        if (error && !result?.isPartial && (result?.error || !planned.has(record.link)))
          ends.set(record, { message: error.message });
        else if (result)
          ends.set(record, isWrite(result) || (await wasWritten(kind, record, link)) ? 'sent' : 'linked');
        // Nothing left to write: an earlier run of this list wrote it, or somebody else made it so.
        else if (link !== undefined && link.done >= record.dirty && !planned.has(record.link))
          ends.set(record, (await wasWritten(kind, record, link)) ? 'sent' : 'linked');
        else ends.set(record, 'leftOut');
      }
      return sum(ends);
    },
  };

  /** By the log, which has what an earlier run of the list did. */
  async function wasWritten(kind: Kind, { id, operation }: HeldRecord, link: Link | undefined): Promise<boolean> {
    if (!link) return false;
    const { object, sfId } = link;
    const wanted = { localId: id, kind, object, operation, direction: 'to_crm', status: 'success', limit: 1 } as const;
    const [row] = await store.log.find(bot, wanted);
    return row !== undefined && row.sfId === sfId;
  }

  /**
   * Waits up to five seconds for whoever holds these links: it may be making the next list. Held for longer, its holder may be
   * dead, and what it sent unknown until its hold is overdue: the approval is kept, and runs again then.
   */
  async function waitUntilFree(target: Target, records: readonly HeldRecord[]): Promise<void> {
    const ids = records.map(({ id }) => id);
    for (let tries = 0; tries < MOST_WAITS; tries++) {
      if (await runner.areFree(target, ids)) return;
      await deps.wait(WAIT_MS);
    }
    throw new StillUnderWay(
      'Another process holds records of this list, and it is not known yet what it sent of them.',
      {
        next: 'Nothing to do: what was approved is written once, as soon as they are free. Look again in two minutes.',
        retryAfterMs: 120_000,
      },
    );
  }

  /** Cases of people who were just created are due again for the role, also those that were approved before them. */
  async function touchCases(records: readonly HeldRecord[]): Promise<void> {
    const made = records.filter(({ operation }) => operation === 'create').map(({ id }) => id);
    const scope = { bot, orgId: org.orgId };
    await store.atomically((inside) => touchCasesOf(inside, scope, made, now()));
  }

  /** Throws where policy was closed since the approval. */
  async function openAsApproved(kind: Kind): Promise<Target> {
    try {
      requireWriting(bot, await deps.policyOf(bot));
      const target = await openTarget(deps, bot, org, kind);
      if (target.refusal) throw target.refusal;
      return target;
    } catch (error) {
      if (!(error instanceof GatehouseError) || !['off', 'permission_denied', 'not_found'].includes(error.code))
        throw error;
      throw new GatehouseError('conflict', `Nothing was written: ${error.message}`, { next: error.next });
    }
  }
}

/** How a record of a list ended. */
type End = 'sent' | 'linked' | 'leftOut' | { readonly message: string };

const isWrite = ({ operation, roles }: Result): boolean => operation !== 'none' || roles.length > 0;

function sum(ends: ReadonlyMap<HeldRecord, End>): HeldPushed {
  const count = (which: End) => [...ends.values()].filter((end) => end === which).length;
  const linked = count('linked');
  return {
    sent: count('sent'),
    ...(linked > 0 ? { linked } : {}),
    leftOut: [...ends].flatMap(([{ id }, end]) => (end === 'leftOut' ? [id] : [])),
    failed: [...ends].flatMap(([{ id }, end]) => (typeof end === 'object' ? [{ id, message: end.message }] : [])),
  };
}

export function toRecord(target: Target, { link, host, plan, kind, row }: WouldWrite): HeldRecord {
  const isDelete = kind === 'delete';
  const roles = target.hasRoles && !isDelete ? rolesAsked(target, host) : [];
  const makes = target.compiled.rules.flatMap(({ key, parent }) =>
    parent && plan.send[parent.idField] === NEW
      ? [{ object: parent.objects[0] ?? '', name: String(plan.sent[key]?.value) }]
      : [],
  );
  const { problems, waitsFor } = plan;
  const warnings = [...problems, ...waitsFor].map(({ message }) => message);
  return {
    id: host.id,
    link: link.id,
    dirty: link.dirty,
    digest: digestOf([kind, target.object, link.sfId, isDelete ? null : plan.sent, roles]),
    operation: kind,
    object: target.object,
    recordId: link.sfId,
    changes: isDelete ? [] : toChanges(target, { pushed: plan.pushed, pulled: plan.pulled, makes }, row?.record),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

/** By the host's ids: the digest must not change when one of these people gets a contact meanwhile. */
function rolesAsked({ compiled }: Target, { parties }: HostRecord): readonly string[] {
  return parties.map(({ party, role }) => `${party}=${compiled.mapping.roles[role] ?? role}`).sort();
}

/** Roles to be added or changed, and those to be removed. */
function rolesOf(
  { compiled }: Target,
  host: HostRecord | undefined,
  about: {
    readonly names: ReadonlyMap<string, string>;
    readonly contacts: ReadonlyMap<string, string>;
    readonly base: WouldWrite['link']['base'];
  },
): readonly Change[] {
  const { names, contacts, base } = about;
  const agreed = new Set(
    String(base[ROLES_KEY] ?? '')
      .split('\n')
      .filter(Boolean),
  );
  const role = { field: 'OpportunityContactRole', label: 'Contact role' };
  const wanted = (host?.parties ?? []).map(({ party, role }) => {
    const called = compiled.mapping.roles[role] ?? role;
    return { line: `${contacts.get(party)}=${called}`, shown: `${names.get(party) ?? party} (${called})` };
  });
  const lines = new Set(wanted.map(({ line }) => line));
  return [
    ...wanted.filter(({ line }) => !agreed.has(line)).map(({ shown }) => ({ ...role, before: null, after: shown })),
    ...[...agreed].filter((line) => !lines.has(line)).map((line) => ({ ...role, before: line, after: null })),
  ];
}
