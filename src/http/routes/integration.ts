import { z } from 'zod';
import type { Setter } from '../../audit/audit.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { lookupNotes } from '../../policy/lookups.ts';
import { botNamed } from '../../policy/permit.ts';
import { reachOf } from '../../policy/reach.ts';
import { uncheckedOf } from '../../policy/save.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { browserOf, setter } from './by-operator.ts';

const moment = momentAnswer.optional();
const text = z.string().optional();
export const lookupAnswer = z.strictObject({
  name: z.string(),
  problem: z.string(),
  next: z.string(),
  fitting: z.array(z.string()),
});
/** As Salesforce gives them out: no blanks. */
const appText = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{0,512}$/, 'takes up to 512 letters, digits and signs, without blanks');

export const connectionAnswer = z
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
    app: z
      .strictObject({
        of: z.enum(['bot', 'installation']),
        clientId: z.string(),
        isFormer: z.literal(true).optional().describe('The installation has another app by now'),
      })
      .optional()
      .describe('The OAuth app it is signed in by: its own, or that of the installation'),
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
      .array(lookupAnswer)
      .optional()
      .describe('Fields by which people name records, and which this org does not have'),
    uncheckedNames: z
      .array(z.string())
      .optional()
      .describe('What of its policy was saved although the org could not be asked; save once more'),
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
        const uncheckedNames = await uncheckedOf(deps, bot.name);
        const app = await connections.app(bot.name);
        return {
          json: {
            bot: params.bot,
            simulated: deps.isSimulated,
            ...status,
            ...(app === undefined ? {} : { app }),
            ...(lookups.length === 0 ? {} : { lookups }),
            ...(uncheckedNames.length === 0 ? {} : { uncheckedNames }),
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/integration/reach',
      summary:
        'What the bot will read and write, what its Salesforce user needs, and what the app in the org must name',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({
        reads: z.array(z.string()),
        writes: z.array(z.string()),
        needs: z.array(z.string()),
        callback: z.string(),
        login: z.string().describe('Host that people log in at unless they name another'),
        hosts: z.array(z.string()).describe('Login hosts beside those of Salesforce'),
        isSimulated: z.boolean(),
      }),
      async handle({ params, baseUrl }) {
        const bot = await botNamed(store, params.bot);
        const { extraHosts } = deps.config.salesforce;
        return {
          json: {
            ...reachOf(bot, deps.actions),
            callback: callbackOf(baseUrl),
            login: new URL(await connections.login(bot.name)).host,
            hosts: extraHosts,
            isSimulated: deps.isSimulated,
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/integration/connect',
      summary:
        'Begin to connect: where the browser goes next. Only for a browser that is signed in, which must finish it',
      who: ['operator'],
      permission: 'CREATE_OAUTH',
      body: z.strictObject({
        sandbox: z.boolean().default(false),
        loginUrl: z.string().trim().max(300).default(''),
        clientId: appText
          .default('')
          .describe("Of the bot's own app; empty: the one it is connected by, else the installation's"),
        clientSecret: appText.default(''),
      }),
      answer: z.strictObject({ url: z.string() }),
      async handle({ params, caller, body: { sandbox, loginUrl, clientId, clientSecret }, baseUrl }) {
        const bot = await botNamed(store, params.bot);
        const { id: sessionId } = browserOf(caller);
        if (deps.isSimulated) {
          await connections.connect(bot.name, { flow: 'simulated' });
          return { json: { url: await connected(deps, bot.name, setter(caller)) } };
        }
        if (clientId === '' && clientSecret !== '')
          throw new GatehouseError('invalid_input', 'A client secret without its client id says nothing.', {
            next: 'Give both, or neither for the app of the installation.',
            fields: [{ name: 'clientId', problem: 'is missing' }],
          });
        const { url } = await connections.begin(bot.name, {
          sessionId,
          redirectUri: callbackOf(baseUrl),
          sandbox,
          ...(loginUrl === '' ? {} : { loginUrl }),
          ...(clientId === '' ? {} : { app: { clientId, clientSecret: clientSecret || undefined } }),
        });
        return { json: { url } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/integration/test',
      summary: 'Ask Salesforce who the bot is there: one call',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({ works: z.literal(true), at: momentAnswer }),
      async handle({ params, signal }) {
        const bot = await botNamed(store, params.bot);
        await (await connections.open(bot.name, { signal })).identity();
        return { json: { works: true, at: isoTime(deps.now()) } };
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
        return { json: await disconnect(deps, params.bot, setter(caller)) };
      },
    }),
  ];
}

/** Where Salesforce sends the browser back to; the app in the org must name it exactly. */
export const callbackOf = (origin: string) => `${origin}/oauth/callback`;

/** Notes that a bot is connected; answers the page that says so. */
export async function connected({ audit }: Pick<HttpDeps, 'audit'>, bot: string, by: Setter): Promise<string> {
  await audit.record({ bot, ...by, action: 'integration', event: 'connected' });
  return `/bots/${encodeURIComponent(bot)}?salesforce=success`;
}

export async function disconnect(
  { connections, audit }: Pick<HttpDeps, 'connections' | 'audit'>,
  bot: string,
  by: Setter,
): Promise<{ readonly revoked: boolean }> {
  const ended = await connections.disconnect(bot);
  await audit.record({ bot, ...by, action: 'integration', event: 'disconnected', detail: ended });
  return ended;
}
