import type { JSONObject, JSONValue, Tool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ListedAction } from '../dispatch.ts';

/** The tool of an action: everything is derived, so a hint can never contradict what the gate does. */
export function toTool(action: ListedAction): Tool {
  return {
    name: action.name,
    title: action.title,
    description: action.description,
    inputSchema: objectSchema(action.input, 'input'),
    outputSchema: loosened(objectSchema(action.output, 'output')),
    annotations: {
      readOnlyHint: action.risk === 'read',
      destructiveHint: action.risk === 'destructive',
      idempotentHint: action.risk === 'read' || action.idempotent,
      // All of them reach an org that others write to.
      openWorldHint: true,
    },
  };
}

type ObjectSchema = Tool['inputSchema'];

function objectSchema(schema: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: slim });
  // JSON by construction; zod's type allows more than the wire's.
  return { ...rest, type: 'object' } as ObjectSchema;
}

/** Every character here is paid for in each conversation. */
function slim({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  // `format` says it; the pattern behind it is 150 to 300 characters.
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}

/**
 * A client rejects a result that does not fit, although its write is done: so only the status is required, further keys
 * are welcome, and of the result's fields the kind is told, not the depth.
 */
function loosened(schema: ObjectSchema): ObjectSchema {
  const { status = { type: 'string' }, result } = propertiesOf(schema);
  const kinds = Object.fromEntries(
    Object.entries(propertiesOf(result)).map(([name, { type }]) => [name, type === undefined ? {} : { type }]),
  );
  return {
    type: 'object',
    properties: { status, result: { type: 'object', properties: kinds } },
    required: ['status'],
  };
}

function propertiesOf({
  properties = {},
}: {
  readonly properties?: JSONValue | undefined;
} = {}): Record<string, JSONObject> {
  return properties as Record<string, JSONObject>; // that is what JSON Schema means by `properties`
}
