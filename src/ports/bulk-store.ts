import type { Fields } from '../domain/action.ts';
import type { ErrorBody, SalesforceSaid } from '../domain/errors.ts';
import type { Intent, Scope } from '../domain/link.ts';
import type { LogChange } from '../domain/log-change.ts';
import type { Kind } from '../domain/mapping.ts';

/** Rows of one object that go to Salesforce as one job. One open part per object: two jobs would fight for the same parents. */
export interface BulkPart extends Scope {
  readonly id: string;
  readonly kind: Kind;
  readonly object: string;
  readonly operation: 'upsert' | 'update';
  /** By which the rows of the job are known: our external-id field, or Id. */
  readonly keyField: string;
  readonly batch: string;
  /** Of the policy and mapping that its rows were planned under: under another one it is not sent. */
  readonly revision: string;
  readonly state:
    | 'filling'
    /** Complete, and not in Salesforce. */
    | 'ready'
    /** The job is made. Whether it was uploaded to is not known: whoever finds it so aborts it, and makes another. */
    | 'created'
    /** All of it is in the job, which is not handed over, or just being so. */
    | 'uploaded'
    /** Salesforce works on it, or is through and its results are being told. */
    | 'closed'
    /** Every row is told; the files are still to be removed. */
    | 'told'
    | 'done';
  readonly jobId: string | null;
  readonly columns: readonly string[];
  /** All that were put in. */
  readonly rows: number;
  readonly bytes: number;
  /** What Salesforce said of the job as a whole. */
  readonly note: string | null;
  /** How often it was uploaded; once it is handed over, how often Salesforce was asked whether it is through. */
  readonly looks: number;
  readonly nextAt: number;
  /** Of the process that works on it. */
  readonly leaseOwner: string | null;
  readonly leaseUntil: number;
  readonly fence: number;
  readonly createdAt: number;
}

/** A field that does not follow, while the record does. */
export interface Unfollowed {
  readonly code: ErrorBody['error']['code'];
  readonly message: string;
  readonly next?: string;
  readonly salesforce?: SalesforceSaid | undefined;
}

/** One write as it was decided on. It stands here until what became of it is told. */
export interface BulkRowStored {
  readonly part: string;
  /** What the row is known by in the job. */
  readonly key: string;
  readonly bot: string;
  readonly link: string;
  /** Of the link while the part holds it; that of the claim which planned it is one lower. */
  readonly fence: number;
  /** Outbox position that it covers. */
  readonly dirty: number;
  /** Rows of one parent go side by side, or its lock is fought for. */
  readonly parent: string;
  readonly fields: Fields;
  readonly sent: Readonly<Record<string, Pick<Intent, 'value' | 'before'>>>;
  readonly pushed: readonly LogChange[];
  readonly problems: readonly Unfollowed[];
}

export interface BulkStore {
  /** Parts that are not done, of an org. */
  open(scope: Scope): Promise<readonly BulkPart[]>;
  get(id: string): Promise<BulkPart | undefined>;
  /** False where the object has an open part already. */
  add(part: BulkPart): Promise<boolean>;
  /** Takes it in place of the lease that was seen; answers it as it is ours, or undefined where somebody was faster. */
  take(seen: BulkPart, owner: string, until: number): Promise<BulkPart | undefined>;
  /** Changes it while it is ours: false once the fence has moved on. */
  patch(
    part: Pick<BulkPart, 'id' | 'fence'>,
    patch: Partial<Omit<BulkPart, 'id' | 'fence' | 'columns'>>,
  ): Promise<boolean>;
  /** Adds to a part that is being filled, while it is ours; false where it is not. */
  fill(
    part: Pick<BulkPart, 'id' | 'fence'>,
    columns: readonly string[],
    rows: readonly BulkRowStored[],
    bytes: number,
  ): Promise<boolean>;
  /** In the order of their parents, after the last one of the page before. */
  page(
    part: string,
    after: Pick<BulkRowStored, 'parent' | 'key'> | undefined,
    limit: number,
  ): Promise<readonly BulkRowStored[]>;
  byKey(part: string, keys: readonly string[]): Promise<readonly BulkRowStored[]>;
  drop(part: string, keys: readonly string[]): Promise<void>;
}
