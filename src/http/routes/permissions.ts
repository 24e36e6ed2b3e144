import { z } from 'zod';
import {
  type ActionPermission,
  isActionPermission,
  isOperatorPermission,
  SALESFORCE_ACTIONS,
} from '../../../permissions/catalog.ts';
import { type FieldProblem, GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { changeGrants, grantNotes } from '../../policy/save.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import type { HttpDeps } from '../deps.ts';

/** Grants: an admin's yes for one bot and one permission. */
export function permissionRoutes(deps: HttpDeps) {
  const { store } = deps;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/permissions',
      summary: 'Permissions granted to a bot, and all there are',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject(shownAnswer),
      async handle({ params }) {
        const bot = await botNamed(store, params.bot);
        return { json: shown(bot) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/permissions',
      summary: 'Grant and revoke, or set the whole list',
      who: ['operator'],
      permission: 'MANAGE_GRANTS',
      body: z
        .strictObject({
          permissions: names.optional(),
          grant: names.optional(),
          revoke: names.optional(),
          // What GET answers beside `permissions` may come back with it, and changes nothing.
          ...READ_ONLY,
        })
        .refine(
          ({ permissions, grant, revoke }) => permissions === undefined || (grant ?? revoke) === undefined,
          'send either permissions, or grant and revoke',
        )
        .refine(
          ({ permissions, grant, revoke }) => (permissions ?? grant ?? revoke) !== undefined,
          'changes nothing: send permissions, or grant and revoke',
        ),
      answer: z.strictObject({ ...shownAnswer, warnings: z.array(z.string()).optional() }),
      async handle({ params, caller, body }) {
        const bot = await botNamed(store, params.bot);
        if (body.bot !== undefined && body.bot !== bot.name)
          throw refuse([{ name: 'bot', problem: `is another bot than ${bot.name}` }]);
        const { grant, revoke } = changesOf(bot, body);
        await changeGrants(deps, bot, { grant, revoke }, { principal: caller.principal, channel: 'rest' });
        const after = await botNamed(store, bot.name);
        const warnings = grant.flatMap((permission) => grantNotes(deps.actions, bot, permission));
        return { json: { ...shown(after), ...(warnings.length === 0 ? {} : { warnings }) } };
      },
    }),
  ];
}

const names = z.array(z.string().max(80)).max(50);
const permissionAnswer = z.enum(SALESFORCE_ACTIONS);
const shownAnswer = {
  bot: z.string(),
  permissions: z.array(z.string()),
  granted: z.array(z.string()).describe('The same as permissions'),
  available: z.array(permissionAnswer),
};
const READ_ONLY = { bot: z.string().max(100).optional(), granted: names.optional(), available: names.optional() };

function shown({ name, grants }: BotRow) {
  return { bot: name, permissions: grants, granted: grants, available: SALESFORCE_ACTIONS };
}

function changesOf(
  bot: BotRow,
  body: { permissions?: string[] | undefined; grant?: string[] | undefined; revoke?: string[] | undefined },
): { grant: ActionPermission[]; revoke: string[] } {
  const wanted = body.permissions;
  const grant = known(wanted?.filter((name) => !bot.grants.includes(name)) ?? body.grant ?? []);
  const revoke = wanted === undefined ? known(body.revoke ?? []) : bot.grants.filter((name) => !wanted.includes(name));
  const both = grant.filter((name) => revoke.includes(name));
  if (both.length > 0) throw refuse(both.map((name) => ({ name, problem: 'is granted and revoked in one request' })));
  return { grant, revoke };
}

/** Fail closed, and say why a person's permission is not for a bot (P1). */
function known(given: readonly string[]): ActionPermission[] {
  const problems = given
    .filter((name) => !isActionPermission(name))
    .map((name) => ({
      name,
      problem: isOperatorPermission(name)
        ? 'belongs to people, through their role; a bot cannot hold it'
        : 'is no permission',
    }));
  if (problems.length > 0) throw refuse(problems);
  return given.filter(isActionPermission);
}

function refuse(fields: readonly FieldProblem[]): GatehouseError {
  return new GatehouseError(
    'invalid_input',
    `Not saved: ${fields.map(({ name, problem }) => `${name} ${problem}`).join('; ')}.`,
    {
      next: `Use only: ${SALESFORCE_ACTIONS.join(', ')}.`,
      fields,
    },
  );
}
