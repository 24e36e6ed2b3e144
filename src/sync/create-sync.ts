import type { Sync } from '../action.ts';
import { createLeaseWatch } from '../lease-watch.ts';
import { type Batches, createBatches } from './batch.ts';
import { createBotSync, type SingleSync } from './bot-sync.ts';
import { createDrain, type Drain } from './drain.ts';
import { createEngine, type Engine } from './engine.ts';
import { createHeldSync } from './held.ts';
import { type ConnectionOf, createHosts, type Hosts } from './hosts.ts';
import { createLinkDesk, type LinkDesk } from './link-desk.ts';
import type { SyncDeps, SyncOrg } from './ports.ts';

/** People and cases of the host app in step with Salesforce, both ways: nothing lost, nothing twice. */
export interface SyncRoom {
  readonly hosts: Hosts;
  readonly engine: Engine;
  readonly drain: Drain;
  readonly batches: Batches;
  readonly desk: LinkDesk;
  /** What the actions SyncParty and SyncCase use; it writes only with `mayWrite`, which they have once policy or a person let them. */
  forBot(bot: string, org: SyncOrg, mayWrite: boolean): Sync;
  /** The same for the host app, which nobody asked: what policy holds stays held. */
  forHost(bot: string, org: SyncOrg): SingleSync;
}

export interface SyncRoomDeps extends SyncDeps {
  readonly connectionOf: ConnectionOf;
  /** A local change or an event came in: wake the worker. */
  readonly onChange?: (bot: string) => void;
}

export function createSync(given: SyncRoomDeps): SyncRoom {
  const deps = { ...given, watch: given.watch ?? createLeaseWatch(given.now) };
  const engine = createEngine(deps);
  const drain = createDrain(deps, engine);
  const hosts = createHosts({ ...deps, onChange: deps.onChange ?? (() => {}) });
  return {
    hosts,
    engine,
    drain,
    batches: createBatches(deps, drain),
    desk: createLinkDesk(deps, engine, drain, hosts),
    forBot: (bot, org, mayWrite) => ({
      ...createBotSync(deps, engine, drain, { bot, org, mayWrite, isUnasked: false }),
      ...createHeldSync(deps, engine, drain, { bot, org, mayWrite }),
    }),
    forHost: (bot, org) => createBotSync(deps, engine, drain, { bot, org, mayWrite: true, isUnasked: true }),
  };
}
