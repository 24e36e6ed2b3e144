import type { ErrorBody } from './errors.ts';

/** What one refusal means for a record that is kept in step, read out of the one table of Salesforce's codes. */
export interface Refusal {
  /**
   * `retry` soon, `reread` (the world moved), `match` (a look-alike stands there), `field` (leave what is named behind and send
   * the rest), `wait` (nothing about this record: everything waits), `stop` until the record or the mapping changes.
   */
  readonly then: 'retry' | 'reread' | 'match' | 'field' | 'wait' | 'stop';
  /** The request was too big for the org's triggers: send fewer at once. */
  readonly isOverload: boolean;
  /** The answer was lost: Salesforce may have done it, or be at it still. */
  readonly mayBeDone?: boolean | undefined;
  /** The record has changed since it was read. */
  readonly isChange?: boolean | undefined;
  /** Its text is somebody's own words: no field's name is read out of it. */
  readonly isFreeText?: boolean | undefined;
  readonly error: ErrorBody['error'];
}
