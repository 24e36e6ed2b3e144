import { z } from 'zod';

/** The JSON Schema that a model reads, on every door. */
export function toolSchema(schema: z.ZodObject, io: 'input' | 'output'): Record<string, unknown> & { type: 'object' } {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: slim });
  return { ...rest, type: 'object' };
}

/** Every character here is paid for in each conversation. */
function slim({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  // `format` says it; the pattern behind it is 150 to 300 characters.
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
