import { z } from 'zod';
import { isWithin, SALESFORCE_ACTIONS } from '../../../permissions/catalog.ts';
import { MODES } from '../../../permissions/policy.ts';
import { PROFILE_NAMES } from '../../../permissions/profiles.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { toolSchema } from '../../domain/tool-schema.ts';
import { createBot } from '../../policy/bots.ts';
import { lookupNotes } from '../../policy/lookups.ts';
import { botNamed } from '../../policy/permit.ts';
import { changePolicy, uncheckedOf } from '../../policy/save.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { bySession, setter } from './by-operator.ts';
import { offersDemo } from './demo.ts';
import { connectionAnswer, lookupAnswer } from './integration.ts';

const grant = z.enum(SALESFORCE_ACTIONS);
const summaryAnswer = z
  .strictObject({
    name: z.string(),
    audience: z.enum(['public', 'internal']),
    profile: z.string(),
    createdAt: momentAnswer,
    mode: z.enum(MODES),
    off: z.array(z.string()),
    grants: z.array(z.string()),
    policyRevision: z.int(),
    isChatOpen: z.boolean(),
    isChatAnonymous: z.boolean().describe('Strangers may come without a session of the host app'),
    connection: connectionAnswer,
  })
  .meta({ id: 'Bot' });

/** The bots of this installation: all, one with all that its page shows, and a new one. */
export function botRoutes(deps: HttpDeps) {
  const { store, connections } = deps;

  const summary = async (bot: BotRow) => ({
    name: bot.name,
    audience: bot.audience,
    profile: bot.profile,
    createdAt: isoTime(bot.createdAt),
    mode: bot.policy.mode,
    off: bot.policy.off,
    grants: bot.grants,
    policyRevision: bot.policyRevision,
    isChatOpen: bot.policy.chat.page,
    isChatAnonymous: bot.policy.chat.anonymous,
    connection: await connections.status(bot.name),
  });

  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots',
      summary: 'Every bot with its state',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      isNarrowed: true,
      answer: z.strictObject({
        bots: z.array(summaryAnswer),
        offersDemo: z.boolean().describe('Nothing was done here yet, and POST /api/demo opens a company to look at'),
      }),
      async handle({ caller }) {
        const theirs = (await store.bots.list()).filter(({ name }) => isWithin(caller.operator, name));
        const bots = await Promise.all(theirs.map(summary));
        return { json: { bots, offersDemo: await offersDemo(deps) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}',
      summary: 'One bot: state, what is left to set up, what the model sees, live keys',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: summaryAnswer.extend({
        lookups: z.array(lookupAnswer),
        uncheckedNames: z
          .array(z.string())
          .describe('What of its policy was saved although the org could not be asked'),
        tools: z.array(z.strictObject({ name: z.string(), description: z.string(), bytes: z.int() })),
        keys: z.strictObject({ agent: z.int(), host: z.int() }),
      }),
      async handle({ params }) {
        const bot = await botNamed(store, params.bot);
        const shown = await summary(bot);
        const app = await connections.app(bot.name);
        const tools = (await deps.gate.actions(bot.name)).map(({ name, description, input }) => ({
          name,
          description,
          bytes: Buffer.byteLength(JSON.stringify({ name, description, inputSchema: toolSchema(input, 'input') })),
        }));
        const keys = (await store.keys.list(bot.name)).filter(({ revokedAt }) => revokedAt === null);
        return {
          json: {
            ...shown,
            connection: { ...shown.connection, ...(app === undefined ? {} : { app }) },
            lookups: shown.connection.state === 'connected' ? await lookupNotes(connections, bot) : [],
            uncheckedNames: [...(await uncheckedOf(deps, bot.name))],
            tools,
            keys: {
              agent: keys.filter(({ kind }) => kind === 'agent').length,
              host: keys.filter(({ kind }) => kind === 'host').length,
            },
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots',
      summary: 'Make a bot; answers its keys once',
      who: ['operator'],
      permission: 'MANAGE_BOTS',
      body: z.strictObject({
        name: z.string().max(100),
        profile: z.enum(PROFILE_NAMES).optional(),
      }),
      status: 201,
      answer: z.strictObject({ bot: z.string(), key: z.string(), hostKey: z.string(), grants: z.array(grant) }),
      async handle({ caller, body: { name, profile } }) {
        return { status: 201, json: await createBot(deps, name, profile, bySession(caller)) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/chat',
      summary: 'Open or close the chat page of a bot, and say whether strangers may come; a revision of its policy',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: z.strictObject({ page: z.boolean(), anonymous: z.boolean().optional() }),
      answer: z.strictObject({ bot: z.string(), revision: z.int(), page: z.boolean(), anonymous: z.boolean() }),
      async handle({ params, caller, body: { page, anonymous } }) {
        const { name } = await botNamed(store, params.bot);
        const { revision, policy } = await changePolicy(
          deps,
          name,
          (before) => {
            const chat = { ...before.chat, page, anonymous: anonymous ?? before.chat.anonymous };
            const isSame = chat.page === before.chat.page && chat.anonymous === before.chat.anonymous;
            return isSame ? before : { ...before, chat };
          },
          setter(caller),
        );
        return { json: { bot: name, revision, page: policy.chat.page, anonymous: policy.chat.anonymous } };
      },
    }),
  ];
}
