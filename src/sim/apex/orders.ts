/** A sample Apex class, mapped to `/orders/*`: as an author of the org would have written it, with the ways in which such code fails. */
import type { ApexOrder } from '../facts.ts';
import { type Incoming, json, type Outgoing } from '../http.ts';
import type { Org } from '../org.ts';
import { Refusal, refuse } from '../refusal.ts';
import { authenticate } from '../rest/data-api.ts';
import { limitInfo } from '../rest/limits.ts';

const seeded: readonly ApexOrder[] = [
  { number: '10000017', status: 'Shipped', sku: 'PUMP-2', key: null },
  { number: '10000018', status: 'In production', sku: 'VALVE-9', key: null },
];

export function apexRest(org: Org, incoming: Incoming): Outgoing {
  const mark = org.mark();
  const headers = { 'Sforce-Limit-Info': limitInfo(org) };
  try {
    const userId = authenticate(org, incoming.headers);
    return withHeaders(orders(org, incoming, userId), headers);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    org.rollback(mark);
    return json(error.status, error.faults, headers);
  }
}

function withHeaders(outgoing: Outgoing, headers: Readonly<Record<string, string>>): Outgoing {
  return { ...outgoing, headers: { ...outgoing.headers, ...headers } };
}

function orders(org: Org, incoming: Incoming, userId: string): Outgoing {
  const [, , , mapped, number = '', part] = incoming.url.pathname.split('/').map(decodeURIComponent);
  if (mapped !== 'orders') throw refuse(404, 'NOT_FOUND', 'Could not find a match for URL');
  if (org.row('User', userId)?.Username === 'limited@sim.example')
    throw refuse(403, 'FORBIDDEN', 'You do not have access to the Apex class named: OrderStatus');
  if (number === 'boom')
    throw refuse(
      500,
      'APEX_ERROR',
      'System.DmlException: Insert failed. First exception on row 0; first error: REQUIRED_FIELD_MISSING\n\nClass.OrderStatus.doPost: line 49, column 1',
    );
  if (number === 'note')
    return { status: 200, headers: { 'Content-Type': 'text/plain;charset=UTF-8' }, text: 'call us' };
  const order = org.fact('apexOrder', number) ?? seeded.find((one) => one.number === number);
  switch (incoming.method) {
    case 'GET':
      if (order === undefined) return json(404, { error: 'no_such_order' });
      return json(
        200,
        part === 'lines' ? { lines: linesOf(order) } : { number, status: order.status, lines: linesOf(order) },
      );
    case 'POST':
      return make(org, incoming);
    case 'PATCH':
      if (order === undefined) return json(404, { error: 'no_such_order' });
      org.keep('apexOrder', number, { ...order, status: String(bodyOf(incoming).status ?? order.status) });
      return json(200, { number, status: org.fact('apexOrder', number)?.status });
    case 'DELETE':
      return json(409, { error: 'already_shipped' });
    default:
      throw refuse(
        405,
        'METHOD_NOT_ALLOWED',
        `HTTP Method '${incoming.method}' not allowed. Allowed are DELETE,GET,PATCH,POST`,
      );
  }
}

/** A class that looks at the key makes one order, however often it is asked. */
function make(org: Org, incoming: Incoming): Outgoing {
  const key = incoming.headers.get('idempotency-key');
  const all = org.facts('apexOrder');
  const before = key === null ? undefined : all.find((one) => one.key === key);
  if (before !== undefined) return json(200, { number: before.number, status: before.status });
  const number = String(20_000_001 + all.length);
  const { sku = '' } = bodyOf(incoming);
  org.keep('apexOrder', number, { number, status: 'New', sku: String(sku), key });
  return json(201, { number, status: 'New' });
}

const linesOf = ({ sku }: ApexOrder) => [{ sku, quantity: 2 }];

function bodyOf({ text }: Incoming): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? { ...body } : {};
  } catch {
    throw refuse(400, 'JSON_PARSER_ERROR', 'Unexpected end-of-input');
  }
}
