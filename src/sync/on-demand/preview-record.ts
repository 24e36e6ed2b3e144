import { fromErrorBody, GatehouseError } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { freshLink } from '../../domain/link-transitions.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { doubt } from '../engine/change-set.ts';
import type { MadeParent } from '../engine/changes.ts';
import { convertedError } from '../engine/deletions.ts';
import { parentsToFind } from '../engine/parents.ts';
import { readRemote } from '../engine/read.ts';
import { missingParents, pretendedParents } from '../merge/found-parents.ts';
import { matchRows } from '../merge/match.ts';
import { type Plan, parentKey, planRecord } from '../merge/plan.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import { newLink, type Target } from '../remote/target.ts';

/** What a sync of one host record would do. Nothing of it has happened. */
export interface RecordPreview {
  readonly host: HostRecord;
  readonly link: Link;
  /** The record that stands there; undefined where one would be created. */
  readonly row: RemoteRow | undefined;
  readonly plan: Plan;
  readonly makes: readonly MadeParent[];
}

/** Looks at many records in one read; an error stands for those that a human has to decide on. */
export async function previewRecords(
  deps: SyncDeps,
  target: Target,
  records: readonly HostRecord[],
): Promise<readonly (RecordPreview | GatehouseError)[]> {
  if (records.length === 0) return [];
  const { store } = deps;
  const hosts = new Map(records.map((host) => [host.id, host]));
  const stored = await store.links.byLocal(target.scope, target.object, [...hosts.keys()]);
  const known = new Map(stored.map((link) => [link.localId, link]));
  const links = records.map((host) => known.get(host.id) ?? pretend(deps, target, host));
  const { asked, chosen } = await parentsToFind(deps, target, links, hosts);
  const found = await readRemote(target, links, hosts, asked, () => {});
  const missing = missingParents(found.parents);
  const parents = pretendedParents(found.parents, chosen);
  const rowIds = [...found.byLink.values()].flatMap((result) =>
    result.kind === 'matches' ? result.rows.map((row) => row.id) : [],
  );
  const taken = new Map((await store.links.bySf(target.scope, rowIds)).map((link) => [link.sfId, link]));
  return records.map((host, at) => {
    const link = links[at] ?? pretend(deps, target, host);
    const row = standing(link, host);
    if (row instanceof GatehouseError) return row;
    const plan = planRecord({
      link,
      host,
      mapping: target.compiled,
      parents,
      remote: row ? { kind: 'record', record: row.record, modifiedAt: row.modifiedAt } : { kind: 'absent' },
    });
    const needed = new Set(
      target.compiled.rules.flatMap(({ key, parent }) => {
        const sent = plan.sent[key]?.value ?? null;
        return parent && sent !== null ? [parentKey(parent, sent)] : [];
      }),
    );
    return { host, link, row, plan, makes: missing.filter(({ key }) => needed.has(key)) };
  });

  function standing(link: Link, host: HostRecord): RemoteRow | undefined | GatehouseError {
    const result = found.byLink.get(link.id);
    if (result?.kind === 'row') return result.row.converted ? convertedError(target, result.row) : result.row;
    if (result?.kind === 'unread') return result.error;
    if (result?.kind === 'gone')
      return new GatehouseError('not_found', 'The linked record was deleted in Salesforce.', {
        next: 'Undelete it there, or unlink it here first.',
      });
    const rows = result?.rows ?? [];
    const match = matchRows(target, link, host, rows, taken);
    const next = 'An operator links the right one by hand.';
    if (match.kind === 'many')
      return new GatehouseError('ambiguous', 'Several records could be this one.', {
        next,
        candidates: match.candidates,
      });
    if (match.kind === 'doubtful') return fromErrorBody({ error: doubt(target, match.candidates) });
    if (match.kind === 'taken')
      return new GatehouseError('ambiguous', 'The record that fits is linked to another one.', { next });
    return match.kind === 'one' ? rows.find((row) => row.id === match.id) : undefined;
  }
}

function pretend({ newId, now }: SyncDeps, target: Target, host: HostRecord): Link {
  const made = newLink(target.scope, target.compiled.mapping, host, newId(), 'preview', now());
  return freshLink(made);
}
