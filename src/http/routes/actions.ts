import { z } from 'zod';
import { CHECKS, unanswered } from '../../../permissions/decide.ts';
import { actionsOf } from '../../declared/actions-of.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { toolSchema } from '../../domain/tool-schema.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineRoute } from '../../ports/route.ts';
import { envelopeAnswer } from '../answers.ts';
import type { HttpDeps } from '../deps.ts';
import { provenAnew, sessionOf } from '../session-of.ts';

const jsonSchema = z.record(z.string(), z.unknown()).describe('JSON Schema');
const listedAnswer = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  risk: z.enum(['read', 'write', 'destructive']),
  idempotent: z.boolean(),
  mayAsk: z.boolean().describe('May come back as waiting for a person'),
  input: jsonSchema,
  output: jsonSchema,
});

const knownAnswer = z.strictObject({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  permission: z.string(),
  risk: z.enum(['read', 'write', 'destructive']),
  idempotent: z.boolean(),
  exposes: z.string().optional().describe('The object whose further fields a policy may make inputs'),
  conditions: z.array(z.string()).describe('What a rule of its policy can look at'),
  input: jsonSchema,
});

/** Actions over REST: the same road as every other door, with a bot's agent key. */
export function actionRoutes({ gate, access, actions, store }: HttpDeps) {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/actions',
      summary: 'Every action that a bot can be granted, with its permission and what rules can look at',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      isNarrowed: true,
      query: z.strictObject({
        bot: z.string().max(100).optional().describe('With those that were declared for this bot'),
      }),
      answer: z.strictObject({ actions: z.array(knownAnswer) }),
      async handle({ query: { bot } }) {
        const known = bot === undefined ? actions : actionsOf(actions, await botNamed(store, bot));
        return {
          json: {
            actions: known.map((action) => ({
              name: action.name,
              title: action.title,
              description: action.description,
              permission: action.permission,
              risk: action.risk,
              idempotent: action.idempotent ?? action.risk === 'read',
              ...(action.exposes === undefined ? {} : { exposes: action.exposes }),
              conditions: Object.keys(CHECKS).filter((key) => unanswered({ [key]: true }, action).length === 0),
              input: toolSchema(action.input, 'input'),
            })),
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/actions',
      summary: 'What this bot may call now',
      who: ['agent', 'operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({ actions: z.array(listedAnswer) }),
      async handle({ params }) {
        const actions = (await gate.actions(params.bot)).map(({ input, output, ...listed }) => ({
          ...listed,
          input: toolSchema(input, 'input'),
          output: toolSchema(output, 'output'),
        }));
        return { json: { actions } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/actions/{action}',
      summary: 'Call an action; 202 while it waits for a person',
      who: ['agent'],
      // The gate names every bad argument in its own words.
      body: z.unknown(),
      takesUnreadable: true,
      answer: envelopeAnswer,
      async handle({ params, caller, body, headers, signal }) {
        const key = shortHeader(headers, 'idempotency-key');
        const conversation = shortHeader(headers, 'gatehouse-conversation');
        const envelope = await gate.call({
          bot: caller.bot,
          principal: caller.principal,
          channel: 'rest',
          action: params.action,
          args: body,
          signal,
          key,
          conversation,
          prove: provenAnew(access, caller.bot, headers),
          ...(await sessionOf(access, caller.bot, headers)),
        });
        return { status: envelope.status === 'waiting' ? 202 : 200, json: envelope };
      },
    }),
  ];
}

function shortHeader(headers: Headers, name: string): string | undefined {
  const value = headers.get(name);
  if (value === null) return undefined;
  if (/^[\x21-\x7e]{1,200}$/.test(value)) return value;
  throw new GatehouseError('invalid_input', `The header ${name} is not usable.`, {
    next: 'Send 1 to 200 printable ASCII characters without spaces.',
    fields: [{ name, problem: 'is not 1 to 200 printable characters' }],
  });
}
