import { z } from 'zod';
import { OPERATOR_PERMISSIONS } from '../../../permissions/catalog.ts';
import { listRoles, removeRole, saveRole } from '../../access/roles.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { browserOf, justSignedIn } from './by-operator.ts';

const permissions = z.array(z.enum(OPERATOR_PERMISSIONS));
const ofBots = 'Those that it is for; missing: every one';
const roleAnswer = z
  .strictObject({
    name: z.string(),
    permissions,
    bots: z.array(z.string()).optional().describe(ofBots),
    isShipped: z.boolean().describe('As it is everywhere; nobody changes it'),
    operators: z.int().describe('How many hold it'),
  })
  .meta({ id: 'Role' });

/** Named sets of what people may. What changes one wants a browser session of the last minutes, as whatever makes operators does. */
export function roleRoutes(deps: HttpDeps) {
  const may = { who: ['operator'], permission: 'MANAGE_OPERATORS' } as const;
  const byPerson = (caller: Parameters<typeof browserOf>[0]) => {
    browserOf(caller);
    return justSignedIn(caller, deps.now());
  };
  return [
    defineRoute({
      ...may,
      method: 'GET',
      path: '/api/roles',
      summary: 'Roles of operators with what each may, the shipped ones first',
      answer: z.strictObject({ roles: z.array(roleAnswer) }),
      async handle() {
        const roles = await listRoles(deps);
        return { json: { roles: roles.map(({ bots, ...role }) => ({ ...role, ...(bots && { bots }) })) } };
      },
    }),
    defineRoute({
      ...may,
      method: 'PUT',
      path: '/api/roles/{name}',
      summary: 'Make a role, or change what it gives to everybody who holds it; nobody gives more than they hold',
      body: z.strictObject({
        permissions: z.array(z.string().max(60)).max(40),
        bots: z.array(z.string().min(1).max(100)).max(500).optional().describe(ofBots),
      }),
      answer: z.strictObject({ role: z.string(), permissions, bots: z.array(z.string()).optional() }),
      async handle({ caller, params: { name }, body }) {
        const { permissions, bots } = await saveRole(deps, { name, ...body }, byPerson(caller));
        return { json: { role: name, permissions, ...(bots && { bots }) } };
      },
    }),
    defineRoute({
      ...may,
      method: 'DELETE',
      path: '/api/roles/{name}',
      summary: 'Remove a role that nobody holds',
      answer: z.strictObject({ role: z.string(), removed: z.literal(true) }),
      async handle({ caller, params: { name } }) {
        await removeRole(deps, name, byPerson(caller));
        return { json: { role: name, removed: true as const } };
      },
    }),
  ];
}
