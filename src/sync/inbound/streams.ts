import { isRecord } from '../../domain/is-record.ts';
import { holdsFor } from '../../domain/lease-watch.ts';
import type { Scope } from '../../domain/link.ts';
import type { EventSink, EventSource, RawEvent, StreamEnd } from '../../ports/events.ts';
import type { StreamRow } from '../../ports/streams.ts';
import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import type { InboxRow, Subscription, SyncStore } from '../../ports/sync-store.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { troubleOf } from '../remote/trouble.ts';
import { type ChangeEvent, readChangeEvent } from './change-event.ts';
import { keepFieldTimes, timedFields } from './field-times.ts';
import { createEchoes } from './own-echo.ts';
import { turnedSilent } from './own-runs.ts';
import { channelsOf, isEventChannel, keepPlatformEvents, recordHints, uuidOf } from './platform-event.ts';
import { limitError, refusalOf } from './stream-problems.ts';
import { customChannels, watchedDescribes } from './watched.ts';

export interface StreamDeps extends SyncDeps {
  readonly openOrg: (bot: string, signal: AbortSignal) => Promise<SyncOrg>;
  readonly events: (bot: string) => Promise<EventSource>;
  readonly noteEvent?: ((bot: string, at: number) => Promise<void>) | undefined;
  /** There is something to do for this bot. */
  readonly onChange: (bot: string) => void;
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
}

export const LEASE_MS = 60_000;
const RENEW_MS = 20_000;
const MINUTE_MS = 60_000;
const LIMIT_PAUSE_MS = 30 * MINUTE_MS;
const FAILED_PAUSE_MS = 5 * MINUTE_MS;
const REFUSED_PAUSE_MS = 60 * MINUTE_MS;
const LONGEST_PAUSE_MS = 24 * 60 * MINUTE_MS;

class LeaseLost extends Error {}

/**
 * Listens to what Salesforce tells, one process for each connection. An event is a hint like every other: its records are looked at,
 * and no value of it is believed. What it stands for and how far the stream was heard are stored in one transaction, before the org
 * is asked for more: whoever goes on after a kill is told the rest again, and the inbox knows what it has.
 */
export function createStreams(deps: StreamDeps) {
  const { store, now, owner, watch, crash } = deps;

  /** Until something ends it; answers after how many milliseconds to try again. */
  async function listen(bot: string, signal: AbortSignal): Promise<number> {
    const org = await deps.openOrg(bot, signal);
    const scope: Scope = { bot, orgId: org.orgId };
    const seen = await store.streams.lease(scope);
    const mark = `${seen.owner} ${seen.until} ${seen.fence}`;
    const isFree = seen.owner === null || watch?.hasStood(`stream of ${bot}/${org.orgId}`, mark, LEASE_MS) === true;
    const fence = isFree ? await store.streams.take(scope, owner, now() + LEASE_MS, seen) : undefined;
    if (fence === undefined) return RENEW_MS;
    const ending = new AbortController();
    const end = () => ending.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    /** By channel, what it is heard for. */
    const heard = new Map<string, string>();
    const look = async () => {
      const asked = await wanted(org, scope, fence);
      if (asked.length !== heard.size || asked.some((row) => heard.get(row.channel) !== row.objects.join())) end();
    };
    // Renewed while a connect is held, too; and what is to be listened to is looked at anew.
    const timer = setInterval(() => {
      const renewed = async () => {
        if (!(await store.streams.keep(scope, fence, now() + LEASE_MS))) throw new LeaseLost();
        // Refused where the bot was switched off or disconnected.
        await deps.openOrg(bot, signal);
        await look();
      };
      renewed().catch(end);
    }, RENEW_MS);
    timer.unref();
    try {
      const channels = await wanted(org, scope, fence);
      for (const { channel, objects } of channels) heard.set(channel, objects.join());
      if (channels.length === 0) return RENEW_MS;
      const source = await deps.events(bot);
      const from = channels.map(({ channel, replayId }) => ({
        name: channel,
        from: replayId === null ? ('new' as const) : { after: replayId },
      }));
      return await afterwards(
        scope,
        fence,
        await source.run(
          from,
          sinkOf(scope, org, fence, { dropped: (channel) => heard.delete(channel), look }),
          ending.signal,
        ),
      );
    } catch (error) {
      if (error instanceof LeaseLost) return RENEW_MS;
      await rest(scope, fence, troubleOf('The event stream met something', error), 0).catch(() => {});
      throw error;
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', end);
      await store.streams.free(scope, fence);
    }
  }

  /** Rows of all that is wanted now; those that were refused rest for an hour, and those of a large run of ours until it is over. */
  async function wanted(org: SyncOrg, scope: Scope, fence: number): Promise<readonly StreamRow[]> {
    const { bot } = scope;
    const rows = await store.streams.list(scope);
    const custom = await customChannels(store, bot);
    const channels = new Map(channelsOf(await store.subscriptions.list(bot)));
    // Names of channels are case-sensitive: the org's own spelling counts.
    for (const { name } of await watchedDescribes(store, bot, org)) {
      const channel = custom.get(name.toLowerCase()) ?? channelOf(name);
      channels.set(channel, [...(channels.get(channel) ?? []), name]);
    }
    // What a channel did not tell us of before is found by a poll, as at its first start.
    const fresh = [...channels].filter(
      ([channel, objects]) => !rows.some((row) => row.channel === channel && row.objects.join() === objects.join()),
    );
    await store.streams.put(fresh.map(([channel, objects]) => freshRow(scope, channel, objects, now())));
    const gone = rows.filter(({ channel }) => !channels.has(channel)).map(({ channel }) => channel);
    await store.streams.remove(scope, gone);
    const turned = await turnedSilent(store, scope, await store.streams.list(scope));
    for (const [channel, state] of turned) {
      // Begun anew afterwards: to be told our own writes from where it stood would cost what the silence saves.
      const to = { state, replayId: null, since: now(), error: null, retryAt: 0 } as const;
      await change(scope, fence, channel, (row) => ({ ...row, ...to }));
    }
    return (await store.streams.list(scope)).filter(({ channel, state, since, retryAt }) => {
      if (state === 'silent') return false;
      const name = `pause of ${channel} for ${bot}/${org.orgId}`;
      return holdsFor(watch, name, { until: retryAt, now: now(), longestMs: retryAt - since }) === 0;
    });
  }

  /** Changes rows, if the lease still stands: all in one transaction. */
  async function change(
    scope: Scope,
    fence: number,
    channel: string | undefined,
    to: (row: StreamRow) => StreamRow,
    more?: (inside: SyncStore) => Promise<void>,
  ): Promise<void> {
    await store.atomically(async (inside) => {
      if (!(await inside.streams.keep(scope, fence, now() + LEASE_MS))) throw new LeaseLost();
      const rows = (await inside.streams.list(scope)).filter((row) => channel === undefined || row.channel === channel);
      await inside.streams.put(rows.map(to));
      await more?.(inside);
    });
  }

  function sinkOf(
    scope: Scope,
    org: SyncOrg,
    fence: number,
    /** `look`: whether another set of channels is wanted by now. */
    { dropped, look }: { readonly dropped: (channel: string) => void; readonly look: () => Promise<void> },
  ): EventSink {
    const { bot } = scope;
    return {
      async opened(channel) {
        const live = (row: StreamRow): StreamRow =>
          row.state === 'live' ? row : { ...row, state: 'live', since: now(), error: null };
        await change(scope, fence, channel, live, async (inside) => {
          const row = (await inside.streams.list(scope)).find((one) => one.channel === channel);
          // From now on means: what came before is found by a poll, which begins after this.
          // Of platform events no poll can bring what was before.
          if (row?.replayId !== null || isEventChannel(channel)) return;
          await inside.streams.demand(scope, channel, 'wanted');
          await forgetTimes(inside, scope, row);
        });
        deps.onChange(bot);
      },
      async take(events) {
        const told = await remember(scope, org, fence, events);
        if (told.some(({ client }) => client === org.clientName)) await look();
        await crash?.('events-stored');
        await deps.noteEvent?.(bot, now());
        deps.onChange(bot);
      },
      async refused(channel, why) {
        const row = (await store.streams.list(scope)).find((one) => one.channel === channel);
        if (why.kind === 'replay_refused') {
          const hadPlace = row !== undefined && row.replayId !== null;
          await change(scope, fence, channel, (row) => ({ ...row, replayId: null, lastGapAt: now() }));
          // All that is kept, once: what came before is known by its id. Of records it would only cost the org's day of deliveries.
          return isEventChannel(channel) && hadPlace ? 'all' : 'new';
        }
        if (why.kind === 'delivery_limit') {
          await pause(scope, fence, why.kind, why.quote);
          return 'stop';
        }
        const error = refusalOf(channel, row?.objects ?? [], why);
        const retryAt = now() + REFUSED_PAUSE_MS;
        await change(scope, fence, channel, (row) => ({ ...row, state: 'refused', since: now(), error, retryAt }));
        dropped(channel);
        return 'drop';
      },
    };
  }

  /** Answers the changes that they tell of. */
  async function remember(
    scope: Scope,
    org: SyncOrg,
    fence: number,
    raw: readonly RawEvent[],
  ): Promise<readonly ChangeEvent[]> {
    const heard = raw.map(({ channel, data }) => ({ channel, data, id: replayIdOf({ channel, data }) }));
    const subscriptions = await store.subscriptions.list(scope.bot);
    const opened = openedBy(await deps.policyOf(scope.bot));
    // Without a place of its own it could not be told from the next one, which the inbox would take for a repeat.
    const rows = new Map((await store.streams.list(scope)).map((row) => [row.channel, row]));
    const events = heard.flatMap(({ channel, data, id }) => {
      const row = rows.get(channel);
      if (row === undefined || isEventChannel(channel)) return [];
      const event = readChangeEvent(id === undefined ? undefined : data);
      return isAbout(row, event) ? [{ channel, id, event }] : [];
    });
    const published = heard.flatMap(({ channel, data, id }) => {
      const known = uuidOf(data) ?? id;
      return isEventChannel(channel) && known !== undefined ? [{ channel, data, id: known }] : [];
    });
    const hints = [
      ...(await hintsOf(scope, org, subscriptions, events)),
      ...(await recordHints({ store, org, opened, subscriptions, now: now() }, scope, published)),
    ];
    const timed = await timedFields(deps, scope.bot, org, new Set(events.map(({ event }) => event.object)));
    await store.atomically(async (inside) => {
      // First: whoever takes the lease over waits for this, or this finds it taken.
      if (!(await inside.streams.keep(scope, fence, now() + LEASE_MS))) throw new LeaseLost();
      await inside.inbox.add(hints);
      for (const row of await inside.streams.list(scope)) {
        const mine = heard.filter(({ channel }) => channel === row.channel);
        if (mine.length === 0) continue;
        const told = events.flatMap(({ channel, event }) => (channel === row.channel ? [event] : []));
        const ids = mine.flatMap(({ id }) => id ?? []);
        // A stream that begins anew (a sandbox was refreshed) counts from below: what lies between is not known. The last one again is a repeat.
        const isReset = ids.some((id) => row.replayId !== null && BigInt(id) < BigInt(row.replayId));
        const isGap = isReset || told.some(({ kind }) => kind !== 'change');
        const day = new Date(now()).toISOString().slice(0, 10);
        await inside.streams.put([
          {
            ...row,
            replayId: ids.at(-1) ?? row.replayId,
            lastEventAt: now(),
            lastGapAt: isGap ? now() : row.lastGapAt,
            day,
            delivered: (row.day === day ? row.delivered : 0) + mine.length,
          },
        ]);
        if (told.length === 0) continue;
        if (isReset || told.some(({ kind }) => kind === 'overflow' || kind === 'all'))
          await forgetTimes(inside, scope, row);
        else await keepFieldTimes(inside, scope, told, timed, now());
        if (isReset || told.some(({ kind }) => kind === 'overflow'))
          await inside.streams.demand(scope, row.channel, 'wanted');
        if (told.some(({ kind }) => kind === 'all')) await inside.streams.demand(scope, row.channel, 'reconcile');
      }
      await inside.feed.add(
        scope.bot,
        await keepPlatformEvents(inside, scope, published, { subscriptions, opened, now: now() }),
      );
    });
    return events.map(({ event }) => event);
  }

  /** What change events leave to look at. */
  async function hintsOf(
    scope: Scope,
    org: SyncOrg,
    subscriptions: readonly Subscription[],
    events: readonly { readonly channel: string; readonly id: string | undefined; readonly event: ChangeEvent }[],
  ): Promise<readonly InboxRow[]> {
    const rows: InboxRow[] = [];
    const own = createEchoes(deps, scope.bot, org);
    const asked = new Map(subscriptions.map(({ object, fields }) => [object, fields]));
    for (const { channel, id, event } of events) {
      const echoes = await own.of(event);
      const changed = asked.get(event.object)?.filter((name) => event.changed?.includes(name));
      for (const sfId of event.recordIds) {
        if (!echoes.has(sfId)) rows.push({ ...scope, ...toHint(channel, id, event, sfId), changed, receivedAt: now() });
      }
    }
    return rows;
  }

  /** A limit of the org: everybody who tries again at once makes it worse. Half an hour, then twice as long each time. */
  async function pause(
    scope: Scope,
    fence: number,
    why: 'client_limit' | 'delivery_limit',
    quote: string,
  ): Promise<number> {
    const row = (await store.streams.list(scope)).find(({ state }) => state === 'paused');
    const before = row ? row.retryAt - row.since : 0;
    const ms = Math.min(LONGEST_PAUSE_MS, Math.max(LIMIT_PAUSE_MS, 2 * before));
    const paused = { state: 'paused', since: now(), retryAt: now() + ms, error: limitError(why, quote) } as const;
    // After a used up day the place is worth nothing: from now on, and a poll.
    const place = why === 'delivery_limit' ? { replayId: null, lastGapAt: now() } : {};
    await change(scope, fence, undefined, (one) => (one.state === 'refused' ? one : { ...one, ...paused, ...place }));
    return ms;
  }

  /** What was refused by itself stays so. */
  async function rest(scope: Scope, fence: number, error: StreamRow['error'], ms: number): Promise<void> {
    const resting = { state: 'waiting', since: now(), error, retryAt: now() + ms } as const;
    await change(scope, fence, undefined, (row) => (row.state === 'refused' ? row : { ...row, ...resting }));
  }

  async function afterwards(scope: Scope, fence: number, { why, quote }: StreamEnd): Promise<number> {
    switch (why) {
      case 'client_limit':
      case 'delivery_limit':
        return pause(scope, fence, why, quote);
      case 'no_channels':
        return MINUTE_MS;
      case 'stopped':
        return 0;
      case 'failed': {
        await rest(scope, fence, troubleOf('The event stream ended', new Error(quote)), FAILED_PAUSE_MS);
        return FAILED_PAUSE_MS;
      }
      default:
        return why satisfies never;
    }
  }

  return { listen };
}

function toHint(channel: string, id: string | undefined, { object }: ChangeEvent, sfId: string) {
  return { eventId: `cdc:${channel}:${id}:${sfId}`, object, sfId, kind: 'event' as const };
}

function replayIdOf({ data }: RawEvent): string | undefined {
  const { replayId } = isRecord(data) && isRecord(data.event) ? data.event : {};
  const id = typeof replayId === 'number' || typeof replayId === 'string' ? String(replayId) : '';
  return /^\d{1,30}$/.test(id) ? id : undefined;
}

/** One that nobody can read may be about anything; a custom channel may carry what nobody here asked for. */
const isAbout = ({ objects }: StreamRow, { object }: ChangeEvent): boolean =>
  object === '' || objects.some((one) => one.toLowerCase() === object.toLowerCase());

async function forgetTimes(inside: SyncStore, scope: Scope, { objects }: StreamRow): Promise<void> {
  for (const object of objects) await inside.fieldTimes.forgetObject(scope, object);
}

const channelOf = (object: string): string =>
  `/data/${object.endsWith('__c') ? object.slice(0, -1) : object}ChangeEvent`;

function freshRow(scope: Scope, channel: string, objects: readonly string[], now: number): StreamRow {
  return {
    ...{ ...scope, channel, objects, replayId: null, state: 'waiting', since: now, error: null, retryAt: 0 },
    ...{ lastEventAt: null, lastGapAt: null, day: '', delivered: 0 },
  };
}
