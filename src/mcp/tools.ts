import type { JSONObject, JSONValue, Tool } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import { toolSchema } from '../domain/tool-schema.ts';
import type { ListedAction } from '../ports/gate.ts';

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
  // JSON by construction; zod's type allows more than the wire's.
  return toolSchema(schema, io) as ObjectSchema;
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
