import { createStreams, type StreamDeps } from '../../src/sync/inbound/streams.ts';
import type { SyncWorld } from './world.ts';

/** A process that listens until it is stopped, or dies. */
export function listener(world: SyncWorld, more: Partial<StreamDeps> = {}) {
  const stop = new AbortController();
  const deps: StreamDeps = {
    ...world.delivery,
    owner: 'p1',
    events: (bot) => world.connections.events(bot),
    onChange: () => {},
    log: { warn: () => {} },
    ...more,
  };
  const ended = createStreams(deps).listen('demo', stop.signal);
  ended.catch(() => {});
  return {
    ended,
    async stop() {
      stop.abort();
      return ended;
    },
  };
}
