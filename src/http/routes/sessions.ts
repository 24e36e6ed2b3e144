import { z } from 'zod';
import { momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';

/** Chat sessions of the host app: whose account a visitor is comes from here, signed, and from nowhere else (O9, P6). */
export function sessionRoutes({ access, context, now }: HttpDeps) {
  const routes = [
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/sessions',
      summary: 'Sign the index value of a chat session',
      who: ['host'],
      body: z.strictObject({
        indexValue: z.string().min(1).max(255).describe("The customer's value in the bot's index field"),
        user: z
          .string()
          .min(1)
          .max(200)
          .optional()
          .describe('Your own id of the person; keeps chats of one account apart'),
        ttlSeconds: z.int().min(60).max(86_400).default(3600),
      }),
      status: 201,
      answer: z.strictObject({ session: z.string(), expiresAt: momentAnswer }),
      async handle({ caller, body }) {
        const { indexValue, user } = body;
        const ttlMs = body.ttlSeconds * 1000;
        const claims = { indexValue, user };
        return {
          json: {
            session: access.signSession(caller.bot, caller.principal, claims, ttlMs),
            expiresAt: isoTime(now() + ttlMs),
          },
        };
      },
    }),
  ];
  if (context === undefined) return routes;
  return [
    ...routes,
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/context',
      summary: 'The account behind a chat session, as far as policy allows',
      who: ['host'],
      answer: z.record(z.string(), z.unknown()).describe('Fields of the account by API name'),
      async handle({ caller, headers }) {
        const session = headers.get('gatehouse-session');
        if (session === null)
          throw new GatehouseError('invalid_input', 'The header Gatehouse-Session is missing.', {
            next: 'Send the session that POST /api/bots/BOT/sessions answered.',
            fields: [{ name: 'Gatehouse-Session', problem: 'missing' }],
          });
        return { json: await context(caller.bot, await access.verifySession(caller.bot, session)) };
      },
    }),
  ];
}
