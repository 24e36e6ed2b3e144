import { z } from 'zod';

/** JSON Schemas of our zod schemas, without what only repeats itself. */

export type JsonSchema = Readonly<Record<string, unknown>>;

export function inputSchema(schema: z.ZodType): JsonSchema {
  return toSchema(schema, 'input');
}

export function outputSchema(schema: z.ZodType): JsonSchema {
  return toSchema(schema, 'output');
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ jsonSchema }) {
      // `format` says it; the pattern behind it is 150 to 300 characters of noise.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return rest;
}
