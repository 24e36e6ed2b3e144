import type { Access } from './access/access.ts';
import type { Config } from './config.ts';
import type { Gate } from './dispatch.ts';
import type { Log } from './log.ts';
import type { Connections } from './salesforce/connections.ts';
import type { Store } from './store/store.ts';

/** Everything a door may need, put together once. */
export interface App {
  readonly config: Config;
  readonly log: Log;
  readonly now: () => number;
  readonly store: Store;
  readonly access: Access;
  readonly connections: Connections;
  readonly gate: Gate;
  /** True while the embedded simulated org answers instead of Salesforce; every surface says so. */
  readonly isSimulated: boolean;
  close(): Promise<void>;
}
