import { randomBytes } from 'node:crypto';
import type { Audit } from '../audit/audit.ts';
import { deriveKey } from '../domain/canonical-json.ts';
import type { Identity } from '../ports/identity.ts';
import type { Store } from '../ports/store.ts';
import { type Clients, createClients } from './clients.ts';
import { createConsent } from './consent.ts';
import { createTokens } from './tokens.ts';

export interface IdentityDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly clients: Clients;
  /** So many random bytes, as base64url. */
  readonly random: (bytes: number) => string;
  readonly newId: () => string;
  readonly now: () => number;
}

export function createIdentity({
  secret,
  ...given
}: Pick<IdentityDeps, 'store' | 'audit' | 'newId' | 'now'> & { readonly secret: string }): Identity {
  const clients = createClients(deriveKey(secret, 'oauth clients'));
  const deps: IdentityDeps = { ...given, clients, random: (bytes) => randomBytes(bytes).toString('base64url') };
  return { register: async (metadata) => clients.register(metadata), ...createConsent(deps), ...createTokens(deps) };
}
