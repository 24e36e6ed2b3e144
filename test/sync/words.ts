import type { RawEvent } from '../../src/ports/events.ts';
import type { StreamDeps } from '../../src/sync/inbound/streams.ts';
import { until } from '../support/servers.ts';
import { listener } from './listener.ts';
import { Crash, crashAt, type SyncWorld } from './world.ts';

/** How word of a change in Salesforce comes: the poll finds it, or Salesforce tells it and nobody polls. */
export const WORDS = ['polls', 'events'] as const;
type Word = (typeof WORDS)[number];

interface Ways extends AsyncDisposable {
  /** All that happened so far is known here; answers how many hints it came to. */
  hear(): Promise<number>;
  /** All of it once more. */
  again(): Promise<number>;
  /** What happens while nobody listens. */
  unheard(work: () => Promise<unknown>): Promise<void>;
  /** Hears the beginning of it, and dies. */
  dieHearing(): Promise<void>;
}

interface Ears extends Ways {
  /** Until there is nothing left to do on either side. */
  rest(): Promise<void>;
}

export async function openEars(world: SyncWorld, word: Word): Promise<Ears> {
  const ways = word === 'polls' ? byPolls(world) : await byEvents(world);
  return {
    ...ways,
    async rest() {
      const { orgId } = await world.org();
      for (let turn = 0; turn < 20; turn++) {
        const hints = await ways.hear();
        const done = await world.sync.runner.runAllDue('demo', await world.org());
        const { count } = await world.store.links.backlog({ bot: 'demo', orgId });
        if (hints === 0 && done === 0 && count === 0) return;
        // Back-offs run out.
        world.clock.advance(done === 0 ? 130_000 : 1_000);
      }
      throw new Error('the sync does not come to rest');
    },
  };
}

function byPolls(world: SyncWorld): Ways {
  const hear = async () => (await world.poll()).hints + (await world.inbox());
  return {
    hear,
    again: hear,
    unheard: async (work) => void (await work()),
    async dieHearing() {
      await world
        .process({ crash: crashAt('polled-page') })
        .poll()
        .then(() => {
          throw new Error('it did not die');
        }, onlyCrash);
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function byEvents(world: SyncWorld): Promise<Ways> {
  await world.control('POST', 'settings', { changeDataCapture: ['Contact'], cometdHoldMs: 5_000 });
  const { orgId } = await world.org();
  const rowOf = async () =>
    (await world.store.streams.list({ bot: 'demo', orgId })).find(({ objects }) => objects.includes('Contact'));
  const isThrough = async () =>
    (await rowOf())?.replayId === String((await world.control('GET', 'events')).lastReplayId);
  // Takes over whoever listened before; what was refused goes on resting.
  const watch = { hasStood: (name: string) => name.startsWith('stream of') };
  const listen = (more: Partial<StreamDeps> = {}) => listener(world, { watch, ...more });
  let ears = listen();
  await until(async () => (await rowOf())?.state === 'live');
  // Nowhere is no place to go on from: somebody whom nobody here knows comes and goes.
  const stranger = await world.add({ LastName: 'Stranger' });
  await (await world.org()).remove('Contact', stranger);
  async function hear(): Promise<number> {
    await until(isThrough);
    return world.inbox();
  }
  await hear();
  const first = await rowOf();
  return {
    hear,
    async again() {
      await ears.stop();
      // From the beginning, by the same ids; then the last one by another, as a source that stutters does.
      if (first) await world.store.streams.put([first]);
      await world.control('POST', 'events', { do: 'duplicate' });
      ears = listen();
      return hear();
    },
    async unheard(work) {
      await ears.stop();
      await work();
      ears = listen();
    },
    async dieHearing() {
      await ears.stop();
      await listen({ crash: crashAt('events-stored') }).ended.then(() => {
        throw new Error('it did not die');
      }, onlyCrash);
      ears = listen();
    },
    async [Symbol.asyncDispose]() {
      await ears.stop();
    },
  };
}

function onlyCrash(error: unknown): void {
  if (!(error instanceof Crash)) throw error;
}

/** A stream that says these things at once, and then nothing. */
export const saying = (...events: readonly RawEvent[]): Pick<StreamDeps, 'events'> => ({
  events: async () => ({
    async run(_channels, sink) {
      await sink.take(events);
      return { why: 'stopped', quote: '' };
    },
  }),
});
