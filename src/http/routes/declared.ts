import { z } from 'zod';
import { momentAnswer } from '../../domain/answers.ts';
import { permissionOf, riskOf } from '../../domain/declaration.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { checkDeclared, declaredNamed, removeDeclared, saveDeclared } from '../../policy/declared.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import type { HttpDeps } from '../deps.ts';
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
      summary: 'One declared action: its definition, and who saved its revisions',
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
            history: history.map(({ revision, state, by, at }) => ({ revision, state, by, at: isoTime(at) })),
          },
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
      }),
      async handle({ params, body }) {
        const bot = await botNamed(store, params.bot);
        const { declaration, permission, dropsGrant, warnings } = await checkDeclared(
          deps,
          bot,
          named(body, params.name),
        );
        return { json: { name: declaration.name, permission, dropsGrant, warnings: [...warnings] } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/declared-actions/{name}',
      summary: 'Save a declared action as a new revision',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: sent,
      answer: z.strictObject({ ...shownAnswer, warnings: z.array(z.string()) }),
      async handle({ params, caller, body }) {
        const bot = await botNamed(store, params.bot);
        const { declaration, revision, warnings } = await saveDeclared(
          deps,
          bot,
          named(body, params.name),
          setter(caller),
        );
        const after = await botNamed(store, bot.name);
        return { json: { ...shown(after, { declaration, revision }), warnings: [...warnings] } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/bots/{bot}/declared-actions/{name}',
      summary: 'Remove a declared action, with its grant and its line in the policy',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      answer: z.strictObject({ name: z.string(), permission: z.string(), revision: z.int() }),
      async handle({ params, caller }) {
        const bot = await botNamed(store, params.bot);
        const { permission, revision } = await removeDeclared(deps, bot, params.name, setter(caller));
        return { json: { name: params.name, permission, revision } };
      },
    }),
  ];
}

/** The address says which action is meant; a definition of another one is a mistake. */
function named(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null || !('name' in body) || body.name === name) return body;
  throw new GatehouseError('invalid_input', 'The definition has another name than the address.', {
    next: 'Send it to the address of its own name. A renamed action is another one: remove the old one.',
    fields: [{ name: 'name', problem: `is not ${name.slice(0, 80)}` }],
  });
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
