import { z } from 'zod';
import { keptFor } from './kept-for.ts';

/** JSON Schemas of our zod schemas, without what only repeats itself. */

export type JsonSchema = Readonly<Record<string, unknown>>;

export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: slim });
  return rest;
}

/** What a model reads of an action, on every door. */
export function toolSchema(schema: z.ZodObject, io: 'input' | 'output'): Readonly<ToolSchema> {
  return io === 'input' ? inputOf(schema) : outputOf(schema);
}

type ToolSchema = Record<string, unknown> & { type: 'object' };

const schemaOf = (io: 'input' | 'output') =>
  keptFor((schema: z.ZodObject): ToolSchema => ({ ...toJsonSchema(schema, io), type: 'object' }));
// Every client is looked after every two seconds: deriving all anew held the loop for the time of a call.
const inputOf = schemaOf('input');
const outputOf = schemaOf('output');

/** Every character here is paid for in each conversation. */
function slim({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  // `format` says it; the pattern behind it is 150 to 300 characters.
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
