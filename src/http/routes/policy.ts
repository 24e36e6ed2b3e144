import { z } from 'zod';
import { type Policy, parsePolicy } from '../../../permissions/policy.ts';
import { type FieldProblem, GatehouseError } from '../../errors.ts';
import type { HttpDeps } from '../deps.ts';
import { findBot } from '../find-bot.ts';
import { defineRoute, type Route } from '../route.ts';

/** Policy of a bot: read as it stands, saved whole, every save a revision. */
export function policyRoutes({ store, audit, actions, now }: HttpDeps): readonly Route[] {
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
        const policy = checked(body, new Set(actions.map(({ name }) => name)));
        const from = revisionOf(headers.get('if-match')) ?? bot.policyRevision;
        const revision = await store.bots.savePolicy(bot.name, policy, caller.principal, now(), from);
        if (revision === undefined)
          throw new GatehouseError('conflict', 'Somebody saved this policy since you read it.', {
            next: 'Read it again, repeat your change and save.',
          });
        await audit.record({
          bot: bot.name,
          principal: caller.principal,
          channel: 'rest',
          action: 'policy',
          event: 'policy_saved',
          policyRevision: revision,
        });
        return { json: { bot: bot.name, revision, policy }, headers: { etag: `"${revision}"` } };
      },
    }),
  ];
}

/** A rule for an action that does not exist is a rule that does not hold: the save stops with its place. */
function checked(body: unknown, actions: ReadonlySet<string>): Policy {
  const parsed = parsePolicy(body);
  if ('problems' in parsed) throw refuse(parsed.problems);
  const { policy } = parsed;
  const problems = [
    ...Object.keys(policy.actions)
      .filter((name) => !actions.has(name))
      .map((name) => `actions.${name}`),
    ...policy.off.flatMap((name, at) => (actions.has(name) ? [] : [`off[${at}]`])),
  ].map((name) => ({ name, problem: 'names no action' }));
  if (problems.length > 0) throw refuse(problems);
  return policy;
}

function revisionOf(ifMatch: string | null): number | undefined {
  if (ifMatch === null) return undefined;
  const found = /^"?(\d{1,9})"?$/.exec(ifMatch)?.[1];
  if (found === undefined) throw refuse([{ name: 'If-Match', problem: 'is not the ETag of a revision' }]);
  return Number(found);
}

function refuse(fields: readonly FieldProblem[]): GatehouseError {
  return new GatehouseError('invalid_input', `The policy is not saved: ${fields.length} problem(s).`, {
    next: fields.map(({ name, problem }) => `${name}: ${problem}`).join('; '),
    fields,
  });
}
