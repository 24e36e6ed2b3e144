/** A stored event as a subscriber sees it: his fields only, compound parts nested and dotted, big numbers as digits. */
import { createHash } from 'node:crypto';
import type { StoredEvent } from '../facts.ts';
import type { Field } from '../schema/field.ts';
import { fieldOf, type ObjectType, type Schema } from '../schema/object.ts';
import type { Value } from '../table.ts';

/** JSON text: `commitNumber` has more digits than a number holds. */
export function showEvent(channel: string, event: StoredEvent, schema: Schema): string {
  const schemaId = createHash('md5').update(event.name).digest('base64url');
  const object = event.header ? schema.object(event.header.entityName) : undefined;
  const data = event.header
    ? {
        schema: schemaId,
        payload: changePayload(event, object),
        event: { replayId: event.replayId },
      }
    : {
        schema: schemaId,
        payload: event.fields,
        event: { EventUuid: event.uuid, replayId: event.replayId, EventApiName: event.name },
      };
  return JSON.stringify({ data, channel }).replace(/"commitNumber":"(\d+)"/, '"commitNumber":$1');
}

function changePayload({ header, fields }: StoredEvent, object: ObjectType | undefined): unknown {
  const seen = Object.entries(fields).flatMap(([name, value]): [Field, Value][] => {
    const field = object && fieldOf(object, name);
    return field ? [[field, value]] : [];
  });
  const payload: Record<string, unknown> = {};
  // The header stands in the middle, as it does in real traffic: nothing may count on its place.
  const [first, ...rest] = seen;
  if (first) put(payload, ...first);
  payload.ChangeEventHeader = {
    ...header,
    changedFields: header?.changedFields.flatMap((name) => {
      const field = object && fieldOf(object, name);
      return field ? [field.compound ? `${field.compound}.${partOf(field)}` : field.name] : [];
    }),
  };
  for (const [field, value] of rest) put(payload, field, value);
  return payload;
}

function put(payload: Record<string, unknown>, field: Field, value: Value): void {
  if (!field.compound) payload[field.name] = value;
  else payload[field.compound] = { ...(payload[field.compound] as object | undefined), [partOf(field)]: value };
}

/** `MailingCity` is `City` of `MailingAddress`; the parts of a name keep theirs. */
function partOf({ name, compound }: Field): string {
  const prefix = compound?.endsWith('Address') ? compound.slice(0, -'Address'.length) : '';
  return name.slice(prefix.length);
}
