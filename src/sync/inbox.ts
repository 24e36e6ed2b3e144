import { z } from 'zod';
import type { FieldDescribe, FieldValue } from '../action.ts';
import { findField } from '../mapping/compile.ts';
import { KINDS } from '../mapping/mapping.ts';
import { isRead } from '../stored-value/read.ts';
import { toStored } from '../stored-value/stored-value.ts';
import type { Link, Scope } from './link.ts';
import type { FeedRow, InboxRow, SyncDeps, SyncOrg } from './ports.ts';
import { toMs } from './remote.ts';
import { describeOf, openTarget, type Target } from './target.ts';

const payloadSchema = z.object({
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  isDeleted: z.boolean().optional(),
});

/**
 * Uses what events told: each marks its link for reading, once, however often it came. The values in it are never applied;
 * they only tell when a field already held them. Events of subscribed objects go to the feed.
 */
export async function useInbox(deps: SyncDeps, bot: string, org: SyncOrg): Promise<number> {
  const { store, now, crash } = deps;
  const scope: Scope = { bot, orgId: org.orgId };
  let used = 0;
  for (;;) {
    const events = await store.inbox.pending(scope, 500);
    if (events.length === 0) return used;
    const targets = await Promise.all(KINDS.map((kind) => openTarget(deps, bot, org, kind)));
    const told = await toldFields(deps, bot, org, events);
    used += await store.atomically(async (inside) => {
      const mine = new Set(
        await inside.inbox.finish(
          bot,
          events.map((event) => event.eventId),
          now(),
        ),
      );
      const fresh = events.filter((event) => mine.has(event.eventId));
      const found = await inside.links.bySf(
        scope,
        fresh.filter((event) => event.kind === 'message').map((event) => event.sfId),
      );
      const links = new Map(found.filter((link) => link.state !== 'unlinked').map((link) => [link.sfId, link]));
      const shown = new Map<string, Link['seen']>();
      for (const event of fresh) {
        const link = links.get(event.sfId);
        const target = targets.find((one) => one.object === link?.object);
        if (link && target)
          shown.set(link.id, { ...link.seen, ...shown.get(link.id), ...valuesShown(target, link, event) });
      }
      await inside.links.touch(
        [...links.values()].map((link) => link.id),
        'event from Salesforce',
        true,
        now(),
      );
      for (const [id, seen] of shown) await inside.links.show(id, seen);
      await inside.feed.add(
        bot,
        fresh.flatMap((event) => {
          const fields = told.get(event.object);
          return fields ? [toFeed(event, fields, org.clock())] : [];
        }),
      );
      return mine.size;
    });
    await crash?.('inbox-finished');
  }
}

/** The record held these values at its LastModifiedDate or before: the earliest such time is when the field changed at the latest. */
function valuesShown({ compiled }: Target, link: Link, event: InboxRow): Link['seen'] {
  const fields = toFields(event);
  const at = toMs(String(fields.LastModifiedDate ?? fields.SystemModstamp ?? ''));
  if (at === 0) return {};
  const host = { fields: {}, createdAt: 0 };
  return Object.fromEntries(
    compiled.rules.flatMap((rule) => {
      if (rule.parent || !rule.remote.every((name) => name in fields)) return [];
      const raw = rule.fromRemote(fields);
      const value = raw === undefined || raw === null ? raw : rule.fold(raw, host);
      if (value === undefined || value === link.base[rule.key]) return [];
      const before = link.seen[rule.key];
      return [[rule.key, { value, at: before?.value === value ? Math.min(before.at, at) : at }] as const];
    }),
  );
}

/** What the host app asked to be told of each object that these events speak of. */
async function toldFields(
  { store }: SyncDeps,
  bot: string,
  org: SyncOrg,
  events: readonly InboxRow[],
): Promise<ReadonlyMap<string, readonly Told[]>> {
  const objects = new Set(events.map((event) => event.object));
  const asked = (await store.subscriptions.list(bot)).filter(({ object }) => objects.has(object));
  return new Map(
    await Promise.all(
      asked.map(async ({ object, fields }) => {
        const { describe } = await describeOf(org, object);
        return [object, fields.map((name) => ({ name, shape: findField(describe, name) }))] as const;
      }),
    ),
  );
}

interface Told {
  readonly name: string;
  readonly shape: FieldDescribe | undefined;
}

function toFeed(event: InboxRow, told: readonly Told[], at: number): Omit<FeedRow, 'bot' | 'seq'> {
  const shown = toFields(event);
  const changes = Object.fromEntries(
    told.flatMap(({ name, shape }) => {
      const value = shown[name];
      return value === undefined ? [] : [[name, { before: null, after: typed(shape, value) }] as const];
    }),
  );
  return { type: 'record', kind: 'record', localId: '', object: event.object, sfId: event.sfId, changes, at };
}

/** Messages are all text; a poll shows the same field as a number or a boolean. */
function typed(shape: FieldDescribe | undefined, value: FieldValue): FieldValue {
  const isText = shape === undefined || !['boolean', 'int', 'double', 'currency', 'percent'].includes(shape.type);
  if (isText || typeof value !== 'string') return value;
  const stored = toStored(shape, value);
  return isRead(stored) ? stored.value : value;
}

function toFields({ payload }: InboxRow): Readonly<Record<string, FieldValue>> {
  const parsed = payloadSchema.safeParse(JSON.parse(payload));
  return parsed.success ? parsed.data.fields : {};
}
