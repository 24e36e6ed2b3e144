import type { Link } from '../../domain/link.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { pretendedParents } from '../merge/found-parents.ts';
import { isKnown } from '../merge/freshness.ts';
import type { ParentIndex } from '../merge/plan.ts';
import { ROLES_KEY, type Role, rolesText, wantedRoles } from '../merge/roles.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import type { HasMore } from './change-set.ts';
import { contactsOf } from './contacts.ts';
import { completeParents, parentsToFind } from './parents.ts';
import type { Pass } from './pass.ts';
import { type ReadResult, readRemote } from './read.ts';
import { rereadAfterSameSecond, timesOf } from './same-second.ts';

/** Both sides as one round read them, before it decides anything. */
export interface Known {
  readonly byLink: ReadonlyMap<string, ReadResult>;
  /** By Salesforce's clock: no record was read before. */
  readonly readSince: number;
  readonly parents: ParentIndex;
  readonly fieldTimes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly hasMore: HasMore;
  readonly wantedRoles: (host: HostRecord) => readonly Role[];
}

export async function readBothSides(pass: Pass, claims: readonly Link[], mustRead: boolean): Promise<Known> {
  const { deps, target, how, onCall } = pass;
  const { settings, history } = pass.shared;
  const ids = claims.map(({ localId }) => localId);
  const records = await deps.store.hosts.get(target.scope.bot, target.kind, ids);
  const hosts = new Map(records.map((host) => [host.id, host]));
  const contacts = target.hasRoles ? await contactsOf(deps, target, hosts) : new Map<string, string>();
  const wanted = (host: HostRecord) => wantedRoles(target, host.parties, contacts);
  const hasMore: HasMore = (host, link) => target.hasRoles && rolesText(wanted(host)) !== (link.base[ROLES_KEY] ?? '');
  const fresh = { mode: how.mode, freshMs: settings.freshMs, now: deps.now(), hasMore };
  const unknown = claims.filter((link) => mustRead || !isKnown(target, link, hosts.get(link.localId), fresh));
  const alone = new Set(unknown.filter((link) => isAlone(pass, link, hosts.get(link.localId))));
  const reads = unknown.filter((link) => !alone.has(link));
  const { asked, chosen } = await parentsToFind(deps, target, claims, hosts);
  const began = deps.now();
  const found = await readRemote(target, reads, hosts, asked, onCall);
  // Without our mark a create whose answer is lost is known again by when it was made, by Salesforce's clock.
  if (target.externalId === undefined && claims.some(({ sfId }) => sfId === null)) await target.org.hearClock();
  const readSince = target.org.clock() - (deps.now() - began);
  await deps.crash?.('read');
  const parents = how.isTrial
    ? pretendedParents(found.parents, chosen)
    : await completeParents(pass, found.parents, chosen, isFirst(pass, claims, found.byLink));
  const seen = { target, hosts, parents, onCall, readSince };
  const last =
    how.mode === 'one'
      ? await rereadAfterSameSecond(deps, seen, reads, found.byLink)
      : { byLink: new Map([...found.byLink, ...[...alone].map(({ id }) => [id, NOTHING] as const)]), readSince };
  const fieldTimes = await timesOf(deps.store, history, seen, claims, last.byLink);
  return { ...last, parents, fieldTimes, hasMore, wantedRoles: wanted };
}

/** A single record that is not there: what has to be made for it may go with it. */
function isFirst(pass: Pass, claims: readonly Link[], found: Known['byLink']): boolean {
  const [only, ...more] = claims;
  if (only === undefined || more.length > 0 || pass.how.mode === 'many' || pass.isOneByOne) return false;
  const result = found.get(only.id);
  return only.attempts === 0 && result?.kind === 'matches' && result.rows.length === 0 && pass.mayGoTogether;
}

const NOTHING: ReadResult = { kind: 'matches', rows: [] };

/** One of which anything was ever sent is looked for by itself. */
function isAlone({ how: { bulk }, target }: Pass, link: Link, host: HostRecord | undefined): boolean {
  const isUnsent = link.attemptedAt === null && Object.keys(link.intents).length === 0;
  return (
    isUnsent &&
    link.sfId === null &&
    link.attempts === 0 &&
    host !== undefined &&
    bulk?.isAlone(target, link, host) === true
  );
}

export function queueRoles(pass: Pass, known: Known, host: HostRecord, link: Link, dirty: number): void {
  if (!known.hasMore(host, link)) return;
  pass.queueRoles({ link, dirty, wanted: known.wantedRoles(host), row: rowOf(known, link) });
}

function rowOf({ byLink }: Known, { id, sfId }: Link): RemoteRow | undefined {
  const result = byLink.get(id);
  if (result?.kind === 'row') return result.row;
  return result?.kind === 'matches' ? result.rows.find((row) => row.id === sfId) : undefined;
}
