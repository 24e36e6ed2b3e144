import { z } from 'zod';
import { ERROR_STATUS } from '../domain/errors.ts';
import { type JsonSchema, toJsonSchema, toolSchema } from '../domain/tool-schema.ts';
import { getProposal } from '../gate/get-proposal.ts';
import { type CallerKind, defineRoute, type Route } from '../ports/route.ts';
import type { HttpDeps } from './deps.ts';

/** The OpenAPI document, made from the routes and the actions' own schemas: it cannot say anything else than they do. */
export function openApiRoute(deps: Pick<HttpDeps, 'actions'>, routes: readonly Route[]): Route {
  const self = defineRoute({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This document',
    who: [],
    handle: async () => ({ text, type: 'application/json' }),
  });
  // Written once: nobody needs a key to ask for its 85 kB.
  const text: string = JSON.stringify(openApiDocument(deps, [...routes, self]));
  return self;
}

const ACTION_PATH = '/api/bots/{bot}/actions/{action}';

function openApiDocument({ actions }: Pick<HttpDeps, 'actions'>, routes: readonly Route[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  const put = (path: string, method: string, operation: JsonSchema) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  };
  for (const route of routes) if (route.path !== ACTION_PATH) put(route.path, route.method, operationOf(route));
  const call = routes.find((route) => route.path === ACTION_PATH);
  if (call !== undefined)
    for (const action of [...actions, getProposal])
      put(ACTION_PATH.replace('{action}', action.name), 'POST', {
        ...operationOf({ ...call, path: '/api/bots/{bot}/actions', summary: action.title }),
        description: action.description,
        operationId: action.name,
        requestBody: jsonContent(toolSchema(action.input, 'input')),
        parameters: [pathParameter('bot'), ...CALL_HEADERS],
        responses: {
          200: { description: 'Done, declined, expired, conflict or unknown', ...jsonContent(envelope(action.output)) },
          202: { description: 'Waits for a person', ...jsonContent(envelope(action.output)) },
          default: ERROR,
        },
      });
  return {
    openapi: '3.1.0',
    info: { title: 'Gatehouse', version: '1', description: 'The guarded door between a chatbot and Salesforce.' },
    paths,
    components: {
      securitySchemes: Object.fromEntries(
        (['agent', 'host', 'operator'] as const).map((kind) => [kind, { type: 'http', scheme: 'bearer' }]),
      ),
      schemas: { Error: ERROR_SCHEMA },
    },
  };
}

function operationOf(route: Route): JsonSchema {
  const query = route.query === undefined ? undefined : toJsonSchema(route.query, 'input');
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return {
    summary: route.summary,
    ...(route.who.length === 0 ? {} : { security: route.who.map((kind: CallerKind) => ({ [kind]: [] })) }),
    ...(route.permission === undefined ? {} : { 'x-operator-permission': route.permission }),
    parameters: [
      ...names.map(pathParameter),
      ...Object.entries((query?.properties ?? {}) as Record<string, JsonSchema>).map(([name, schema]) => ({
        name,
        in: 'query',
        schema,
      })),
    ],
    ...(route.body === undefined
      ? {}
      : {
          requestBody:
            route.body === 'text' ? { content: { 'text/xml': {} } } : jsonContent(toJsonSchema(route.body, 'input')),
        }),
    responses: { 200: { description: 'OK' }, default: ERROR },
  };
}

const ERROR_SCHEMA = toJsonSchema(
  z.object({
    error: z.object({
      code: z.enum(Object.keys(ERROR_STATUS)),
      message: z.string(),
      next: z.string().describe('What to do now'),
      retryable: z.boolean(),
      retryAfterMs: z.number().optional(),
      fields: z.array(z.object({ name: z.string(), problem: z.string() })).optional(),
      candidates: z.array(z.object({ id: z.string(), name: z.string(), hint: z.string().optional() })).optional(),
      salesforce: z.object({ code: z.string(), fields: z.array(z.string()), quote: z.string() }).optional(),
    }),
  }),
  'input',
);
const ERROR = {
  description: 'Refused or failed',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};

const CALL_HEADERS = [
  ['Idempotency-Key', 'One effect per key, instead of per identical arguments'],
  ['Gatehouse-Conversation', 'Id of the conversation, for the audit and for repeats'],
  ['Gatehouse-Session', 'Signed chat session of the visitor'],
].map(([name, description]) => ({ name, in: 'header', description, schema: { type: 'string' } }));

function pathParameter(name: string): JsonSchema {
  return { name, in: 'path', required: true, schema: { type: 'string' } };
}

function jsonContent(schema: JsonSchema): JsonSchema {
  return { content: { 'application/json': { schema } } };
}

function envelope(output: z.ZodObject): JsonSchema {
  return {
    type: 'object',
    required: ['status'],
    properties: {
      status: { enum: ['done', 'waiting', 'declined', 'expired', 'conflict', 'unknown'] },
      result: toolSchema(output, 'output'),
      proposal: { type: 'object' },
    },
  };
}
