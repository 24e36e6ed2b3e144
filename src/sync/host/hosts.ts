import type { Fields } from '../../domain/action.ts';
import { inTurns } from '../../domain/breath.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { areFewCustom, ownField } from '../../domain/host-fields.ts';
import type { Link, Scope } from '../../domain/link.ts';
import { reopened } from '../../domain/link-transitions.ts';
import type { Kind } from '../../domain/mapping.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { FeedRow, HostRecord, PartyRole, SyncStore } from '../../ports/sync-store.ts';
import { mappingOf, newLink } from '../remote/target.ts';

/** What the host app sends about one person or case. Fields that are not named stay as they are; null clears. */
export interface HostInput {
  readonly id: string;
  readonly fields: Fields;
  readonly parties?: readonly PartyRole[] | undefined;
}

/** Where a bot's records go, and how far Salesforce's clock is ahead of ours. */
export type ConnectionOf = (
  bot: string,
) => Promise<{ readonly orgId: string; readonly clockOffsetMs: number } | undefined>;

export interface Hosts {
  put(bot: string, kind: Kind, inputs: readonly HostInput[]): Promise<readonly HostRecord[]>;
  /** A change that somebody else made in the host's name: the host app is told of it too. `reason` goes to the log. */
  putFor(bot: string, kind: Kind, input: HostInput, reason: string): Promise<void>;
  /** Adds those that are not known; leaves the others alone. */
  putUnknown(bot: string, kind: Kind, inputs: readonly HostInput[]): Promise<void>;
  get(bot: string, kind: Kind, id: string): Promise<HostRecord | undefined>;
  page(bot: string, kind: Kind, after: string, limit: number): Promise<readonly HostRecord[]>;
  /** False when there is none. */
  remove(bot: string, kind: Kind, id: string): Promise<boolean>;
}

/** The host app's side. A change is one transaction: the record, the clock of each changed field, and the outbox of its link. */
export function createHosts(
  deps: SyncDeps & { readonly connectionOf: ConnectionOf; readonly onChange: (bot: string) => void },
): Hosts {
  const { store, now, newId, connectionOf, onChange } = deps;

  async function write(
    bot: string,
    kind: Kind,
    inputs: readonly HostInput[],
    { isOnlyNew = false, reason }: { readonly isOnlyNew?: boolean; readonly reason?: string } = {},
  ): Promise<readonly HostRecord[]> {
    const connection = await connectionOf(bot);
    // Stamped on Salesforce's clock: a host an hour off must not win or lose by it.
    const at = now() + (connection?.clockOffsetMs ?? 0);
    const latest = await byRecord(inputs);
    // One order in every process, so that two lists of the same records wait and do not deadlock.
    const sorted = [...latest.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const ids = sorted.map((input) => input.id);
    const records = await store.atomically(async (inside) => {
      await inside.hosts.lockKeys(bot, kind, ids);
      const outbox = connection && (await openOutbox(inside, { bot, orgId: connection.orgId }, kind, ids));
      const known = new Map((await inside.hosts.lock(bot, kind, ids)).map((record) => [record.id, record]));
      const changed: HostRecord[] = [];
      const isBack = new Set<string>();
      const all = await inTurns(sorted, RECORDS_A_TURN, (input) => {
        const before = known.get(input.id);
        if (before && before.deletedAt === null && isOnlyNew) return before;
        if (reason !== undefined && before?.deletedAt !== null) throw goneAtHost(kind, input.id);
        const after = change(bot, kind, before, input, at);
        requireFewCustom(before, after);
        if (after !== before) changed.push(after);
        if (before && before.deletedAt !== null) isBack.add(input.id);
        return after;
      });
      await inside.hosts.put(changed);
      const links = await outbox?.(changed, isBack, reason);
      if (reason !== undefined) await tell(inside, { known, links }, changed);
      return { all, changed };
    });
    if (records.changed.length > 0) onChange(bot);
    const byId = new Map(records.all.map((record) => [record.id, record]));
    return [...latest.keys()].flatMap((id) => byId.get(id) ?? []);
  }

  /** Locks the links before the records, as the engine does. The function it answers marks links whose records changed. */
  async function openOutbox(inside: SyncStore, scope: Scope, kind: Kind, ids: readonly string[]) {
    const mapping = await mappingOf(inside, scope.bot, kind);
    const there = new Map(
      (await inside.links.lockLocal(scope, mapping.object, ids)).map((link) => [link.localId, link]),
    );
    return async (records: readonly HostRecord[], isBack: ReadonlySet<string> = new Set(), reason = 'local change') => {
      const live = records.filter((record) => record.deletedAt === null && !there.has(record.id));
      await inside.links.ensure(live.map((record) => newLink(scope, mapping, record, newId(), reason, now())));
      const linked = records.flatMap(({ id }) => there.get(id)?.id ?? []);
      // Its delete ended the link; the record that came back begins a new one.
      await inside.links.save([...isBack].flatMap((id) => there.get(id) ?? []).map(reopened));
      await inside.links.touch(linked, reason, false, now());
      return there;
    };
  }

  /** `feed.add` locks the bot's feed until commit, so it comes last. */
  async function tell(
    inside: SyncStore,
    before: { readonly known: ReadonlyMap<string, HostRecord>; readonly links: ReadonlyMap<string, Link> | undefined },
    changed: readonly HostRecord[],
  ): Promise<void> {
    for (const after of changed) {
      const { bot, kind, id, changedAt } = after;
      const { object } = await mappingOf(inside, bot, kind);
      const sfId = before.links?.get(id)?.sfId ?? null;
      const changes = differences(before.known.get(id), after);
      await inside.feed.add(bot, [{ type: 'updated', kind, localId: id, object, sfId, changes, at: changedAt }]);
    }
  }

  return {
    put: (bot, kind, inputs) => write(bot, kind, inputs),
    async putFor(bot, kind, input, reason) {
      await write(bot, kind, [input], { reason });
    },
    async putUnknown(bot, kind, inputs) {
      const latest = [...(await byRecord(inputs)).values()];
      // The cases of one list may name a hundred thousand: each transaction is as long as one of a list of people.
      for (let at = 0; at < latest.length; at += MOST_AT_ONCE)
        await write(bot, kind, latest.slice(at, at + MOST_AT_ONCE), { isOnlyNew: true });
    },
    async get(bot, kind, id) {
      const [record] = await store.hosts.get(bot, kind, [id]);
      return record?.deletedAt === null ? record : undefined;
    },
    page: (bot, kind, after, limit) => store.hosts.page(bot, kind, after, limit),
    async remove(bot, kind, id) {
      const connection = await connectionOf(bot);
      const at = now() + (connection?.clockOffsetMs ?? 0);
      const isThere = await store.atomically(async (inside) => {
        await inside.hosts.lockKeys(bot, kind, [id]);
        const outbox = connection && (await openOutbox(inside, { bot, orgId: connection.orgId }, kind, [id]));
        const [record] = await inside.hosts.lock(bot, kind, [id]);
        if (!record || record.deletedAt !== null) return false;
        const gone: HostRecord = { ...record, deletedAt: at, changedAt: at, version: record.version + 1 };
        await inside.hosts.put([gone]);
        await outbox?.([gone]);
        return true;
      });
      if (isThere) onChange(bot);
      return isThere;
    },
  };
}

const RECORDS_A_TURN = 20;
const MOST_AT_ONCE = 1_000;

async function byRecord(inputs: readonly HostInput[]): Promise<ReadonlyMap<string, HostInput>> {
  const latest = new Map<string, HostInput>();
  await inTurns(inputs, 10 * RECORDS_A_TURN, (input) => latest.set(input.id, joined(latest.get(input.id), input)));
  return latest;
}

/** Two entries for one record in one list are one change; where both name a field, the later one counts. */
function joined(before: HostInput | undefined, input: HostInput): HostInput {
  if (!before) return input;
  return { ...input, fields: { ...before.fields, ...input.fields }, parties: input.parties ?? before.parties };
}

/** Field by field a record grows without end, and could at last not be sent back as it is answered. */
function requireFewCustom(before: HostRecord | undefined, { kind, id, fields }: HostRecord): void {
  const had = before?.deletedAt === null ? before.fields : {};
  const isMore = Object.entries(fields).some(([name, value]) => {
    const was = ownField(had, name);
    return was === undefined || (was === null && value !== null);
  });
  if (!isMore || areFewCustom(kind, fields)) return;
  throw new GatehouseError(
    'invalid_input',
    `The ${kind} ${JSON.stringify(id)} would have more than 100 custom fields, with those it has already.`,
    {
      next: 'Send no new names; set those that are not needed any more to null first.',
      fields: [{ name: 'custom', problem: 'at most 100 custom fields' }],
    },
  );
}

const goneAtHost = (kind: Kind, id: string) =>
  new GatehouseError('not_found', `The ${kind} ${JSON.stringify(id)} was deleted at the host.`, {
    next: 'There is nothing left to put the value back into.',
  });

function differences(before: HostRecord | undefined, { fields }: HostRecord): FeedRow['changes'] {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, after]) => {
      const was = before?.fields[name] ?? null;
      return was === after ? [] : [[name, { before: was, after }]];
    }),
  );
}

/** The same object when nothing changed: a repeated PUT costs nothing. */
function change(
  bot: string,
  kind: Kind,
  before: HostRecord | undefined,
  { id, fields, parties }: HostInput,
  at: number,
): HostRecord {
  const alive = before?.deletedAt === null ? before : undefined;
  const changed = Object.entries(fields).filter(
    ([name, value]) => alive?.fields[name] !== value && !(alive === undefined && value === null),
  );
  const arePartiesNew = parties !== undefined && JSON.stringify(parties) !== JSON.stringify(alive?.parties ?? []);
  if (alive && changed.length === 0 && !arePartiesNew) return alive;
  return {
    bot,
    kind,
    id,
    fields: { ...alive?.fields, ...Object.fromEntries(changed) },
    clocks: {
      ...alive?.clocks,
      ...Object.fromEntries(changed.map(([name]) => [name, { at, origin: 'host' as const }])),
    },
    parties: parties ?? alive?.parties ?? [],
    version: (before?.version ?? 0) + 1,
    createdAt: before?.createdAt ?? at,
    changedAt: at,
    deletedAt: null,
  };
}
