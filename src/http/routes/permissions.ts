import { z } from 'zod';
import {
  type ActionPermission,
  isOperatorPermission,
  isWithin,
  SALESFORCE_ACTIONS,
} from '../../../permissions/catalog.ts';
import { actionPolicySchema, MODES } from '../../../permissions/policy.ts';
import { policyChanges } from '../../../permissions/policy-changes.ts';
import { grantWarnings, PROFILE_NAMES, PROFILES } from '../../../permissions/profiles.ts';
import { actionsOf, permissionsFor } from '../../declared/actions-of.ts';
import { type FieldProblem, GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { applyProfile, profileChange, profileWarnings } from '../../policy/profile.ts';
import { changeGrants, grantNotes } from '../../policy/save.ts';
import { standingOf } from '../../policy/standing.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import type { HttpDeps } from '../deps.ts';
import { setter } from './by-operator.ts';
import { connectionAnswer } from './integration.ts';

/** Grants: an admin's yes for one bot and one permission. */
export function permissionRoutes(deps: HttpDeps) {
  const { store } = deps;

  const rowOf = async (bot: BotRow) => {
    const { state, environment = 'production' } = await deps.connections.status(bot.name);
    return {
      name: bot.name,
      audience: bot.audience,
      mode: bot.policy.mode,
      policyRevision: bot.policyRevision,
      connection: state,
      cells: actionsOf(deps.actions, bot).map((action) => ({
        action: action.name,
        ...standingOf(action, bot, environment),
      })),
    };
  };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/permissions',
      summary: 'Every bot and every action: where it stands, in one word',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      isNarrowed: true,
      answer: z.strictObject({ actions: z.array(columnAnswer), bots: z.array(rowAnswer) }),
      async handle({ caller }) {
        const bots = (await store.bots.list()).filter(({ name }) => isWithin(caller.operator, name));
        return {
          json: {
            actions: deps.actions.map(({ name, title, permission, risk }) => ({ name, title, permission, risk })),
            bots: await Promise.all(bots.map(rowOf)),
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/permissions',
      summary: 'Permissions granted to a bot, all there are, and what each would want to be known',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({ ...shownAnswer, warnings: z.record(z.string(), z.array(z.string())) }),
      async handle({ params }) {
        const bot = await botNamed(store, params.bot);
        const warnings = Object.fromEntries(
          permissionsFor(bot).map((permission) => [permission, grantWarnings(bot.audience, permission)]),
        );
        return { json: { ...shown(bot), warnings } };
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
        await changeGrants(deps, bot, { grant, revoke }, setter(caller));
        const after = await botNamed(store, bot.name);
        const warnings = grant.flatMap((permission) => grantNotes(deps.actions, bot, permission));
        return { json: { ...shown(after), ...(warnings.length === 0 ? {} : { warnings }) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/profiles',
      summary: 'The shipped profiles, and what each would change of this bot; changes nothing',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({ bot: z.string(), revision: z.int(), profiles: z.array(profileAnswer) }),
      async handle({ params }) {
        const bot = await botNamed(store, params.bot);
        const profiles = PROFILE_NAMES.map((name) => {
          const change = profileChange(bot, name, deps.actions);
          const { grant, revoke } = change;
          return {
            name,
            grants: [...PROFILES[name].grants],
            grant: [...grant],
            revoke: [...revoke],
            changes: policyChanges(bot.policy, change.policy),
            warnings: profileWarnings(bot, change, deps.actions),
          };
        });
        return { json: { bot: bot.name, revision: bot.policyRevision, profiles } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/profile',
      summary:
        'Put a shipped profile onto a bot: grants and decisions at once, as one revision over the one that was read',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: z.strictObject({ profile: z.enum(PROFILE_NAMES), revision: z.int().min(1) }),
      answer: z.strictObject({ ...shownAnswer, revision: z.int(), warnings: z.array(z.string()) }),
      async handle({ params, caller, body: { profile, revision: from } }) {
        deps.access.require(caller.operator, 'MANAGE_GRANTS', params.bot);
        const bot = await botNamed(store, params.bot);
        const change = profileChange(bot, profile, deps.actions);
        const revision = await applyProfile(deps, bot.name, { profile, from, by: setter(caller) });
        const after = await botNamed(store, bot.name);
        return { json: { ...shown(after), revision, warnings: profileWarnings(bot, change, deps.actions) } };
      },
    }),
  ];
}

const columnAnswer = z.strictObject({
  name: z.string(),
  title: z.string(),
  permission: z.string(),
  risk: z.enum(['read', 'write', 'destructive']),
});
const rowAnswer = z.strictObject({
  name: z.string(),
  audience: z.enum(['public', 'internal']),
  mode: z.enum(MODES),
  policyRevision: z.int(),
  connection: connectionAnswer.shape.state,
  cells: z.array(
    z.strictObject({
      action: z.string(),
      word: z.enum(['runs', 'asks', 'denied', 'not_granted', 'off']),
      why: z.array(z.string()),
      policy: actionPolicySchema,
      isNamed: z.boolean().describe('The policy names it; of others every call waits'),
      isOff: z.boolean().describe('Its kill switch is pulled'),
    }),
  ),
});

const names = z.array(z.string().max(80)).max(50);
const shownAnswer = {
  bot: z.string(),
  permissions: z.array(z.string()),
  granted: z.array(z.string()).describe('The same as permissions'),
  available: z.array(z.string()).describe('Those of the catalogue, and of what was declared for this bot'),
};
const profileAnswer = z.strictObject({
  name: z.enum(PROFILE_NAMES),
  grants: z.array(z.string()),
  grant: z.array(z.string()).describe('Would be granted'),
  revoke: z.array(z.string()).describe('Would be taken back'),
  changes: z.array(z.strictObject({ name: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })),
  warnings: z.array(z.string()),
});
const READ_ONLY = {
  bot: z.string().max(100).optional(),
  granted: names.optional(),
  available: names.optional(),
  warnings: z.unknown().optional(),
};

function shown(bot: BotRow) {
  const { name, grants } = bot;
  return { bot: name, permissions: grants, granted: grants, available: permissionsFor(bot) };
}

function changesOf(
  bot: BotRow,
  body: { permissions?: string[] | undefined; grant?: string[] | undefined; revoke?: string[] | undefined },
): { grant: ActionPermission[]; revoke: string[] } {
  const wanted = body.permissions;
  const grant = known(bot, wanted?.filter((name) => !bot.grants.includes(name)) ?? body.grant ?? []);
  const revoke =
    wanted === undefined ? known(bot, body.revoke ?? []) : bot.grants.filter((name) => !wanted.includes(name));
  const both = grant.filter((name) => revoke.includes(name));
  if (both.length > 0) throw refuse(both.map((name) => ({ name, problem: 'is granted and revoked in one request' })));
  return { grant, revoke };
}

/** Fail closed, and say why a person's permission is not for a bot (P1). */
function known(bot: BotRow, given: readonly string[]): ActionPermission[] {
  const all = permissionsFor(bot);
  const problems = given
    .filter((name) => !all.some((one) => one === name))
    .map((name) => ({
      name,
      problem: isOperatorPermission(name)
        ? 'belongs to people, through their role; a bot cannot hold it'
        : 'is no permission',
    }));
  if (problems.length > 0) throw refuse(problems, all);
  return all.filter((one) => given.includes(one));
}

function refuse(
  fields: readonly FieldProblem[],
  all: readonly ActionPermission[] = SALESFORCE_ACTIONS,
): GatehouseError {
  return new GatehouseError(
    'invalid_input',
    `Not saved: ${fields.map(({ name, problem }) => `${name} ${problem}`).join('; ')}.`,
    {
      next: `Use only: ${all.join(', ')}.`,
      fields,
    },
  );
}
