import type { HttpDeps } from '../deps.ts';
import { connected } from '../routes/integration.ts';
import type { Page } from './page.ts';

/** Back from Salesforce's login (O1, O8): it begins in the console, `POST /api/bots/{bot}/integration/connect`. */
export function callbackPage(deps: HttpDeps): Page {
  return {
    method: 'GET',
    path: '/oauth/callback',
    permission: 'CREATE_OAUTH',
    async handle({ session, query }) {
      const { bot } = await deps.connections.finish({
        sessionId: session.id,
        state: query.get('state') ?? undefined,
        code: query.get('code') ?? undefined,
        error: query.get('error') ?? undefined,
        errorDescription: query.get('error_description') ?? undefined,
      });
      return { goTo: await connected(deps, bot, { principal: `operator:${session.name}`, channel: 'console' }) };
    },
  };
}
