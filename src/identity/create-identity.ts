import { randomBytes } from 'node:crypto';
import { deriveKey } from '../domain/canonical-json.ts';
import type { Identity } from '../ports/identity.ts';
import { type ClientDocumentsDeps, createClientDocuments } from './client-document.ts';
import { createClients } from './clients.ts';
import { createConsent } from './consent.ts';
import type { IdentityDeps } from './deps.ts';
import { createTokens } from './tokens.ts';

export function createIdentity({
  secret,
  readDocument,
  log,
  ...given
}: Pick<IdentityDeps, 'store' | 'audit' | 'newId' | 'now'> &
  Omit<ClientDocumentsDeps, 'now'> & { readonly secret: string }): Identity {
  const documents = createClientDocuments({ readDocument, log, now: given.now });
  const clients = createClients(deriveKey(secret, 'oauth clients'), documents);
  const deps: IdentityDeps = { ...given, clients, random: (bytes) => randomBytes(bytes).toString('base64url') };
  return { register: async (metadata) => clients.register(metadata), ...createConsent(deps), ...createTokens(deps) };
}
