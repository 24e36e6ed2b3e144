import { z } from 'zod';
import {
  changeRole,
  createOperator,
  listOperators,
  newOperatorKey,
  newSignInLink,
  removeOperator,
  revokeOperatorKeys,
} from '../../access/operators.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { deleteBot, issueBotKey } from '../../policy/save.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { browserOf, bySession, justSignedIn, setter } from './by-operator.ts';

const role = z.string().min(1).max(40).describe('A shipped role, or one of GET /api/roles');
const botKeyKind = z.enum(['agent', 'host']);
const keyAnswer = z.string().describe('In the clear this once');
const newKey = { key: keyAnswer, revoked: z.int().describe('Earlier keys that ended') };
const listedAnswer = z.strictObject({ name: z.string(), role: z.string(), createdAt: momentAnswer, keys: z.int() });

/** Who administers, approves and looks, and the keys of people and bots. Whatever makes a key or an operator wants a browser session (C3). */
export function operatorRoutes(deps: HttpDeps) {
  const byPerson = (caller: Parameters<typeof bySession>[0]) => {
    browserOf(caller);
    return justSignedIn(caller, deps.now());
  };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/operators',
      summary: 'Operators with their roles and the number of their live keys',
      who: ['operator'],
      permission: 'MANAGE_OPERATORS',
      answer: z.strictObject({ operators: z.array(listedAnswer) }),
      async handle() {
        const operators = await listOperators(deps);
        return { json: { operators: operators.map((one) => ({ ...one, createdAt: isoTime(one.createdAt) })) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/operators',
      summary: 'Make an operator; answers the key once',
      who: ['operator'],
      permission: 'MANAGE_OPERATORS',
      body: z.strictObject({ name: z.string().min(1).max(64), role }),
      status: 201,
      answer: z.strictObject({ operator: z.string(), role: z.string(), key: keyAnswer }),
      async handle({ caller, body: { name, role } }) {
        const key = await createOperator(deps, name, role, byPerson(caller));
        return { json: { operator: name, role, key } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/operators/{name}',
      summary: 'Change a role; the last admin stays one',
      who: ['operator'],
      permission: 'MANAGE_OPERATORS',
      body: z.strictObject({ role }),
      answer: z.strictObject({ operator: z.string(), role: z.string() }),
      async handle({ caller, params: { name }, body: { role } }) {
        await changeRole(deps, name, role, byPerson(caller));
        return { json: { operator: name, role } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/operators/{name}',
      summary: 'Remove an operator, with sessions, links and keys',
      who: ['operator'],
      permission: 'MANAGE_OPERATORS',
      answer: z.strictObject({ operator: z.string(), removed: z.literal(true) }),
      async handle({ caller, params: { name } }) {
        await removeOperator(deps, name, justSignedIn(caller, deps.now()));
        return { json: { operator: name, removed: true } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/operators/{name}/keys',
      summary: 'Make a further key, or with replace the only one; answers it once',
      who: ['operator'],
      permission: 'MANAGE_OPERATORS',
      body: z.strictObject({ replace: z.boolean().default(false) }),
      status: 201,
      answer: z.strictObject({ operator: z.string(), ...newKey }),
      async handle({ caller, params: { name }, body }) {
        return { json: { operator: name, ...(await newOperatorKey(deps, name, body, byPerson(caller))) } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/operators/{name}/keys',
      summary: 'Revoke every key of an operator',
      who: ['operator'],
      permission: 'MANAGE_OPERATORS',
      answer: z.strictObject({ operator: z.string(), revoked: z.int() }),
      async handle({ caller, params: { name } }) {
        return {
          json: { operator: name, revoked: await revokeOperatorKeys(deps, name, justSignedIn(caller, deps.now())) },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/operators/{name}/sign-in-link',
      summary: 'A link that signs an operator in once, within ten minutes; answered once',
      who: ['operator'],
      permission: 'MANAGE_OPERATORS',
      body: z.strictObject({}),
      status: 201,
      answer: z.strictObject({ operator: z.string(), link: z.string(), expiresAt: momentAnswer }),
      async handle({ caller, params: { name }, baseUrl }) {
        const { token, expiresAt } = await newSignInLink(deps, name, byPerson(caller));
        // The token stands after the #: browsers send it to no server, and no log has it.
        return { json: { operator: name, link: `${baseUrl}/sign-in#${token}`, expiresAt: isoTime(expiresAt) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/keys',
      summary: 'Make an agent or host key of a bot; answers it once',
      who: ['operator'],
      permission: 'MANAGE_BOTS',
      body: z.strictObject({ kind: botKeyKind, replace: z.boolean().default(false) }),
      status: 201,
      answer: z.strictObject({ bot: z.string(), kind: botKeyKind, ...newKey }),
      async handle({ caller, params, body }) {
        const bot = await botNamed(deps.store, params.bot);
        return { json: { bot: bot.name, ...(await issueBotKey(deps, bot.name, body, bySession(caller))) } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/bots/{bot}',
      summary: 'Delete a bot and all that is kept of it but its audit; `confirm` is its name once more',
      who: ['operator'],
      permission: 'MANAGE_BOTS',
      query: z.strictObject({ confirm: z.string().max(100) }),
      answer: z.strictObject({ bot: z.string(), deleted: z.literal(true), revoked: z.boolean() }),
      async handle({ caller, params, query }) {
        const bot = await botNamed(deps.store, params.bot);
        if (query.confirm !== bot.name)
          throw new GatehouseError('invalid_input', 'The name was not confirmed; nothing was deleted.', {
            next: 'Send confirm= with the name of the bot.',
            fields: [{ name: 'confirm', problem: 'is not the name of the bot' }],
          });
        return { json: { bot: bot.name, deleted: true, ...(await deleteBot(deps, bot.name, setter(caller))) } };
      },
    }),
  ];
}
