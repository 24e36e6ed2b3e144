import { z } from 'zod';
import { ROLES } from '../../../permissions/catalog.ts';
import {
  changeRole,
  createOperator,
  listOperators,
  newOperatorKey,
  removeOperator,
  revokeOperatorKeys,
} from '../../access/operators.ts';
import type { Setter } from '../../audit/audit.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { deleteBot, issueBotKey } from '../../policy/save.ts';
import { type Caller, defineRoute, type Route } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';

/** Who administers, approves and looks, and the keys of people and bots. Whatever makes a key or an operator wants a browser session (C3). */
export function operatorRoutes(deps: HttpDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/operators',
      summary: 'Operators with their roles and the number of their live keys',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
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
      permission: 'MANAGE_GRANTS',
      body: z.strictObject({ name: z.string().min(1).max(64), role: z.enum(ROLES) }),
      async handle({ caller, body: { name, role } }) {
        const key = await createOperator(deps, name, role, bySession(caller));
        return { status: 201, json: { operator: name, role, key } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/operators/{name}',
      summary: 'Change a role; the last admin stays one',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
      body: z.strictObject({ role: z.enum(ROLES) }),
      async handle({ caller, params: { name }, body: { role } }) {
        await changeRole(deps, name, role, bySession(caller));
        return { json: { operator: name, role } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/operators/{name}',
      summary: 'Remove an operator, with sessions, links and keys',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
      async handle({ caller, params: { name } }) {
        await removeOperator(deps, name, setter(caller));
        return { json: { operator: name, removed: true } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/operators/{name}/keys',
      summary: 'Make a further key, or with replace the only one; answers it once',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
      body: z.strictObject({ replace: z.boolean().default(false) }),
      async handle({ caller, params: { name }, body }) {
        return {
          status: 201,
          json: { operator: name, ...(await newOperatorKey(deps, name, body, bySession(caller))) },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/operators/{name}/keys',
      summary: 'Revoke every key of an operator',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
      async handle({ caller, params: { name } }) {
        return { json: { operator: name, revoked: await revokeOperatorKeys(deps, name, setter(caller)) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/keys',
      summary: 'Make an agent or host key of a bot; answers it once',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
      body: z.strictObject({ kind: z.enum(['agent', 'host']), replace: z.boolean().default(false) }),
      async handle({ caller, params, body }) {
        const bot = await botNamed(deps.store, params.bot);
        return {
          status: 201,
          json: { bot: bot.name, ...(await issueBotKey(deps, bot.name, body, bySession(caller))) },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/bots/{bot}',
      summary: 'Delete a bot and all that is kept of it but its audit; `confirm` is its name once more',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
      query: z.strictObject({ confirm: z.string().max(100) }),
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

type OperatorCaller = Extract<Caller, { kind: 'operator' }>;

const setter = ({ principal, by }: OperatorCaller): Setter => ({
  principal,
  channel: by === 'session' ? 'console' : 'rest',
});

/** A key that makes keys would outlive its own revocation. */
function bySession(caller: OperatorCaller): Setter {
  if (caller.by === 'session') return setter(caller);
  throw new GatehouseError('permission_denied', 'Operators and keys are made by a signed-in person, not by a key.', {
    next: 'Sign in to the console and use Operators, or the terminal: gatehouse operator create NAME --role ROLE.',
  });
}
