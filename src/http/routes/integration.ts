import type { HttpDeps } from '../deps.ts';
import { findBot } from '../find-bot.ts';
import { defineRoute, type Route } from '../route.ts';

/** The connection of a bot: what state it is in, and its end. It begins on the console's connect page. */
export function integrationRoutes(deps: HttpDeps): readonly Route[] {
  const { connections, store } = deps;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/integration',
      summary: 'State of the Salesforce connection',
      who: ['agent', 'host', 'operator'],
      permission: 'READ_INTEGRATIONS',
      async handle({ params }) {
        await findBot(store, params.bot);
        return { json: { bot: params.bot, simulated: deps.isSimulated, ...(await connections.status(params.bot)) } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/bots/{bot}/integration',
      summary: 'Disconnect: revokes at Salesforce and deletes the tokens',
      who: ['operator'],
      permission: 'DELETE_INTEGRATIONS',
      async handle({ params, caller }) {
        await findBot(store, params.bot);
        return { json: await disconnect(deps, params.bot, caller.principal, 'rest') };
      },
    }),
  ];
}

export async function disconnect(
  { connections, audit }: Pick<HttpDeps, 'connections' | 'audit'>,
  bot: string,
  principal: string,
  channel: 'rest' | 'console',
): Promise<{ readonly revoked: boolean }> {
  const ended = await connections.disconnect(bot);
  await audit.record({ bot, principal, channel, action: 'integration', event: 'disconnected', detail: ended });
  return ended;
}
