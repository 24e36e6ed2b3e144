import type { FieldValue } from '../../domain/action.ts';
import { GatehouseError, StillUnderWay } from '../../domain/errors.ts';
import { EXTERNAL_ID } from '../../domain/external-id.ts';
import { BY_HAND, type Link, problemKind, type Scope } from '../../domain/link.ts';
import { freed, linkedByHand, unlinked } from '../../domain/link-transitions.ts';
import type { LogChange } from '../../domain/log-change.ts';
import { KINDS, type Kind } from '../../domain/mapping.ts';
import { foldedName, plainName } from '../../domain/stored-value/text.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { LogRow } from '../../ports/sync-store.ts';
import { LONGEST_FLIGHT_MS } from '../engine/change-set.ts';
import type { ClaimRunner } from '../engine/claim-runner.ts';
import { claimLinks } from '../engine/claims.ts';
import type { Engine } from '../engine/engine.ts';
import { type LogNote, logRowOf } from '../engine/log-row.ts';
import { touchCasesOf } from '../host/case-people.ts';
import type { Hosts } from '../host/hosts.ts';
import { idOf } from '../host/record-id.ts';
import { splitName } from '../mapping/names.ts';
import { lookUp } from '../remote/look-up.ts';
import { openedBy, requireWriting } from '../remote/policy-bounds.ts';
import { toRow } from '../remote/soql-read.ts';
import { externalKey, keyFieldOf, mappingOf, openTarget } from '../remote/target.ts';

/** Who did it, where it was the host app: its key, and whom it says it acts for. */
export interface By {
  readonly principal: string;
  readonly user: string;
}

export interface LinkHow {
  readonly by?: By | undefined;
  readonly insteadOf?: string | undefined;
}

const nameOf = (by: By | undefined): string =>
  by === undefined ? '' : ` by ${by.principal} for ${JSON.stringify(by.user)}`;

export type ParentChoice = { readonly recordId: string } | 'create' | 'leave out';

/** What an operator does by hand, and what a human decided about a conflict. */
export interface ManualLinks {
  /** `insteadOf`: whose record it was so far, and who is unlinked for it. */
  link(bot: string, org: SyncOrg, kind: Kind, localId: string, sfId: string, how?: LinkHow): Promise<Link>;
  /**
   * A parent (an account) for every person with this company name: one that is there, a new one, or none. A new one is judged like
   * any write of the sync, and made once: asked for again it is the one that is there. `permitted` is told before it is sent;
   * `StillUnderWay` where nobody knows whether it was made.
   */
  linkParent(
    bot: string,
    org: SyncOrg,
    object: string,
    name: string,
    choice: ParentChoice,
    permitted?: () => Promise<void>,
  ): Promise<Link>;
  unlink(bot: string, orgId: string, kind: Kind, localId: string, by?: By): Promise<Link>;
  /** Tries one again now, whatever it waits for. */
  retry(bot: string, orgId: string, kind: Kind, localIds: readonly string[]): Promise<number>;
  /** Those with a problem, or with one kind of it. */
  retryFailed(bot: string, orgId: string, kind?: Kind, problem?: string): Promise<number>;
  countProblems(bot: string, orgId: string, kind: Kind): Promise<number>;
  /** Puts the losing value of a conflict back: as a fresh host edit, so that it wins now; the host app is told. */
  restore(bot: string, logId: string, by: string, field?: string): Promise<LogRow>;
}

const MAKE_IT_THERE = 'make it in Salesforce and choose it here by its Id';

/** How the log tells it: nothing was written in Salesforce. */
const DEED = { operation: 'none', direction: 'to_crm', status: 'success' } as const;

export function createManualLinks(deps: SyncDeps, engine: Engine, runner: ClaimRunner, hosts: Hosts): ManualLinks {
  const { store, now, newId } = deps;
  async function find(bot: string, orgId: string, kind: Kind, localId: string): Promise<Link> {
    const { object } = await mappingOf(store, bot, kind);
    const [link] = await store.links.byLocal({ bot, orgId }, object, [localId]);
    if (link) return link;
    throw new GatehouseError('not_found', `${kind} ${JSON.stringify(localId.slice(0, 80))} has no link yet.`, {
      next: 'Sync it first.',
    });
  }

  /** Changes a link under its own claim, so that no worker writes over it. */
  async function change(
    link: Link,
    to: (fresh: Link) => Link,
    log: LogNote & Pick<LogRow, 'reason'>,
    /** Done under the claim, before anything is stored. */
    first: (claim: Link) => Promise<Partial<LogNote & Pick<LogRow, 'reason'>>> = async () => ({}),
  ): Promise<Link> {
    const scope = { bot: link.bot, orgId: link.orgId };
    const [claim] = await claimLinks(deps, scope, { due: 'ids', ids: [link.id] }, { leaseMs: 60_000, limit: 1 });
    if (!claim)
      throw new GatehouseError('conflict', 'This record is being synced right now.', {
        next: 'Try again in a minute.',
        retryable: true,
      });
    const keep = (note: LogNote & Pick<LogRow, 'reason'>) =>
      store.atomically(async (inside) => {
        const [fresh] = await inside.links.lock([claim]);
        if (!fresh) throw takenOver();
        const changed = freed(to(fresh));
        await inside.links.save([changed]);
        if (fresh.kind === 'party') await touchCasesOf(inside, fresh, [fresh.localId], now());
        await inside.log.add([logRowOf(fresh, note, { id: engine.logId(), at: now(), calls: 0 })]);
        await inside.links.touch([fresh.id], note.reason, true, now());
        return changed;
      });
    try {
      return await keep({ ...log, ...(await first(claim)) });
    } catch (error) {
      await store.links.release([claim]);
      throw error;
    }
  }

  /** Who makes a record by hand is bound like the sync that would make it for a record of its own. */
  async function requireCreating(bot: string, org: SyncOrg, object: string): Promise<void> {
    const policy = await deps.policyOf(bot);
    requireWriting(bot, policy);
    const opened = openedBy(policy);
    const shut = !opened.mayWrite(object) ? object : opened.isOpen(object, 'Name') ? undefined : `${object}.Name`;
    if (shut !== undefined)
      throw new GatehouseError('permission_denied', `${shut} is not open to this bot to write.`, {
        next: `Open ${shut} in the bot's policy, or ${MAKE_IT_THERE}.`,
      });
    const targets = await Promise.all(KINDS.map((kind) => openTarget(deps, bot, org, kind)));
    const wanting = targets.filter(({ compiled }) =>
      compiled.rules.some(({ parent }) => parent?.write && parent.field === 'Name' && parent.objects.includes(object)),
    );
    if (wanting.length === 0)
      throw new GatehouseError('invalid_input', `No rule of this bot's mapping looks for ${object} by name.`, {
        next: `Name an object that a rule of the mapping writes as a parent, such as Account, or ${MAKE_IT_THERE}.`,
        fields: [{ name: 'object', problem: 'is no parent of this mapping' }],
      });
    const stops = wanting.flatMap(({ refusal, held }) => refusal ?? held ?? []);
    const [stop] = stops;
    if (stop !== undefined && stops.length === wanting.length)
      throw new GatehouseError(stop.code, `No ${object} is made: ${stop.message}`, {
        next: `${stop.next} Or ${MAKE_IT_THERE}.`,
      });
  }

  /** One record has one link. */
  async function requireFree(scope: Scope, object: string, sfId: string, localId: string): Promise<void> {
    const [other] = await store.links.bySf(scope, [sfId]);
    if (other === undefined || other.localId === localId) return;
    throw new GatehouseError('conflict', `This ${object} is linked to ${other.localId}.`, {
      next:
        other.kind === 'parent'
          ? `Have the host app write ${JSON.stringify(other.localId)} for this one too, or name another ${object}.`
          : `Name it as "insteadOf" (--instead-of), if this is the right one: ${other.localId} is then unlinked.`,
    });
  }

  const end = (link: Link, by: By | undefined) =>
    change(link, unlinked, { ...DEED, sfId: link.sfId, reason: `${BY_HAND.unlinked}${nameOf(by)}` });

  /** Who had the record so far is named by whoever takes it away: somebody who came to it meanwhile keeps it. */
  async function leave(scope: Scope, kind: Kind, sfId: string, localId: string, by: By | undefined): Promise<void> {
    const [other] = await store.links.bySf(scope, [sfId]);
    if (other?.kind === kind && other.localId === localId) await end(other, by);
  }

  /** One that is there. */
  async function parentId(org: SyncOrg, object: string, recordId: string): Promise<string> {
    const values = [idOf(object, recordId)];
    const [found = []] = await lookUp(org, [{ object, select: ['Id'], field: 'Id', values }], () => {});
    const id = found[0]?.Id;
    if (typeof id === 'string') return id;
    throw new GatehouseError('not_found', `There is no ${object} with this Id.`, {
      next: 'Copy the Id from the address of the record in Salesforce.',
    });
  }

  /** Kept before a create is sent, so that whoever comes next looks for it. */
  const noteAttempt = (claim: Link, attemptedAt: number | null) =>
    store.atomically(async (inside) => {
      const [fresh] = await inside.links.lock([claim]);
      if (!fresh) throw takenOver();
      await inside.links.save([{ ...fresh, attemptedAt }]);
    });

  /** The one of this name that we made or link to, or a new one. Recorded before it is sent, and looked for when no answer comes. */
  async function makeParent(org: SyncOrg, claim: Link, name: string, permitted: () => Promise<void>) {
    const { object, localId, extKey, sfId, attemptedAt } = claim;
    const keyField = keyFieldOf(await org.describe(object), openedBy(await deps.policyOf(claim.bot)));
    const byId = sfId === null ? [] : [{ object, select: ['Id'], field: 'Id', values: [sfId] }];
    const byKey = keyField === undefined ? [] : [{ object, select: ['Id'], field: keyField, values: [extKey] }];
    const byName = { object, select: ['Id', 'Name'], field: 'Name', values: [...new Set([name, plainName(name)])] };
    const look = async (wasSent: boolean) => {
      const ours = (await lookUp(org, [...byId, ...byKey], () => {})).flat();
      const [all = []] = await lookUp(org, [byName], () => {});
      const named = all.filter(({ Name }) => foldedName(String(Name)) === localId);
      if (ours.length === 0 && named.length > (wasSent ? 1 : 0))
        throw namedSo(
          object,
          named.map(({ Id }) => String(Id)),
        );
      const id = (ours[0] ?? named[0])?.Id;
      return typeof id === 'string' ? { id, isNew: false } : undefined;
    };
    const there = await look(attemptedAt !== null);
    if (there) return there;
    // Without our mark, time alone tells that the first one was not made.
    if (keyField === undefined && attemptedAt !== null && org.clock() < attemptedAt + LONGEST_FLIGHT_MS)
      throw notKnown(object);
    await permitted();
    await noteAttempt(claim, org.clock());
    const mark = keyField === undefined ? {} : { mark: { field: EXTERNAL_ID, value: extKey } };
    try {
      return { id: (await org.create(object, { Name: plainName(name) }, mark)).id, isNew: true };
    } catch (error) {
      if (error instanceof GatehouseError && org.refusal(error).mayBeDone !== true) {
        await noteAttempt(claim, attemptedAt);
        throw error;
      }
      const made = await look(true).catch(() => undefined);
      if (made) return { ...made, isNew: true };
      throw notKnown(object, error);
    }
  }

  /** Everybody who waited for this answer. */
  async function retryWaiting(scope: Scope, object: string, localId: string): Promise<void> {
    for (let after: Link | undefined; ; ) {
      const links = await store.links.list(scope, { isWaiting: true, limit: 500, ...(after ? { after } : {}) });
      const mine = links.filter(({ waitsFor }) =>
        waitsFor?.some((one) => one.object.split(' or ').includes(object) && foldedName(one.name) === localId),
      );
      await store.links.touch(
        mine.map(({ id }) => id),
        BY_HAND.parent,
        true,
        now(),
      );
      after = links.at(-1);
      if (!after || links.length < 500) return;
    }
  }

  return {
    async link(bot, org, kind, localId, sfId, { by, insteadOf } = {}) {
      const [host] = await store.hosts.get(bot, kind, [localId]);
      if (!host || host.deletedAt !== null)
        throw new GatehouseError('not_found', `There is no ${kind} ${JSON.stringify(localId.slice(0, 80))}.`, {
          next: 'Have the host app send it first.',
        });
      const target = await openTarget(deps, bot, org, kind);
      const values = [idOf(target.object, sfId)];
      const [records = []] = await lookUp(
        org,
        [{ object: target.object, select: ['Id', target.nameField, 'SystemModstamp'], field: 'Id', values }],
        () => {},
      );
      const row = records.map((record) => toRow(target, record))[0];
      if (!row)
        throw new GatehouseError(
          'not_found',
          `There is no ${target.object} with this Id, or the connected user may not see it.`,
          { next: 'Copy the Id from the address of the record in Salesforce.' },
        );
      const free = () => requireFree(target.scope, target.object, row.id, localId);
      if (insteadOf !== undefined && insteadOf !== localId) await leave(target.scope, kind, row.id, insteadOf, by);
      await free();
      const [link] = await runner.linksOf(target.scope, kind, [host], BY_HAND.linked);
      if (!link)
        throw new GatehouseError('conflict', 'The link could not be made.', { next: 'Try again.', retryable: true });
      const log = { ...DEED, sfId: row.id, reason: `${BY_HAND.linked}${nameOf(by)}` };
      return change(link, (fresh) => linkedByHand(fresh, row.id), log).catch(async (error) => {
        await free(); // somebody else may have been first: the store keeps one link to a record
        throw error;
      });
    },

    async linkParent(bot, org, object, name, choice, permitted = async () => {}) {
      if (choice === 'create') await requireCreating(bot, org, object);
      const scope = { bot, orgId: org.orgId };
      const localId = foldedName(name);
      await store.links.ensure([
        {
          id: newId(),
          ...scope,
          kind: 'parent',
          object,
          localId,
          extKey: externalKey(bot, object, localId),
          matchKey: null,
          createdAt: now(),
          reason: BY_HAND.linked,
        },
      ]);
      const [link] = await store.links.byLocal(scope, object, [localId]);
      if (!link)
        throw new GatehouseError('conflict', 'The link could not be made.', { next: 'Try again.', retryable: true });
      let id = typeof choice === 'string' ? null : await parentId(org, object, choice.recordId);
      const free = async () => id === null || requireFree(scope, object, id, localId);
      await free();
      const reason = { create: 'made by hand', 'leave out': 'left out by hand' }[String(choice)] ?? BY_HAND.linked;
      const to = (fresh: Link) => (id === null ? unlinked(fresh) : linkedByHand(fresh, id));
      const changed = await change(link, to, { ...DEED, sfId: id, reason }, async (claim) => {
        if (choice !== 'create') return {};
        const made = await makeParent(org, claim, name.trim(), permitted);
        id = made.id;
        await free();
        return made.isNew ? { operation: 'create', sfId: id } : { sfId: id, reason: BY_HAND.linked };
      }).catch(async (error) => {
        await free(); // of two at once the store keeps one
        throw error;
      });
      await retryWaiting(scope, object, localId);
      return changed;
    },

    countProblems: (bot, orgId, kind) => store.links.countProblems({ bot, orgId, kind }),

    async unlink(bot, orgId, kind, localId, by) {
      return end(await find(bot, orgId, kind, localId), by);
    },

    async retry(bot, orgId, kind, localIds) {
      const { object } = await mappingOf(store, bot, kind);
      const links = await store.links.byLocal({ bot, orgId }, object, localIds);
      await store.links.touch(
        links.map((link) => link.id),
        BY_HAND.retry,
        true,
        0,
      );
      return links.length;
    },

    async retryFailed(bot, orgId, kind, problem) {
      let count = 0;
      for (const one of kind ? [kind] : KINDS) {
        const { object } = await mappingOf(store, bot, one);
        const among = { bot, orgId, kind: one, object };
        for (let last: Link | undefined, isMore = true; isMore; ) {
          const failed = await store.links.list(among, {
            hasProblem: true,
            ...(last ? { after: last } : {}),
            limit: 500,
          });
          const isMeant = ({ state, error }: Link) =>
            state !== 'unlinked' && (problem === undefined || (error !== null && problemKind(error) === problem));
          const open = failed.filter(isMeant).map((link) => link.id);
          await store.links.touch(open, BY_HAND.retry, true, 0);
          count += open.length;
          last = failed.at(-1);
          isMore = failed.length === 500;
        }
      }
      return count;
    },

    async restore(bot, logId, by, field) {
      const row = await store.log.get(bot, logId);
      const lost =
        row?.changes.filter((change) => change.lost !== undefined && (field === undefined || change.field === field)) ??
        [];
      if (!row || row.kind === 'parent' || lost.length === 0) {
        throw new GatehouseError('not_found', 'This log row holds no value that lost a conflict.', {
          next: 'Look for rows whose changes name a winner.',
        });
      }
      const fields = Object.fromEntries(lost.flatMap(toHostFields));
      await hosts.putFor(bot, row.kind, { id: row.localId, fields }, `${BY_HAND.restored} ${by}`);
      return row;
    },
  };
}

function namedSo(object: string, ids: readonly string[]): GatehouseError {
  return new GatehouseError('duplicate', `There is already a record of ${object} with this name.`, {
    next: `Choose it by its Id (${ids.slice(0, 5).join(', ')}); if another one is wanted, make it in Salesforce and choose that one by its Id.`,
  });
}

function takenOver(): GatehouseError {
  return new GatehouseError('conflict', 'This record was taken over by a worker.', {
    next: 'Try again.',
    retryable: true,
  });
}

function notKnown(object: string, cause?: unknown): StillUnderWay {
  return new StillUnderWay(`It is not known yet whether Salesforce made the ${object}.`, {
    next: 'Ask for it again in half a minute: what was made is found, and is not made twice.',
    retryAfterMs: 30_000,
    cause,
  });
}

/** First and last name of the host are one value in the log. */
function toHostFields({ local, lost = null }: LogChange): (readonly [string, FieldValue])[] {
  const parts = local.length === 2 ? splitName(String(lost ?? '')) : [lost];
  return local.map((name, at) => [name, parts[at] ?? null] as const);
}
