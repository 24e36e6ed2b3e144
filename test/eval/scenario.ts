import type { ActionPermission } from '../../permissions/catalog.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { Audience } from '../../permissions/profiles.ts';
import type { Scripted } from '../support/model-server.ts';
import type { World } from '../support/world.ts';

/** One talk, and what the org must look like after it. Not the order of calls is judged but what became of the records. */
export interface Scenario {
  readonly name: string;
  readonly grants?: readonly ActionPermission[];
  readonly audience?: Audience;
  /** The account key that the host signed. */
  readonly session?: string;
  readonly policy?: (policy: Policy) => Policy;
  /** What happened in the org before. */
  readonly seed?: (world: World) => Promise<void>;
  readonly turns: readonly Turn[];
  /** Everything that may be written, and must be; default: nothing. */
  readonly writes?: readonly Write[];
  /** Actions that must not be called at all. */
  readonly forbidden?: readonly string[];
  /** Cards that are needed; more are needless. */
  readonly cards?: number;
  /** A model that misbehaves, on the real wire; only in the scripted run. */
  readonly script?: readonly Scripted[];
}

export type Turn =
  /** `asks`: nothing may be written in this turn, and the bot must ask for something that matches. `hears`: it says so. */
  | { readonly say: string; readonly asks?: RegExp; readonly hears?: RegExp }
  /** The oldest open card: the person's button, or the number of a choice. */
  | { readonly card: 'approve' | 'reject' | number };

export type Write =
  | { readonly create: string; readonly with: Fields }
  /** By name; `set` is everything that may have changed. */
  | { readonly update: string; readonly named: string; readonly set: Fields };

type Fields = Readonly<Record<string, unknown>>;
