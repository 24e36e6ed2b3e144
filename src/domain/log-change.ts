import type { Fields, FieldValue } from './action.ts';

/** What became of one field in one effect of the sync. */
export interface LogChange {
  /** API name, or names joined by +. */
  readonly field: string;
  readonly local: readonly string[];
  /** In the host's words. */
  readonly before: FieldValue;
  readonly after: FieldValue;
  /** What Salesforce holds after it, by API name; left out where it is one field with the value `after`. */
  readonly crm?: Fields;
  /** Set on a conflict: who won, and what lost, so that it can be put back. */
  readonly winner?: 'host' | 'salesforce';
  readonly lost?: FieldValue;
  readonly note?: string;
}
