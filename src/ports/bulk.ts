import type { Refusal } from '../domain/refusal.ts';

/** Many rows as one job of Bulk API 2.0. Never an insert or a delete: what is sent twice by mistake must find itself. */
export interface Bulk {
  /** `update` goes by Id, `upsert` by `key`. Where the answer is lost, make another: an open job starts nothing and dies of itself. */
  create(job: {
    readonly object: string;
    readonly operation: 'update' | 'upsert';
    readonly key?: string;
  }): Promise<string>;
  /** Once a job. Where the answer is lost nobody knows what arrived: abort the job, and create another. */
  upload(id: string, csv: ReadableStream<Uint8Array>): Promise<void>;
  /** Hands the job over. A lost answer is asked for, and closed again only where it is still open. */
  close(id: string): Promise<BulkStatus>;
  status(id: string): Promise<BulkStatus>;
  /** Waits until Salesforce is done with it; after a day it answers a job that is not. */
  ended(id: string): Promise<BulkStatus>;
  abort(id: string): Promise<void>;
  /** Job files hold what people are called for a week else. Gone already is fine. */
  remove(id: string): Promise<void>;
  /** In no order: a row is known by its key among `values`. A job that failed has done rows, too. */
  results(id: string, which: 'successful' | 'failed' | 'unprocessed'): AsyncIterable<BulkRow>;
  /** A query as one job, removed afterwards; every value is a text, and null an empty one. */
  query(
    soql: string,
    options?: {
      readonly pageSize?: number;
      readonly onCall?: () => void;
      /** Told its id before anything is waited for, so that whoever comes after a dead process can remove it. */
      readonly onJob?: (id: string) => Promise<void>;
    },
  ): AsyncIterable<Readonly<Record<string, string>>>;
  /** Ends a query that nobody reads any more, and removes what it has of people. Gone already is fine. */
  removeQuery(id: string): Promise<void>;
}

export interface BulkStatus {
  readonly id: string;
  /** `JobComplete` does not mean that no row failed. */
  readonly state: 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';
  readonly processed: number;
  readonly failed: number;
  /** Why the job as a whole failed, in Salesforce's words. */
  readonly error: string | undefined;
}

export interface BulkRow {
  /** As Salesforce gave back what was sent; some come back in another form. */
  readonly values: Readonly<Record<string, string>>;
  readonly id: string | undefined;
  readonly isCreated: boolean;
  readonly failure: Refusal | undefined;
}
