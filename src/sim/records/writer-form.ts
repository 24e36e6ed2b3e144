import type { Org } from '../org.ts';
import type { Schema } from '../schema/object.ts';
import type { Row } from '../table.ts';

/** Who writes, and how. */
export interface Writer {
  readonly org: Org;
  /** What this user may see: hidden fields do not exist for him. */
  readonly schema: Schema;
  readonly userId: string;
  readonly version: string;
  readonly allowsDuplicates: boolean;
  /** A fault on request: every save of this call meets a lock. */
  readonly meetsLock: boolean;
  readonly afterSave: (object: string, row: Row, change: 'create' | 'update') => void;
}
