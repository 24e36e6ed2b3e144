import type { z } from 'zod';
import { actionsOf } from '../declared/actions-of.ts';
import { errorAnswer } from '../domain/answers.ts';
import { type JsonSchema, toJsonSchema } from '../domain/tool-schema.ts';
import { getProposal } from '../gate/get-proposal.ts';
import { botNamed } from '../policy/permit.ts';
import { type CallerKind, defineRoute, type Route } from '../ports/route.ts';
import { envelopeAnswer } from './answers.ts';
import type { HttpDeps } from './deps.ts';

/** The OpenAPI document, made from the routes and the actions' own schemas: it cannot say anything else than they do. */
export function openApiRoute(deps: Pick<HttpDeps, 'actions'>, routes: readonly Route[]) {
  // Written once, when it is first asked for: it costs 100 ms, and nobody needs a key to ask for its 120 kB.
  let text: string | undefined;
  const all = [...routes];
  const self = defineRoute({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This document',
    who: [],
    answer: 'application/json',
    async handle() {
      text ??= JSON.stringify(openApiDocument(deps, all));
      return { text, type: 'application/json' };
    },
  });
  all.push(self);
  return self;
}

/** The same for one bot: what it may call now, those that were declared for it among them. Names of a company's own: for who holds a key. */
export function botOpenApiRoute(deps: Pick<HttpDeps, 'actions' | 'store' | 'gate'>, routes: readonly Route[]) {
  return defineRoute({
    method: 'GET',
    path: '/api/bots/{bot}/openapi.json',
    summary: 'OpenAPI of what this bot may call now, declared actions too',
    who: ['agent', 'operator'],
    permission: 'READ_INTEGRATIONS',
    answer: 'application/json',
    async handle({ params }) {
      const bot = await botNamed(deps.store, params.bot);
      const may = new Set((await deps.gate.actions(bot.name)).map(({ name }) => name));
      const actions = actionsOf(deps.actions, bot).filter(({ name }) => may.has(name));
      const calls = routes.filter(({ path }) => path === ACTION_PATH);
      return { text: JSON.stringify(openApiDocument({ actions }, calls)), type: 'application/json' };
    },
  });
}

const ACTION_PATH = '/api/bots/{bot}/actions/{action}';

function openApiDocument({ actions }: Pick<HttpDeps, 'actions'>, routes: readonly Route[]): JsonSchema {
  const { schemas, schemaOf } = createComponents();
  const error = { description: 'Refused or failed', ...jsonContent(schemaOf(errorAnswer, 'output')) };
  const paths: Record<string, Record<string, JsonSchema>> = {};
  const put = (path: string, method: string, operation: JsonSchema) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  };

  const operationOf = (route: Route): JsonSchema => {
    const query = route.query === undefined ? {} : schemaOf(route.query, 'input');
    const { properties = {}, required = [] } = query as { properties?: object; required?: readonly string[] };
    const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    return {
      summary: route.summary,
      ...(route.who.length === 0 ? {} : { security: route.who.map((kind: CallerKind) => ({ [kind]: [] })) }),
      ...(route.permission === undefined ? {} : { 'x-operator-permission': route.permission }),
      parameters: [
        ...names.map(pathParameter),
        ...Object.entries(properties).map(([name, schema]) => ({
          name,
          in: 'query',
          ...(required.includes(name) ? { required: true } : {}),
          schema,
        })),
      ],
      ...(route.body === undefined
        ? {}
        : {
            requestBody:
              route.body === 'text' ? { content: { 'text/xml': {} } } : jsonContent(schemaOf(route.body, 'input')),
          }),
      responses: {
        [route.status ?? 200]: {
          description: 'OK',
          ...(typeof route.answer === 'string'
            ? { content: { [route.answer]: {} } }
            : jsonContent(schemaOf(route.answer, 'output'))),
        },
        default: error,
      },
    };
  };

  for (const route of routes) if (route.path !== ACTION_PATH) put(route.path, route.method, operationOf(route));
  const call = routes.find((route) => route.path === ACTION_PATH);
  if (call !== undefined)
    for (const action of [...actions, getProposal]) {
      const answer = envelopeAnswer.extend({ result: action.output.optional() }).meta({ id: `${action.name}Answer` });
      const content = jsonContent(schemaOf(answer, 'output'));
      put(ACTION_PATH.replace('{action}', action.name), 'POST', {
        ...operationOf({ ...call, path: '/api/bots/{bot}/actions', summary: action.title }),
        description: action.description,
        operationId: action.name,
        requestBody: jsonContent(schemaOf(action.input, 'input')),
        parameters: [pathParameter('bot'), ...CALL_HEADERS],
        responses: {
          200: { description: 'Done, declined, expired, conflict or unknown', ...content },
          202: { description: 'Waits for a person', ...content },
          default: error,
        },
      });
    }
  return {
    openapi: '3.1.0',
    info: { title: 'Gatehouse', version: '1', description: 'The guarded door between a chatbot and Salesforce.' },
    paths,
    components: {
      securitySchemes: Object.fromEntries(
        (['agent', 'host', 'operator'] as const).map((kind) => [kind, { type: 'http', scheme: 'bearer' }]),
      ),
      schemas,
    },
  };
}

/** Forms with an id stand once, and are named wherever they are used. What is sent may leave out what has a default: a form of its own. */
function createComponents() {
  const schemas: Record<string, JsonSchema> = {};
  return {
    schemas,
    schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
      const suffix = io === 'input' ? 'Input' : '';
      const { $defs = {}, ...own } = moved(toJsonSchema(schema, io), suffix);
      for (const [name, form] of Object.entries($defs)) schemas[`${name}${suffix}`] = form;
      return own;
    },
  };
}

function moved(schema: JsonSchema, suffix: string): JsonSchema & { readonly $defs?: Record<string, JsonSchema> } {
  return JSON.parse(JSON.stringify(schema), (key, value) => {
    if (key === '$ref') return String(value).replace('#/$defs/', '#/components/schemas/') + suffix;
    // An answer may get further fields.
    if (suffix === '' && value?.additionalProperties === false) delete value.additionalProperties;
    return value;
  });
}

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
