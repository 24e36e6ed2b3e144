import type { Audit } from '../audit/audit.ts';
import type { Store } from '../ports/store.ts';
import type { Clients } from './clients.ts';

/** What the parts of this room share. */
export interface IdentityDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly clients: Clients;
  /** So many random bytes, as base64url. */
  readonly random: (bytes: number) => string;
  readonly newId: () => string;
  readonly now: () => number;
}
