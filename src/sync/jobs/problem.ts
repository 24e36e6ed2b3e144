import type { Candidate } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';

/** One thing that is wrong, with its cure; `count` records share it. */
export interface SyncProblem {
  /** A code of ours; `pending` where records wait for nobody, `events_missing` where only polling brings changes. */
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly count: number;
  /** Of a problem that records have: by it they are listed and tried again. */
  readonly kind?: string;
  /** Of a company that people wait for: what is chosen, made or left out. */
  readonly company?: { readonly object: string; readonly name: string };
  /** Salesforce's own code, where it refused. */
  readonly salesforce?: string;
  /** What Salesforce said about the first of them. */
  readonly quote?: string;
  readonly examples: readonly (Pick<Link, 'kind' | 'localId'> & { readonly candidates?: readonly Candidate[] })[];
}
