import type { HttpDeps } from '../deps.ts';
import { connected } from '../routes/integration.ts';
import { type Page, pathTo } from './page.ts';

/** Back from Salesforce's login (O1, O8): it begins in the console, to connect a bot or to deploy its package. */
export function callbackPage(deps: HttpDeps): Page {
  return {
    method: 'GET',
    path: '/oauth/callback',
    permission: 'CREATE_OAUTH',
    async handle({ session, query }) {
      const by = { principal: `operator:${session.name}`, channel: 'console' } as const;
      const deployed = await (await deps.orgDeploy()).finish(
        {
          sessionId: session.id,
          state: query.get('state') ?? undefined,
          code: query.get('code') ?? undefined,
          error: query.get('error') ?? undefined,
        },
        by,
      );
      if (deployed !== undefined)
        return { goTo: `${pathTo('bots', deployed.bot, 'org')}?view=package&deployment=${deployed.id}` };
      const { bot } = await deps.connections.finish({
        sessionId: session.id,
        bots: session.bots,
        state: query.get('state') ?? undefined,
        code: query.get('code') ?? undefined,
        error: query.get('error') ?? undefined,
        errorDescription: query.get('error_description') ?? undefined,
      });
      return { goTo: await connected(deps, bot, by) };
    },
  };
}
