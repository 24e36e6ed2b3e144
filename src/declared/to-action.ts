import { z } from 'zod';
import { type Action, type ActionContext, defineAction, EMAIL, type Preview, quoted } from '../domain/action.ts';
import {
  ALWAYS_ASKS,
  type Declaration,
  type Declared,
  type DeclaredInput,
  permissionOf,
  riskOf,
} from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';
import { keptFor } from '../domain/kept-for.ts';
import type { Values } from './bind.ts';
import { publicProblems } from './check.ts';
import { previewGraph, writeGraph } from './graph.ts';
import { invocation, invoked, shownInvocation } from './invocation.ts';
import { anchored } from './pattern.ts';
import { findOne, readRows, rowOf, runSoql, searchRecords, soqlOf } from './read.ts';
import {
  createRecord,
  deleteRecord,
  previewCreate,
  previewDelete,
  previewUpdate,
  previewUpsert,
  updateRecord,
  upsertRecord,
} from './write.ts';

/** A definition as an action like any other: from here on no door and no room can tell it from one in code. */
export const toAction = keptFor(({ declaration, revision }: Declared): Action => {
  const { name, title, description, operation } = declaration;
  const runs = runsOf(declaration);
  const mustAnswer = (context: ActionContext) => {
    // It may have been made for colleagues, and the bot opened to strangers since.
    if (context.bot.audience === 'public' && publicProblems(declaration).length > 0) throw notForVisitors(name);
  };
  const { preview } = runs;
  const made = {
    name,
    title,
    description,
    permission: permissionOf(name),
    revision,
    ...(ALWAYS_ASKS.has(operation) ? { alwaysAsks: true as const } : {}),
    touches: touchesOf(declaration),
    input: inputOf(declaration.input),
    output: runs.output,
    run: async (input: object, context: ActionContext) => {
      mustAnswer(context);
      return runs.run(input as Values, context); // parsed by the input above, which takes plain values alone
    },
  };
  const shown =
    preview &&
    (async (input: object, context: ActionContext) => {
      mustAnswer(context);
      return preview(input as Values, context);
    });
  const risk = riskOf(declaration);
  if (risk === 'read') return defineAction({ ...made, risk, ...(shown === undefined ? {} : { preview: shown }) });
  return defineAction({ ...made, risk, preview: shown ?? bareOf(declaration) });
});

interface Runs {
  readonly output: z.ZodObject;
  readonly preview?: (input: Values, context: ActionContext) => Promise<Preview>;
  readonly run: (input: Values, context: ActionContext) => Promise<Record<string, unknown>>;
}

const record = z.record(z.string(), z.unknown());
const rowsAnswer = z.object({ rows: z.array(record), returned: z.number(), note: z.string().optional() });
const changesAnswer = z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() }));
const writtenAnswer = z.object({
  step: z.string(),
  object: z.string(),
  id: z.string(),
  url: z.string(),
  created: z.boolean(),
});
const invokedAnswer = z.object({ ok: z.boolean(), status: z.number().optional(), answer: record.optional() });

function runsOf(declaration: Declaration): Runs {
  switch (declaration.operation) {
    case 'get':
      return {
        output: z.object({ record }),
        async run(input, context) {
          const found = await findOne(declaration, input, context, declaration.fields);
          return { record: rowOf(found, declaration.fields, context) };
        },
      };
    case 'query':
      return declaration.soql === undefined
        ? { output: rowsAnswer, run: (input, context) => readRows(declaration, input, context) }
        : {
            output: rowsAnswer,
            async preview(input, context) {
              const query = await soqlOf(declaration, input, context);
              return { summary: `Run the query of ${declaration.name}`, changes: [], query };
            },
            run: (input, context) => runSoql(declaration, input, context),
          };
    case 'search':
      return { output: rowsAnswer, run: (input, context) => searchRecords(declaration, input, context) };
    case 'create':
      return {
        output: z.object({ id: z.string(), url: z.string(), warnings: z.array(z.string()).optional() }),
        preview: (input, context) => previewCreate(declaration, input, context),
        run: (input, context) => createRecord(declaration, input, context),
      };
    case 'update':
      return {
        output: z.object({
          id: z.string(),
          url: z.string(),
          changes: changesAnswer,
          alreadyDone: z.boolean().optional(),
        }),
        preview: (input, context) => previewUpdate(declaration, input, context),
        run: (input, context) => updateRecord(declaration, input, context),
      };
    case 'upsert':
      return {
        output: z.object({
          id: z.string(),
          url: z.string(),
          created: z.boolean(),
          changes: changesAnswer.optional(),
          alreadyDone: z.boolean().optional(),
          warnings: z.array(z.string()).optional(),
        }),
        preview: (input, context) => previewUpsert(declaration, input, context),
        run: (input, context) => upsertRecord(declaration, input, context),
      };
    case 'delete':
      return {
        output: z.object({ id: z.string(), deleted: z.boolean() }),
        preview: (input, context) => previewDelete(declaration, input, context),
        run: (input, context) => deleteRecord(declaration, input, context),
      };
    case 'graph':
      return {
        output: z.object({ records: z.array(writtenAnswer), warnings: z.array(z.string()).optional() }),
        preview: (input, context) => previewGraph(declaration, input, context),
        run: (input, context) => writeGraph(declaration, input, context),
      };
    case 'apex-rest':
    case 'flow':
    case 'publish':
      return {
        output: invokedAnswer,
        preview: async (input, context) => shownInvocation(declaration, input, context),
        async run(input, context) {
          return invoked(declaration, await context.salesforce.invoke(invocation(declaration, input, context)));
        },
      };
  }
}

/** Of a look-up whose risk was raised: a person is asked about what it is asked with. */
const bareOf =
  ({ name }: Declaration) =>
  async (input: object): Promise<Preview> => ({
    summary: `${name} with ${Object.entries(input)
      .map(([key, value]) => `${key} ${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`)
      .join(', ')}`,
    changes: [],
  });

function touchesOf(declaration: Declaration): Action['touches'] {
  switch (declaration.operation) {
    case 'get':
      return { reads: [declaration.object] };
    case 'query':
      return { reads: [declaration.object ?? '*'] };
    case 'create':
      return { creates: [declaration.object], sets: Object.keys(declaration.set) };
    case 'search':
      return { reads: declaration.objects.map(({ object }) => object) };
    case 'delete':
      return { reads: [declaration.object], deletes: [declaration.object] };
    case 'upsert':
      return {
        reads: [declaration.object],
        creates: [declaration.object],
        edits: [declaration.object],
        sets: [declaration.key.field, ...Object.keys(declaration.set)],
      };
    case 'graph': {
      const { steps } = declaration;
      const objectsOf = (all: typeof steps) => [...new Set(all.map(({ object }) => object))];
      const found = objectsOf(steps.filter(({ operation }) => operation === 'upsert'));
      return {
        reads: found,
        creates: objectsOf(steps),
        edits: found,
        sets: steps.flatMap(({ object, key, set }) =>
          [...(key === undefined ? [] : [key.field]), ...Object.keys(set)].map((field) => `${object}.${field}`),
        ),
      };
    }
    case 'update':
      return { reads: [declaration.object], edits: [declaration.object], sets: Object.keys(declaration.set) };
    default:
      return {};
  }
}

function inputOf(inputs: Declaration['input']): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(inputs).map(([name, input]) => {
        const type = typeOf(input).describe(input.description);
        return [name, input.required ? type : type.optional()];
      }),
    ),
  );
}

function typeOf(input: DeclaredInput): z.ZodType {
  switch (input.type) {
    case 'text': {
      const text = z.string().min(1).max(input.maxLength);
      return input.pattern === undefined ? text : text.regex(anchored(input.pattern), `must match ${input.pattern}`);
    }
    case 'integer':
    case 'number': {
      const { min, max } = input;
      const number = input.type === 'integer' ? z.int() : z.number();
      const above = min === undefined ? number : number.min(min);
      return max === undefined ? above : above.max(max);
    }
    case 'boolean':
      return z.boolean();
    case 'date':
      return z.iso.date();
    case 'datetime':
      return z.iso.datetime({ offset: true });
    case 'id':
      return z.string().min(15).max(18);
    case 'email':
      return z.email({ pattern: EMAIL }).max(254);
    case 'choice':
      return z.enum(input.values);
  }
}

function notForVisitors(name: string): GatehouseError {
  return new GatehouseError('permission_denied', `${name} was not declared for visitors of a public bot.`, {
    next: 'Tell the user that this is not possible here; an operator can bind it to {"session": "indexValue"}.',
  });
}
