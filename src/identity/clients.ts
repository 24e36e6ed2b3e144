import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { isSameSecret, sha256 } from '../domain/canonical-json.ts';
import { OAuthRefusal } from '../domain/oauth-refusal.ts';
import { oneLine } from '../domain/safe-text.ts';
import type { ClientRegistration, OAuthClient } from '../ports/identity.ts';
import { isUsableRedirect } from './redirects.ts';

/**
 * Programs by what they registered (RFC 7591), without a table: their id is what they said, sealed with our secret. Nothing
 * can be flooded, and nothing expires under a client that keeps its id for years.
 */
export interface Clients {
  register(metadata: unknown): ClientRegistration;
  /** Undefined for an id that we did not make. */
  find(clientId: string): OAuthClient | undefined;
}

const PREFIX = 'ghc_';
const MOST_REDIRECTS = 5;
/** Of one redirect, and of all together; ids travel in addresses. */
const MOST_REDIRECT = 500;
const MOST_IN_ALL = 1_500;
const MOST_NAME = 80;

const metadata = z.looseObject({
  redirect_uris: z.array(z.string()).min(1).max(50),
  client_name: z.string().optional(),
  token_endpoint_auth_method: z.string().optional(),
});

export function createClients(key: Buffer): Clients {
  const seal = (body: string) => createHmac('sha256', key).update(body).digest('base64url');

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

    find(clientId) {
      const [body = '', ...rest] = clientId.slice(PREFIX.length).split('.');
      if (!clientId.startsWith(PREFIX) || !isSameSecret(rest.join('.'), seal(body))) return undefined;
      // Read only after the seal held, so the shape is ours.
      const [name = '', ...redirects] = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as string[];
      return { key: sha256(clientId), name, redirects };
    },
  };
}
