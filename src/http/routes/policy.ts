import { z } from 'zod';
import { checkedPolicy, refusedPolicy, savePolicy } from '../../settings.ts';
import type { HttpDeps } from '../deps.ts';
import { findBot } from '../find-bot.ts';
import { defineRoute, type Route } from '../route.ts';

/** Policy of a bot: read as it stands, saved whole, every save a revision. */
export function policyRoutes(deps: HttpDeps): readonly Route[] {
  const { store } = deps;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/policy',
      summary: 'The policy and its revision (also as ETag)',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      async handle({ params }) {
        const { name, policyRevision, policy } = await findBot(store, params.bot);
        return {
          json: { bot: name, revision: policyRevision, policy },
          headers: { etag: `"${policyRevision}"` },
        };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/policy',
      summary: 'Save a new revision; with If-Match only over the revision you read',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: z.unknown(),
      async handle({ params, caller, body, headers }) {
        const bot = await findBot(store, params.bot);
        const policy = checkedPolicy(body, deps.actions);
        const from = revisionOf(headers.get('if-match')) ?? bot.policyRevision;
        const by = { principal: caller.principal, channel: 'rest' } as const;
        const revision = await savePolicy(deps, bot.name, { policy, from, by });
        return { json: { bot: bot.name, revision, policy }, headers: { etag: `"${revision}"` } };
      },
    }),
  ];
}

function revisionOf(ifMatch: string | null): number | undefined {
  if (ifMatch === null) return undefined;
  const found = /^"?(\d{1,9})"?$/.exec(ifMatch)?.[1];
  if (found === undefined) throw refusedPolicy([{ name: 'If-Match', problem: 'is not the ETag of a revision' }]);
  return Number(found);
}
