import type { Preview, Sync } from '../domain/action.ts';
import { createLeaseWatch } from '../domain/lease-watch.ts';
import type { Link } from '../domain/link.ts';
import type { SyncDeps, SyncOrg } from '../ports/sync.ts';
import { createLoads } from './bulk/loads.ts';
import { createParts } from './bulk/parts.ts';
import { type ClaimRunner, createClaimRunner } from './engine/claim-runner.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import { createHeldSync } from './engine/held.ts';
import { type ConnectionOf, createHosts, type Hosts } from './host/hosts.ts';
import { type Batches, createBatches } from './jobs/batches.ts';
import { type Answer, adopt } from './on-demand/adopt.ts';
import { createBotSync, type SingleSync } from './on-demand/bot-sync.ts';
import { createManualLinks, type ManualLinks } from './on-demand/manual-links.ts';
import { createSubscriptions, type Subscriptions } from './webhooks/subscriptions.ts';

/** People and cases of the host app in step with Salesforce, both ways: nothing lost, nothing twice. */
export interface SyncRoom {
  readonly hosts: Hosts;
  readonly engine: Engine;
  readonly runner: ClaimRunner;
  readonly batches: Batches;
  readonly manualLinks: ManualLinks;
  /** Objects that the host app is told of. */
  readonly subscriptions: Subscriptions;
  /** The host app's id for a record that it was told of as found. */
  adopt(answer: Answer): Promise<Link>;
  /** What the actions SyncParty and SyncCase use; it writes only with `mayWrite`, which they have once policy or a person let them. */
  forBot(bot: string, org: SyncOrg, mayWrite: boolean, shown?: Preview): Sync;
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
  const runner = createClaimRunner(deps, engine);
  const parts = createParts(deps, engine);
  const hosts = createHosts({ ...deps, onChange: deps.onChange ?? (() => {}) });
  return {
    hosts,
    engine,
    runner,
    batches: createBatches(deps, runner, { parts, loads: createLoads(deps, engine, parts), settings: engine.settings }),
    manualLinks: createManualLinks(deps, engine, runner, hosts),
    subscriptions: createSubscriptions(deps),
    adopt: (answer) => adopt(deps, engine, answer),
    forBot: (bot, org, mayWrite, shown) => ({
      ...createBotSync(deps, engine, runner, { bot, org, mayWrite, isUnasked: false, shown }),
      ...createHeldSync(deps, runner, { bot, org, mayWrite }),
    }),
    forHost: (bot, org) => createBotSync(deps, engine, runner, { bot, org, mayWrite: true, isUnasked: true }),
  };
}
