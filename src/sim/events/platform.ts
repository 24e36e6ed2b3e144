/** One platform event, as a sample: `Order_Event__e`, published over REST. */
import { randomUUID } from 'node:crypto';
import { toDatetime } from '../datetimes.ts';
import type { StoredEvent } from '../facts.ts';
import type { Org } from '../org.ts';
import { methodNotAllowed, notFound, refuse } from '../refusal.ts';
import { type Call, jsonBody, type Reply } from '../rest/call.ts';
import { field, readOnly, text } from '../schema/field.ts';
import { defineObject, type ObjectType } from '../schema/object.ts';
import type { Value } from '../table.ts';
import { publish } from './bus.ts';

const samples: Readonly<Record<string, readonly string[]>> = {
  Order_Event__e: ['Order_Number__c', 'Status__c', 'Record_Id__c', 'Message__c'],
};

/** Setup has one custom channel, with the sample on it. */
export const CUSTOM_CHANNEL = '/event/Orders__chn';

export const isPlatformEvent = (name: string): boolean => name.endsWith('__e');
export const knowsEvent = (name: string): boolean => Object.hasOwn(samples, name);

/** What describe says of one; it has no records, so it is no object of the schema. */
export function eventType(name: string): ObjectType {
  const fields = samples[name];
  if (!fields) throw notFound();
  const own = fields.map((field) => text(field, field.replace(/__c$/, '').replaceAll('_', ' ')));
  const uuid = text('EventUuid', 'Event UUID', 36, readOnly);
  const at = field('CreatedDate', 'Created Date', 'datetime', { ...readOnly, isDefaulted: true });
  return defineObject(name, 'e01', 'Order Event', 'Order Events', [...own, uuid, at]);
}

export function publishEvent(call: Call, name: string): Reply {
  if (!knowsEvent(name)) throw notFound();
  if (call.method !== 'POST') throw methodNotAllowed(call.method, 'POST');
  const body = jsonBody(call);
  for (const key of Object.keys(body)) {
    if (!samples[name]?.includes(key))
      throw refuse(400, 'INVALID_FIELD', `No such column '${key}' on sobject of type ${name}`);
  }
  const { uuid } = putEvent(call.org, name, body, call.userId);
  // Filled on success: that is how Salesforce says that it is queued.
  const errors = [{ statusCode: 'OPERATION_ENQUEUED', message: uuid, fields: [] }];
  return { status: 201, body: { id: call.org.mint('e01'), success: true, errors } };
}

export function putEvent(org: Org, name: string, body: Readonly<Record<string, unknown>>, userId: string): StoredEvent {
  const fields: Record<string, Value> = { CreatedById: userId, CreatedDate: toDatetime(org.now()) };
  for (const key of samples[name] ?? []) fields[key] = body[key] === undefined ? null : String(body[key]);
  return publish(org, { name, header: null, uuid: randomUUID(), fields });
}
