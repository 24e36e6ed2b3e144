/** One active autolaunched flow as a sample: described and run as invocable actions are. */
import { randomUUID } from 'node:crypto';
import { methodNotAllowed, notFound } from '../refusal.ts';
import { type Call, isJsonObject, jsonBody, ok, type Reply } from '../rest/call.ts';

const name = 'Order_Reminder';

export function flowRoute(call: Call): Reply {
  const [, kind, type, asked] = call.path;
  if (kind !== 'custom' || type !== 'flow') throw notFound();
  if (asked === undefined) return ok({ actions: [{ label: 'Order reminder', name, type: 'FLOW' }] });
  if (asked !== name) throw notFound();
  if (call.method === 'GET') return ok(described);
  if (call.method !== 'POST') throw methodNotAllowed(call.method, 'GET,HEAD,POST');
  const { inputs } = jsonBody(call);
  const [first] = Array.isArray(inputs) ? inputs.filter(isJsonObject) : [];
  const orderNumber = first?.orderNumber;
  if (typeof orderNumber !== 'string' || orderNumber === '')
    return { status: 400, body: [failed('INVALID_API_INPUT', 'Missing required input parameter: orderNumber')] };
  if (orderNumber === '0')
    return { status: 400, body: [failed('FLOW_EXCEPTION', 'The flow failed to run: Order 0 is nobody’s.')] };
  const id = randomUUID();
  call.org.keep('flowRun', id, { orderNumber, at: call.org.now() });
  return ok([{ ...base, errors: null, isSuccess: true, outputValues: { reminder: `R-${orderNumber}` } }]);
}

const base = { actionName: name, invocationId: null, outcome: null };

const failed = (statusCode: string, message: string) => ({
  ...base,
  errors: [{ statusCode, message, fields: [] }],
  isSuccess: false,
  outputValues: null,
});

const described = {
  name,
  label: 'Order reminder',
  type: 'FLOW',
  inputs: [
    { name: 'orderNumber', label: 'Order number', type: 'STRING', required: true, maxOccurs: 1 },
    { name: 'note', label: 'Note', type: 'STRING', required: false, maxOccurs: 1 },
  ],
  outputs: [{ name: 'reminder', label: 'Reminder', type: 'STRING' }],
};
