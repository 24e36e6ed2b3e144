import { z } from 'zod';
import { policySchema } from '../../../permissions/policy.ts';
import { parseOrThrow } from '../../domain/validation.ts';
import { botNamed } from '../../policy/permit.ts';
import { checkedPolicyOf, refusedPolicy, savePolicy } from '../../policy/save.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';

const savedAnswer = { bot: z.string(), revision: z.int(), policy: policySchema.meta({ id: 'Policy' }) };

/** Policy of a bot: read as it stands, saved whole, every save a revision. */
export function policyRoutes(deps: HttpDeps) {
  const { store } = deps;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/policy',
      summary: 'The policy and its revision (also as ETag)',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject(savedAnswer),
      async handle({ params }) {
        const { name, policyRevision, policy } = await botNamed(store, params.bot);
        return {
          json: { bot: name, revision: policyRevision, policy },
          headers: { etag: `"${policyRevision}"` },
        };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/policy',
      summary:
        'Save a new revision: a policy, or what GET answered; with its revision (or If-Match) only over that one',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: z.unknown(),
      answer: z.strictObject({ ...savedAnswer, warnings: z.array(z.string()).optional() }),
      async handle({ params, caller, body, headers }) {
        const bot = await botNamed(store, params.bot);
        const sent = unwrapped(body, bot.name);
        const { policy, warnings } = await checkedPolicyOf(deps, bot.name, sent.policy);
        const from = revisionOf(headers.get('if-match')) ?? sent.revision ?? bot.policyRevision;
        const by = { principal: caller.principal, channel: 'rest' } as const;
        const revision = await savePolicy(deps, bot.name, { policy, from, by });
        return {
          json: { bot: bot.name, revision, policy, ...(warnings.length === 0 ? {} : { warnings }) },
          headers: { etag: `"${revision}"` },
        };
      },
    }),
  ];
}

/** A policy alone, or in what GET answers: no policy has a key `policy`. */
function unwrapped(body: unknown, bot: string): { readonly policy: unknown; readonly revision?: number | undefined } {
  if (typeof body !== 'object' || body === null || Object.keys(body).length === 0)
    throw refusedPolicy([{ name: '(top)', problem: 'is no policy; an empty one would reset everything' }]);
  return 'policy' in body
    ? parseOrThrow(
        z.strictObject({
          policy: z.unknown(),
          revision: z.int().min(1).optional(),
          warnings: z.unknown().optional(),
          bot: z.literal(bot, `is another bot than ${bot}`).optional(),
        }),
        body,
        { what: 'The request', whole: '(body)' },
      )
    : { policy: body };
}

function revisionOf(ifMatch: string | null): number | undefined {
  if (ifMatch === null) return undefined;
  const found = /^"?(\d{1,9})"?$/.exec(ifMatch)?.[1];
  if (found === undefined) throw refusedPolicy([{ name: 'If-Match', problem: 'is not the ETag of a revision' }]);
  return Number(found);
}
