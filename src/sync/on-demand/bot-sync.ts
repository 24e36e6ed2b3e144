import type { Change, HeldSync, Preview, Sync, SyncOutcome } from '../../domain/action.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { fromErrorBody, GatehouseError, naming, tellsOfOthers, veiled } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { Kind } from '../../domain/mapping.ts';
import { cleanShown } from '../../domain/safe-text.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { toChanges } from '../engine/changes.ts';
import type { ClaimRunner } from '../engine/claim-runner.ts';
import { claimLinks } from '../engine/claims.ts';
import type { Engine } from '../engine/engine.ts';
import { toRecord } from '../engine/held.ts';
import { heldWithList } from '../engine/held-list.ts';
import type { Result } from '../engine/pass.ts';
import { useInbox } from '../inbound/inbox.ts';
import { type Plan, planRecord } from '../merge/plan.ts';
import { isSwitchedOff, requireWriting } from '../remote/policy-bounds.ts';
import { isStanding, lookupValue, ofTarget, openTarget, type Target } from '../remote/target.ts';
import { peopleLeftOut, previewPeople } from './preview-people.ts';
import { previewRecords } from './preview-record.ts';

const CLAIM_WAIT_MS = 100;
const CLAIM_TRIES = 300;

export interface BotSyncOptions {
  readonly bot: string;
  readonly org: SyncOrg;
  readonly mayWrite: boolean;
  /** The host app says "sync now": no policy was asked and no person, so what policy holds stays held. */
  readonly isUnasked: boolean;
  /** What a person was shown and said yes to. */
  readonly shown?: Preview | undefined;
}

/** Record by record. */
export type SingleSync = Omit<Sync, keyof HeldSync>;

/** The `Sync` port of one bot: what SyncParty and SyncCase do. Without `mayWrite` it only tells what is in step. */
export function createBotSync(
  deps: SyncDeps,
  engine: Engine,
  runner: ClaimRunner,
  { bot, org, mayWrite, isUnasked, shown }: BotSyncOptions,
): SingleSync {
  const { store, now, policyOf } = deps;

  async function load(kind: Kind, id: string): Promise<HostRecord> {
    const [host] = await store.hosts.get(bot, kind, [id]);
    if (host && host.deletedAt === null) return host;
    throw new GatehouseError('not_found', `There is no ${kind} ${JSON.stringify(id.slice(0, 80))}.`, {
      next: `Check the id, or have the host app send it first (PUT /api/${kind === 'party' ? 'parties' : 'cases'}/{id}).`,
    });
  }

  /** Two callers of one record take turns; the second then finds nothing left to do. */
  async function claim(target: Target, link: Link): Promise<Link> {
    for (let tries = 0; tries < CLAIM_TRIES; tries++) {
      const { leaseMs } = engine.settings;
      const [mine] = await claimLinks(deps, target.scope, { due: 'ids', ids: [link.id] }, { leaseMs, limit: 1 });
      if (mine) {
        if (!isSwitchedOff(await policyOf(bot))) return mine;
        await store.links.release([mine]);
        requireWriting(bot, await policyOf(bot));
      }
      await deps.wait(CLAIM_WAIT_MS);
    }
    throw new GatehouseError('conflict', 'This record is being synced right now and it takes long.', {
      next: 'Try again in a minute.',
      retryable: true,
      retryAfterMs: 60_000,
    });
  }

  /** For a bot, a record is not looked for by what policy hides from it: that it was found would tell what is there. */
  function requireKnown({ lookup, compiled }: Target, link: Link | undefined, host: HostRecord): void {
    const isLooked = (link?.sfId ?? null) === null && lookupValue(compiled.mapping, host) !== undefined;
    if (!isUnasked && isLooked && lookup.hidden) throw lookup.hidden;
  }

  async function hiddenPeople({ org }: Target): Promise<GatehouseError | undefined> {
    return isUnasked ? undefined : (await openTarget(deps, bot, org, 'party')).lookup.hidden;
  }

  async function syncRecord(kind: Kind, id: string): Promise<{ target: Target; result: Result }> {
    requireWriting(bot, await policyOf(bot));
    const host = await load(kind, id);
    const target = await openTarget(deps, bot, org, kind);
    if (target.refusal) throw target.refusal;
    if (isUnasked && target.held) {
      await runner.linksOf(target.scope, kind, [host], 'sync now');
      const isNew = await store.asked.hasNew(ofTarget(target), now());
      throw await heldWithList(deps, bot, kind, target.held, isNew ? 'ask' : 'look');
    }
    // What Salesforce told already may say when a field changed.
    await useInbox(deps, bot, org);
    const [link] = await runner.linksOf(target.scope, kind, [host], 'sync now');
    if (!link)
      throw new GatehouseError('conflict', 'The link of this record could not be made.', {
        next: 'Try again.',
        retryable: true,
      });
    requireKnown(target, link, host);
    if (target.hasRoles && !(await hiddenPeople(target))) await runner.completeParties(target, [host], !isUnasked);
    if (link.state === 'unlinked') await store.links.touch([link.id], 'sync now', true, now());
    if (shown !== undefined) {
      const { seen, changes } = await look(kind, id);
      if (!isWithin(changes, seen.row?.id, shown)) throw otherThanShown(kind);
    }
    const claimed = await claim(target, { ...link, reason: 'sync now' });
    // With something to send, the conditional write itself proves that the record is as we know it.
    const known = planRecord({
      link: claimed,
      host,
      mapping: target.compiled,
      remote: { kind: 'assumed' },
      parents: new Map(),
    });
    const mustRead = shown !== undefined || Object.keys(known.send).length === 0;
    const { results } = await engine.run(target, [{ ...claimed, reason: 'sync now' }], {
      mode: 'one',
      mustRead,
      // The host or a colleague may be quicker than the look above.
      mayWrite:
        shown &&
        ((write) => {
          const { changes, recordId } = toRecord(target, write);
          return isWithin(changes, recordId ?? undefined, shown);
        }),
    });
    if (target.hasRoles) await runner.awaitPeople(target, [claimed], [host]);
    const result = results.get(claimed.id);
    if (!result) await requireStanding(target);
    if (!result && shown !== undefined) throw otherThanShown(kind);
    if (!result)
      throw new GatehouseError('conflict', 'Another worker took this record over.', {
        next: 'Try again in a moment.',
        retryable: true,
      });
    if (result.error && !result.isPartial) throw told(target, fromErrorBody({ error: result.error }));
    return { target, result };
  }

  /** Why a pass left the record, where it was not another worker. */
  async function requireStanding(target: Target): Promise<void> {
    requireWriting(bot, await policyOf(bot));
    if (await isStanding(deps, target)) return;
    const { refusal, held } = await openTarget(deps, bot, org, target.kind);
    const closed = refusal ?? (isUnasked ? held : undefined);
    if (closed) throw closed;
    throw new GatehouseError(
      'conflict',
      'Policy or mapping was changed while this record was on its way, so it was not sent by the old ones.',
      { next: 'Try again: the new ones hold.', retryable: true },
    );
  }

  /** Look-alikes are the bot's to know as far as it could have looked for them; the host app may know that there are some (V4). */
  function told({ lookup, opened, object }: Target, error: GatehouseError): GatehouseError {
    if (!isUnasked && lookup.hidden && tellsOfOthers(error)) return veiled(error);
    if (error.candidates === undefined) return error;
    if (lookup.hidden) return naming(error, []);
    return opened.isOpen(object, 'Name')
      ? error
      : naming(
          error,
          error.candidates.map(({ id }) => ({ id, name: id })),
        );
  }

  /** What a sync would do: of the record itself, and of a case's people. */
  async function look(kind: Kind, id: string) {
    const host = await load(kind, id);
    const target = await openTarget(deps, bot, org, kind);
    if (target.refusal) throw target.refusal;
    const [link] = await store.links.byLocal(target.scope, target.object, [id]);
    requireKnown(target, link, host);
    const [seen] = await previewRecords(deps, target, [host]);
    if (!seen) throw new TypeError('One record has one preview.');
    if (seen instanceof GatehouseError) throw told(target, seen);
    const people = await previewPeople(deps, target, seen, await hiddenPeople(target));
    const changes = [...toChanges(target, { ...seen.plan, makes: seen.makes }, seen.row?.record), ...people.changes];
    const { problems, waitsFor } = seen.plan;
    const left = [...problems, ...waitsFor].map(({ message }) => message);
    const warnings = [...target.warnings, ...people.warnings, ...left];
    return { target, seen, people, changes, warnings };
  }

  async function preview(kind: Kind, id: string): Promise<Preview> {
    const { target, seen, people, changes, warnings } = await look(kind, id);
    const { row, plan } = seen;
    return {
      summary: summaryOf(target, id, { plan, isThere: row !== undefined, others: people.changes.length }),
      ...(row ? { target: { object: target.object, id: row.id, name: row.name, url: org.recordUrl(row.id) } } : {}),
      changes,
      ...(warnings.length > 0 ? { warnings } : {}),
    };
  }

  /** For a context that may only read: the answer where nothing is left to do. */
  async function inStep(kind: Kind, id: string): Promise<{ target: Target; outcome: SyncOutcome }> {
    const { target, seen, changes, warnings } = await look(kind, id);
    if (changes.length > 0 || !seen.row)
      throw new GatehouseError('internal', 'Something tried to sync without a held proposal; nothing was sent.', {
        next: 'Call again; if it stays so, it is a bug of the action: preview() may only read.',
      });
    const found = { object: target.object, id: seen.row.id, url: org.recordUrl(seen.row.id) };
    return {
      target,
      outcome: {
        operation: 'none',
        direction: 'none',
        ...found,
        changes,
        ...(warnings.length > 0 ? { warnings } : {}),
      },
    };
  }

  function toOutcome(target: Target, { link, operation, pushed, pulled, error }: Result): SyncOutcome {
    const waits = (link.waitsFor ?? []).map(({ message }) => message);
    const warnings = [...target.warnings, ...(error ? [error.message] : []), ...waits];
    const direction =
      pushed.length > 0 ? (pulled.length > 0 ? 'both' : 'to_crm') : pulled.length > 0 ? 'from_crm' : 'none';
    return {
      operation:
        operation === 'create'
          ? 'create'
          : pushed.length + pulled.length > 0 || operation === 'update'
            ? 'update'
            : 'none',
      direction: direction === 'none' && operation === 'update' ? 'to_crm' : direction,
      object: target.object,
      id: link.sfId ?? '',
      url: org.recordUrl(link.sfId ?? ''),
      changes: toChanges(target, { pushed, pulled }),
      ...(warnings.length > 0 ? { warnings } : {}),
    };
  }

  return {
    previewParty: (id) => preview('party', id),
    previewCase: (id) => preview('case', id),
    async syncParty(id) {
      if (!mayWrite) return (await inStep('party', id)).outcome;
      const { target, result } = await syncRecord('party', id);
      return toOutcome(target, result);
    },
    async syncCase(id) {
      if (!mayWrite) {
        const { target, outcome } = await inStep('case', id);
        return { ...outcome, ...(await peopleOf(target, id, outcome.warnings)) };
      }
      const { target, result } = await syncRecord('case', id);
      const outcome = toOutcome(target, result);
      return { ...outcome, ...(await peopleOf(target, id, outcome.warnings)) };
    },
  };

  async function peopleOf(target: Target, id: string, known: readonly string[] = []) {
    const { parties } = await load('case', id);
    if (!target.hasRoles || parties.length === 0) return { roles: [] };
    const { object, refusal: closed, held, lookup } = await openTarget(deps, bot, org, 'party');
    const refusal = closed ?? (isUnasked ? held : lookup.hidden);
    const ids = parties.map(({ party }) => party);
    const links = new Map((await store.links.byLocal(target.scope, object, ids)).map((link) => [link.localId, link]));
    const roles = parties.flatMap(({ party, role }) => {
      const contactId = links.get(party)?.sfId;
      return contactId ? [{ party, contactId, role: target.compiled.mapping.roles[role] ?? role }] : [];
    });
    const warnings = new Set(known);
    if (refusal && roles.length < parties.length) warnings.add(peopleLeftOut(refusal));
    else
      for (const { party } of parties) {
        const link = links.get(party);
        if (!link?.sfId)
          warnings.add(`${party} has no ${object} yet, so no role here. ${link?.error?.message ?? ''}`.trim());
      }
    return { roles, ...(warnings.size > 0 ? { warnings: [...warnings] } : {}) };
  }
}

/** As it was stored: without what the eye does not see. */
const keyOf = (change: Change): string => canonicalJson(cleanShown(change));

/** Some of it, or nothing, may be left to do; of another record even the same is something else. */
function isWithin(changes: readonly Change[], record: string | undefined, shown: Preview): boolean {
  const known = new Set(shown.changes.map(keyOf));
  return changes.length === 0 || (record === shown.target?.id && changes.every((change) => known.has(keyOf(change))));
}

function otherThanShown(kind: Kind): GatehouseError {
  return new GatehouseError(
    'conflict',
    `The ${kind}, its record or the mapping changed since this was shown, so more or something else would be written. Nothing was.`,
    { next: 'Ask for the sync again: it is shown as it is now.' },
  );
}

function summaryOf(
  { object, kind }: Target,
  id: string,
  { plan, isThere, others }: { plan: Plan; isThere: boolean; others: number },
): string {
  const what = `${kind} ${JSON.stringify(id)}`;
  const also = others > 0 ? [`make ${others} change(s) to its people and their roles`] : [];
  if (!isThere) return `${[`Create a ${object} for ${what}`, ...also].join(' and ')}.`;
  const parts = [
    ...(plan.pushed.length > 0 ? [`send ${plan.pushed.length} field(s) to Salesforce`] : []),
    ...(plan.pulled.length > 0 ? [`take ${plan.pulled.length} field(s) from Salesforce`] : []),
    ...also,
  ];
  return parts.length > 0
    ? `Bring ${what} and its ${object} into step: ${parts.join(', ')}.`
    : `${what} and its ${object} are in step: nothing to do.`;
}
