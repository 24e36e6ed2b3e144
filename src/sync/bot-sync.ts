import type { Change, FieldValue, Preview, Sync, SyncOutcome } from '../action.ts';
import { fromErrorBody, GatehouseError } from '../errors.ts';
import { findField } from '../mapping/compile.ts';
import type { Kind } from '../mapping/mapping.ts';
import type { Drain } from './drain.ts';
import type { Engine, Result } from './engine.ts';
import { readRemote } from './findings.ts';
import { useInbox } from './inbox.ts';
import { matchRecord } from './match.ts';
import { completeParents, parentsToFind } from './parents.ts';
import { type Plan, planRecord } from './plan.ts';
import type { HostRecord, Link, LogChange, SyncDeps, SyncOrg } from './ports.ts';
import { newLink, openTarget, type Target } from './target.ts';

const CLAIM_WAIT_MS = 100;
const CLAIM_TRIES = 300;

/** The `Sync` port of one bot: what SyncParty and SyncCase do. */
export function createBotSync(deps: SyncDeps, engine: Engine, drain: Drain, bot: string, org: SyncOrg): Sync {
  const { store, now, newId, owner } = deps;

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
      const [mine] = await store.links.claim(
        target.scope,
        { due: 'ids', ids: [link.id] },
        {
          owner,
          now: now(),
          until: now() + engine.settings.leaseMs,
          limit: 1,
        },
      );
      if (mine) return mine;
      await deps.wait(CLAIM_WAIT_MS);
    }
    throw new GatehouseError('conflict', 'This record is being synced right now and it takes long.', {
      next: 'Try again in a minute.',
      retryable: true,
      retryAfterMs: 60_000,
    });
  }

  async function syncRecord(kind: Kind, id: string): Promise<{ target: Target; result: Result }> {
    const host = await load(kind, id);
    // What Salesforce told already may say when a field changed.
    await useInbox(deps, bot, org);
    const target = await openTarget(store, bot, org, kind);
    const [link] = await drain.linksOf(target.scope, kind, [host], 'sync now');
    if (!link)
      throw new GatehouseError('conflict', 'The link of this record could not be made.', {
        next: 'Try again.',
        retryable: true,
      });
    if (target.hasRoles) await drain.completeParties(target, [host]);
    if (link.state === 'unlinked') await store.links.touch([link.id], 'sync now', true, now());
    const claimed = await claim(target, { ...link, reason: 'sync now' });
    // With something to send, the conditional write itself proves that the record is as we know it.
    const known = planRecord({
      link: claimed,
      host,
      mapping: target.compiled,
      remote: { kind: 'assumed' },
      parents: new Map(),
    });
    const mustRead = Object.keys(known.send).length === 0;
    const { results } = await engine.run(target, [{ ...claimed, reason: 'sync now' }], { mode: 'one', mustRead });
    const result = results.get(claimed.id);
    if (!result)
      throw new GatehouseError('conflict', 'Another worker took this record over.', {
        next: 'Try again in a moment.',
        retryable: true,
      });
    const isInStep = result.link.state === 'active' && result.error?.code === 'ambiguous';
    if (result.error && !isInStep) throw fromErrorBody({ error: result.error });
    return { target, result };
  }

  async function preview(kind: Kind, id: string): Promise<Preview> {
    const host = await load(kind, id);
    const target = await openTarget(store, bot, org, kind);
    const [stored] = await store.links.byLocal(target.scope, target.object, [id]);
    const link: Link = stored ?? pretend(target, host);
    const hosts = new Map([[host.id, host]]);
    const { asked, chosen } = await parentsToFind(deps, target, [link], hosts);
    const found = await readRemote(target, [link], hosts, asked, () => {});
    // Nothing is made for a preview: names that nobody has are said, not created.
    const parents = await completeParents(deps, target, new Map(), found.parents, chosen, () => {});
    const finding = found.byLink.get(link.id);
    if (finding?.kind === 'gone')
      throw new GatehouseError('not_found', 'The linked record was deleted in Salesforce.', {
        next: 'Undelete it there, or unlink it here first.',
      });
    const rows = finding?.kind === 'row' ? [finding.row] : (finding?.rows ?? []);
    const taken = new Map(
      (
        await store.links.bySf(
          target.scope,
          rows.map((row) => row.id),
        )
      ).map((one) => [one.sfId, one]),
    );
    const match = matchRecord(
      rows.map((row) => {
        const other = taken.get(row.id);
        return {
          id: row.id,
          name: row.name,
          isOurs: row.externalKey === link.extKey,
          linkedTo: other && other.id !== link.id ? other.localId : undefined,
        };
      }),
    );
    if (finding?.kind !== 'row' && (match.kind === 'many' || match.kind === 'taken')) {
      throw new GatehouseError(
        'ambiguous',
        match.kind === 'many' ? 'Several records could be this one.' : 'The record that fits is linked to another one.',
        {
          next: 'An operator links the right one by hand.',
          ...(match.kind === 'many' ? { candidates: match.candidates } : {}),
        },
      );
    }
    const row = rows.find((one) => finding?.kind === 'row' || (match.kind === 'one' && one.id === match.id));
    const plan = planRecord({
      link,
      host,
      mapping: target.compiled,
      parents,
      remote: row ? { kind: 'record', record: row.record, modifiedAt: row.modifiedAt } : { kind: 'absent' },
    });
    return {
      summary: summaryOf(target, id, plan, row !== undefined),
      ...(row ? { target: { object: target.object, id: row.id, name: row.name, url: org.recordUrl(row.id) } } : {}),
      changes: toChanges(target, [...plan.pushed, ...plan.pulled]),
      ...(plan.problems.length > 0 ? { warnings: plan.problems } : {}),
    };
  }

  function pretend(target: Target, host: HostRecord): Link {
    const made = newLink(target.scope, target.compiled.mapping, host, newId(), 'preview', now());
    return {
      ...made,
      sfId: null,
      state: 'new',
      base: {},
      baseMod: null,
      seenAt: 0,
      seenStamp: null,
      seen: {},
      intents: {},
      attemptedAt: null,
      dirty: 1,
      done: 0,
      batch: null,
      leaseOwner: null,
      leaseUntil: 0,
      fence: 0,
      attempts: 0,
      nextAt: 0,
      error: null,
    };
  }

  function toOutcome(target: Target, { link, operation, pushed, pulled }: Result): SyncOutcome {
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
      changes: toChanges(target, [...pushed, ...pulled]),
    };
  }

  return {
    previewParty: (id) => preview('party', id),
    previewCase: (id) => preview('case', id),
    async syncParty(id) {
      const { target, result } = await syncRecord('party', id);
      return toOutcome(target, result);
    },
    async syncCase(id) {
      const { target, result } = await syncRecord('case', id);
      return { ...toOutcome(target, result), roles: await rolesOf(target, id) };
    },
  };

  async function rolesOf(target: Target, id: string) {
    const { parties } = await load('case', id);
    if (!target.hasRoles || parties.length === 0) return [];
    const { object } = await openTarget(store, bot, org, 'party');
    const links = new Map(
      (
        await store.links.byLocal(
          target.scope,
          object,
          parties.map(({ party }) => party),
        )
      ).map((link) => [link.localId, link]),
    );
    return parties.flatMap(({ party, role }) => {
      const contactId = links.get(party)?.sfId;
      return contactId ? [{ party, contactId, role: target.compiled.mapping.roles[role] ?? role }] : [];
    });
  }
}

function summaryOf({ object, kind }: Target, id: string, plan: Plan, isThere: boolean): string {
  const what = `${kind} ${JSON.stringify(id)}`;
  if (!isThere) return `Create a ${object} for ${what}.`;
  const parts = [
    ...(plan.pushed.length > 0 ? [`send ${plan.pushed.length} field(s) to Salesforce`] : []),
    ...(plan.pulled.length > 0 ? [`take ${plan.pulled.length} field(s) from Salesforce`] : []),
  ];
  return parts.length > 0
    ? `Bring ${what} and its ${object} into step: ${parts.join(', ')}.`
    : `${what} and its ${object} are in step: nothing to do.`;
}

function toChanges({ describe }: Target, changes: readonly LogChange[]): readonly Change[] {
  return changes.map(({ field, before, after }) => ({
    field,
    label: labelOf(field),
    before: shown(before),
    after: shown(after),
  }));

  function labelOf(field: string): string {
    return field
      .split('+')
      .map((name) => findField(describe, name)?.label ?? name)
      .join(' + ');
  }
}

const shown = (value: FieldValue): FieldValue =>
  typeof value === 'string' && value.length > 500 ? `${value.slice(0, 500)}…` : value;
