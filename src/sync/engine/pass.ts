import type { Link } from '../../domain/link.ts';
import type { GraphNode } from '../../ports/salesforce.ts';
import type { SyncDeps, SyncSettings } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { Plan } from '../merge/plan.ts';
import type { Role } from '../merge/roles.ts';
import type { FieldHistory } from '../remote/field-history.ts';
import type { RemoteRow } from '../remote/soql-read.ts';
import { isStanding, type Target } from '../remote/target.ts';
import type { MayWrite, PendingWrite } from './change-set.ts';
import type { ChunkSize } from './chunk-size.ts';
import { logRowOf, type ToLogRow } from './log-row.ts';

/** What became of one claim. */
export interface Result {
  readonly link: Link;
  readonly operation: 'create' | 'update' | 'delete' | 'none';
  readonly pushed: Plan['pushed'];
  readonly pulled: Plan['pulled'];
  readonly roles: readonly Role[];
  readonly error: Link['error'];
  /** The record itself is in step; the error speaks of single fields that do not follow. */
  readonly isPartial: boolean;
}

/** Another way for writes than calls of their own. */
export interface BulkRoad {
  /** Whether a look at the whole object has shown that nothing there could be this record: it need not be looked for. */
  isAlone(target: Target, link: Link, host: HostRecord): boolean;
  /** Keeps what it can, durably, and holds its links. `rest` goes by calls; `unsent` is left for later. */
  take(
    pass: Pass,
    writes: readonly PendingWrite[],
  ): Promise<{ readonly rest: readonly PendingWrite[]; readonly unsent: readonly PendingWrite[] }>;
}

export interface How {
  /** `one`: a single record, written conditionally. `many`: packed, up to 1,000 writes a call. */
  readonly mode: 'one' | 'many';
  /** Look at Salesforce even where we know its state. */
  readonly mustRead: boolean;
  /** Asked before every write: true leaves the rest for later. */
  readonly isStopped?: (() => Promise<boolean>) | undefined;
  /** Asked under lock before anything of a record is decided that would write to Salesforce. */
  readonly mayWrite?: MayWrite | undefined;
  /** Nothing is made for it beforehand either: no account. */
  readonly isTrial?: boolean | undefined;
  readonly bulk?: BulkRoad | undefined;
}

/** An account that nobody has, held until the record that needs it is sent: both are made in one go. */
export interface UnmadeParent {
  /** Held by this pass. */
  readonly link: Link;
  /** Stands for its Id, which nobody knows yet. */
  readonly place: string;
  readonly node: GraphNode;
}

/** Contact roles still to be written for a case whose own record is in step. */
export interface RoleTask {
  readonly link: Link;
  readonly dirty: number;
  readonly wanted: readonly Role[];
  readonly row: RemoteRow | undefined;
}

/** What all passes of an engine share. */
export interface Shared {
  readonly deps: SyncDeps;
  readonly settings: SyncSettings;
  readonly history: FieldHistory;
  readonly chunkSize: ChunkSize;
  /** By org, until when nothing goes as a graph there. */
  readonly graphsRestUntil: Map<string, number>;
  readonly logId: () => string;
}

/** One pass over claimed links: what it has come to so far. Its phases are the functions of the files beside. */
export class Pass {
  readonly deps: SyncDeps;
  readonly shared: Shared;
  readonly target: Target;
  readonly how: How;
  readonly results = new Map<string, Result>();
  unmade: UnmadeParent | undefined;
  /** A graph was refused: what it would have made is made one after the other. */
  isOneByOne = false;
  readonly #roleTasks = new Map<string, RoleTask>();
  #isStopped = false;
  #calls = 0;
  #unloggedCalls = 0;

  constructor(shared: Shared, target: Target, how: How) {
    this.deps = shared.deps;
    this.shared = shared;
    this.target = target;
    this.how = how;
  }

  get calls(): number {
    return this.#calls;
  }

  readonly onCall = (): void => {
    this.#calls++;
    this.#unloggedCalls++;
  };

  /** The first row that is logged after a call carries it: the log's calls add up to the calls made. */
  readonly logRow: ToLogRow = (link, note) => {
    const { deps, logId } = this.shared;
    const row = logRowOf(link, note, { id: logId(), at: deps.now(), calls: this.#unloggedCalls });
    this.#unloggedCalls = 0;
    return row;
  };

  /** Asked before every write: what was planned under other rules is not sent. Once no, it stays no. */
  readonly mayGoOn = async (): Promise<boolean> => {
    this.#isStopped ||= ((await this.how.isStopped?.()) ?? false) || !(await isStanding(this.deps, this.target));
    return !this.#isStopped;
  };

  note(result: Pick<Result, 'link' | 'error'> & Partial<Result>): void {
    const { link } = result;
    const before = this.results.get(link.id);
    const noted: Result = { operation: 'none', pushed: [], pulled: [], roles: [], isPartial: false, ...result };
    // An earlier round may have pulled.
    this.results.set(link.id, before ? { ...noted, pulled: [...before.pulled, ...noted.pulled] } : noted);
  }

  /** Whether this org takes graphs, as far as we know. */
  get mayGoTogether(): boolean {
    return (this.shared.graphsRestUntil.get(this.target.scope.orgId) ?? 0) <= this.deps.now();
  }

  get hasRoles(): boolean {
    return this.#roleTasks.size > 0;
  }

  queueRoles(task: RoleTask): void {
    this.#roleTasks.set(task.link.id, task);
  }

  /** What was queued, once. */
  takeRoles(): readonly RoleTask[] {
    const tasks = [...this.#roleTasks.values()];
    this.#roleTasks.clear();
    return tasks;
  }
}
