import { z } from 'zod';
import { OUTCOMES } from '../../domain/decision-outcome.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { browserOf } from './by-operator.ts';

/** Whether nothing was done here yet, and there is a demo to look at instead. */
export async function offersDemo({ openDemo, store }: HttpDeps): Promise<boolean> {
  if (openDemo === undefined || (await store.bots.list()).length > 1) return false;
  const events = Object.values(OUTCOMES).flat();
  return (await store.audit.find({ events, limit: 1 })).length === 0;
}

/** The company of `gatehouse demo --console`, opened from an install in which nothing was done yet. */
export function demoRoute(deps: HttpDeps) {
  return defineRoute({
    method: 'POST',
    path: '/api/demo',
    summary: 'Opens the demo company in a console and a folder of its own; answers a link that signs in once',
    who: ['operator'],
    permission: 'MANAGE_BOTS',
    answer: z.strictObject({ signIn: z.string() }),
    async handle({ caller }) {
      browserOf(caller);
      if (deps.openDemo !== undefined && (await offersDemo(deps))) return { json: await deps.openDemo() };
      throw new GatehouseError('conflict', 'The demo opens from an install in which nothing was done yet.', {
        next: 'Start it in a terminal: gatehouse demo --console.',
      });
    },
  });
}
