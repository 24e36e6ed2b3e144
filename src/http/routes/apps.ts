import { z } from 'zod';
import { holds } from '../../../permissions/catalog.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { SCOPES } from '../../domain/scopes.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { setter } from './by-operator.ts';

const appAnswer = z
  .strictObject({
    id: z.string(),
    operator: z.string().describe('Who let it in, and in whose name it asks'),
    bot: z.string(),
    client: z.string().describe('As it calls itself; may be empty'),
    host: z.string().describe('Where its access was sent'),
    scopes: z.array(z.enum(SCOPES)),
    createdAt: momentAnswer,
    usedAt: momentAnswer,
    expiresAt: momentAnswer.describe('Unused until then, it ends by itself'),
  })
  .meta({ id: 'ConnectedApp' });

/** Programs that act in a person's name: one's own, and for whoever manages operators everybody's. */
export function appRoutes({ identity }: HttpDeps) {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/apps',
      summary: 'Programs that people let in by sign-in',
      who: ['operator'],
      isNarrowed: true,
      answer: z.strictObject({ apps: z.array(appAnswer) }),
      async handle({ caller: { operator } }) {
        const apps = await identity.apps(holds(operator, 'MANAGE_OPERATORS') ? {} : { operator: operator.name });
        return {
          json: {
            apps: apps.map(({ createdAt, usedAt, expiresAt, ...app }) => ({
              ...app,
              createdAt: isoTime(createdAt),
              usedAt: isoTime(usedAt),
              expiresAt: isoTime(expiresAt),
            })),
          },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/apps/{id}',
      summary: 'End one: its next request is refused',
      who: ['operator'],
      isNarrowed: true,
      answer: z.strictObject({ ended: z.literal(true) }),
      async handle({ caller, params: { id } }) {
        const { operator } = caller;
        const mayAll = holds(operator, 'MANAGE_OPERATORS');
        if (await identity.end(id, { ...setter(caller), ...(mayAll ? {} : { operator: operator.name }) }))
          return { json: { ended: true as const } };
        throw new GatehouseError('not_found', 'There is no such connected app of yours.', {
          next: 'See them with GET /api/apps.',
        });
      },
    }),
  ];
}
