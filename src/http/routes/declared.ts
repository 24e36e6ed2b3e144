import { z } from 'zod';
import { policyChanges } from '../../../permissions/policy-changes.ts';
import { toAction } from '../../declared/to-action.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { permissionOf, riskOf } from '../../domain/declaration.ts';
import { toolSchema } from '../../domain/tool-schema.ts';
import { checkDeclared, declaredNamed, named, removeDeclared, saveDeclared } from '../../policy/declared.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import type { HttpDeps } from '../deps.ts';
import { revisionMeant } from '../if-match.ts';
import { isoTime } from '../iso-time.ts';
import { setter } from './by-operator.ts';

const definition = z.record(z.string(), z.unknown()).describe('As docs/declared-actions.md says');
const shownAnswer = {
  name: z.string(),
  revision: z.int(),
  operation: z.string(),
  risk: z.enum(['read', 'write', 'destructive']),
  permission: z.string(),
  granted: z.boolean(),
};

/** The check reads it, so that every mistake is told at once, with its place. */
const sent = z.unknown() as z.ZodType<unknown, object>; // takes anything, so that nothing is refused before it

/** Actions that operators declare for one bot. */
export function declaredRoutes(deps: HttpDeps) {
  const { store } = deps;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/declared-actions',
      summary: 'The declared actions of a bot',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({ bot: z.string(), actions: z.array(z.strictObject(shownAnswer)) }),
      async handle({ params }) {
        const bot = await botNamed(store, params.bot);
        return { json: { bot: bot.name, actions: bot.declared.map((one) => shown(bot, one)) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/declared-actions/{name}',
      summary: 'One declared action: its definition, its revision (also as ETag), and who changed what of it',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({
        ...shownAnswer,
        definition,
        history: z.array(
          z.strictObject({
            revision: z.int(),
            state: z.enum(['live', 'removed']),
            by: z.string(),
            at: momentAnswer,
            definition: definition.nullable(),
            changes: z
              .array(
                z.strictObject({ name: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
              )
              .describe('Of the revision before'),
          }),
        ),
      }),
      async handle({ params }) {
        const bot = await botNamed(store, params.bot);
        const found = declaredNamed(bot, params.name);
        const history = await store.bots.declaredHistory(bot.name, found.declaration.name);
        return {
          json: {
            ...shown(bot, found),
            definition: { ...found.declaration },
            history: history.map(({ revision, state, by, at, declaration }, nth) => ({
              ...{ revision, state, by, at: isoTime(at), definition: declaration && { ...declaration } },
              changes: policyChanges(history[nth - 1]?.declaration ?? {}, declaration ?? {}),
            })),
          },
          headers: { etag: `"${found.revision}"` },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/declared-actions/{name}/check',
      summary: 'What a save would say, without saving: every mistake with its place, and the warnings',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: sent,
      answer: z.strictObject({
        name: z.string(),
        permission: z.string(),
        dropsGrant: z.boolean().describe('A save takes the grant away: it would do something else'),
        warnings: z.array(z.string()),
        input: z.record(z.string(), z.unknown()).describe('JSON Schema of what a call gives'),
      }),
      async handle({ params, body }) {
        const bot = await botNamed(store, params.bot);
        const { declaration, permission, dropsGrant, warnings } = await checkDeclared(
          deps,
          bot,
          named(body, params.name),
        );
        const input = toolSchema(toAction({ revision: 0, declaration }).input, 'input');
        return { json: { name: declaration.name, permission, dropsGrant, warnings: [...warnings], input } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/declared-actions/{name}',
      summary:
        'Save a declared action as a new revision; with If-Match over that one alone, with If-None-Match: * as the first',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: sent,
      answer: z.strictObject({ ...shownAnswer, warnings: z.array(z.string()) }),
      async handle({ params, caller, body, headers }) {
        const bot = await botNamed(store, params.bot);
        const { declaration, revision, warnings } = await saveDeclared(
          deps,
          bot,
          named(body, params.name),
          setter(caller),
          revisionMeant(headers),
        );
        const after = await botNamed(store, bot.name);
        return {
          json: { ...shown(after, { declaration, revision }), warnings: [...warnings] },
          headers: { etag: `"${revision}"` },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/bots/{bot}/declared-actions/{name}',
      summary: 'Remove a declared action, with its grant and its line in the policy; with If-Match that revision alone',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      answer: z.strictObject({ name: z.string(), permission: z.string(), revision: z.int() }),
      async handle({ params, caller, headers }) {
        const bot = await botNamed(store, params.bot);
        const from = revisionMeant(headers);
        const { permission, revision } = await removeDeclared(deps, bot, params.name, setter(caller), from);
        return { json: { name: params.name, permission, revision } };
      },
    }),
  ];
}

function shown({ grants }: BotRow, { revision, declaration }: BotRow['declared'][number]) {
  const permission = permissionOf(declaration.name);
  return {
    name: declaration.name,
    revision,
    operation: declaration.operation,
    risk: riskOf(declaration),
    permission,
    granted: grants.includes(permission),
  };
}
