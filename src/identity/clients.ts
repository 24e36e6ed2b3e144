import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { isSameSecret, sha256 } from '../domain/canonical-json.ts';
import { OAuthRefusal } from '../domain/oauth-refusal.ts';
import { oneLine } from '../domain/safe-text.ts';
import type { ClientRegistration, OAuthClient } from '../ports/identity.ts';
import { type ClientDocuments, isDocumentId } from './client-document.ts';
import { isUsableRedirect, MOST_NAME, MOST_REDIRECT } from './redirects.ts';

/**
 * Programs by what they registered (RFC 7591), without a table: their id is what they said, sealed with our secret. Nothing
 * can be flooded, and nothing expires under a client that keeps its id for years.
 */
export interface Clients {
  register(metadata: unknown): ClientRegistration;
  /** By the id that we made, or by its own document. Throws `OAuthRefusal`. */
  find(clientId: string): Promise<OAuthClient>;
  /** What codes and tokens are bound to; undefined for an id that we never let in. A document is not read for it. */
  keyOf(clientId: string): string | undefined;
}

const PREFIX = 'ghc_';
const MOST_REDIRECTS = 5;
/** Of all redirects together; ids travel in addresses. */
const MOST_IN_ALL = 1_500;

const metadata = z.looseObject({
  redirect_uris: z.array(z.string()).min(1).max(50),
  client_name: z.string().optional(),
  token_endpoint_auth_method: z.string().optional(),
});

export function createClients(key: Buffer, documents: ClientDocuments): Clients {
  const seal = (body: string) => createHmac('sha256', key).update(body).digest('base64url');

  const registered = (clientId: string): OAuthClient | undefined => {
    const [body = '', ...rest] = clientId.slice(PREFIX.length).split('.');
    if (!clientId.startsWith(PREFIX) || !isSameSecret(rest.join('.'), seal(body))) return undefined;
    // Read only after the seal held, so the shape is ours.
    const [name = '', ...redirects] = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as string[];
    return { key: sha256(clientId), name, redirects };
  };

  return {
    register(given) {
      const read = metadata.safeParse(given);
      if (!read.success)
        throw new OAuthRefusal(
          'invalid_client_metadata',
          'Send a JSON object with redirect_uris, a list of addresses.',
        );
      const { redirect_uris, client_name = '' } = read.data;
      // Others of the list are left out, not refused: some programs name a scheme of their own beside the usual ones.
      const redirects = [...new Set(redirect_uris)].filter(
        (one) => one.length <= MOST_REDIRECT && isUsableRedirect(one),
      );
      if (redirects.length === 0)
        throw new OAuthRefusal(
          'invalid_redirect_uri',
          'No redirect can be used: an https address, or http on localhost, without user and fragment.',
        );
      if (redirects.length > MOST_REDIRECTS || redirects.join('').length > MOST_IN_ALL)
        throw new OAuthRefusal('invalid_redirect_uri', `Register at most ${MOST_REDIRECTS} redirects.`);
      const name = oneLine(client_name, MOST_NAME);
      const body = Buffer.from(JSON.stringify([name, ...redirects])).toString('base64url');
      return {
        client_id: `${PREFIX}${body}.${seal(body)}`,
        client_name: name,
        redirect_uris: redirects,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      };
    },

    async find(clientId) {
      if (isDocumentId(clientId)) return documents.find(clientId);
      const client = registered(clientId);
      if (client !== undefined) return client;
      throw new OAuthRefusal(
        'invalid_client',
        'This program is not registered here, or its registration is of another installation.',
      );
    },

    keyOf: (clientId) => (isDocumentId(clientId) ? sha256(clientId) : registered(clientId)?.key),
  };
}
