import { z } from 'zod';
import { momentAnswer } from '../../domain/answers.ts';
import { lookupNotes } from '../../policy/lookups.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';

const moment = momentAnswer.optional();
const text = z.string().optional();
const connectionAnswer = z
  .strictObject({
    state: z.enum(['connected', 'needs_reauth', 'disconnected', 'never_connected']),
    environment: z.enum(['production', 'sandbox', 'simulated']).optional(),
    // From here on for operators alone.
    bot: text,
    simulated: z.boolean().optional(),
    id: text,
    flow: text,
    orgId: text,
    username: text,
    instanceUrl: text,
    scopes: text,
    connectedAt: moment,
    breaker: z.strictObject({ state: z.enum(['closed', 'open', 'half-open']), nextTryAt: moment }).optional(),
    api: z.strictObject({ used: z.int(), max: z.int(), at: momentAnswer }).optional(),
    lastSuccessAt: moment,
    lastFailure: z
      .strictObject({ at: momentAnswer, code: z.string(), message: z.string(), next: z.string() })
      .optional(),
    lastSyncAt: moment,
    lastEventAt: moment,
    successes: z.int().optional(),
    failures: z.int().optional(),
    lookups: z
      .array(z.strictObject({ name: z.string(), problem: z.string(), next: z.string(), fitting: z.array(z.string()) }))
      .optional()
      .describe('Fields by which people name records, and which this org does not have'),
  })
  .meta({ id: 'Connection' });

/** The connection of a bot: what state it is in, and its end. It begins on the console's connect page. */
export function integrationRoutes(deps: HttpDeps) {
  const { connections, store } = deps;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/integration',
      summary:
        'The Salesforce connection: to keys of the bot its state and environment, to operators all that is known',
      who: ['agent', 'host', 'operator'],
      permission: 'READ_INTEGRATIONS',
      answer: connectionAnswer,
      async handle({ params, caller }) {
        const bot = await botNamed(store, params.bot);
        const status = await connections.status(params.bot);
        // Whose org it is, and as whom, is for people alone (P1): a model repeats what it reads.
        if (caller.kind !== 'operator') return { json: { state: status.state, environment: status.environment } };
        const lookups = status.state === 'connected' ? await lookupNotes(connections, bot) : [];
        return {
          json: {
            bot: params.bot,
            simulated: deps.isSimulated,
            ...status,
            ...(lookups.length === 0 ? {} : { lookups }),
          },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/bots/{bot}/integration',
      summary: 'Disconnect: revokes at Salesforce and deletes the tokens',
      who: ['operator'],
      permission: 'DELETE_INTEGRATIONS',
      answer: z.strictObject({ revoked: z.boolean() }),
      async handle({ params, caller }) {
        await botNamed(store, params.bot);
        return { json: await disconnect(deps, params.bot, caller.principal, 'rest') };
      },
    }),
  ];
}

export async function disconnect(
  { connections, audit }: Pick<HttpDeps, 'connections' | 'audit'>,
  bot: string,
  principal: string,
  channel: 'rest' | 'console',
): Promise<{ readonly revoked: boolean }> {
  const ended = await connections.disconnect(bot);
  await audit.record({ bot, principal, channel, action: 'integration', event: 'disconnected', detail: ended });
  return ended;
}
