import { isJsonContentType, readRequestBody } from '@modelcontextprotocol/server';
import { GatehouseError } from '../domain/errors.ts';
import { HttpRefusal } from '../domain/http-refusal.ts';
import { parseJsonInTurns } from '../domain/json-shape.ts';

/** What a request must be before the SDK sees it, so that a client is told in our words what to send instead. */

const METHODS = 'GET, POST, DELETE, OPTIONS';

export function checkForm({ method, headers }: Request): void {
  if (!['GET', 'POST', 'DELETE'].includes(method))
    throw new HttpRefusal(
      405,
      'invalid_input',
      `The MCP address takes ${METHODS}.`,
      { next: 'Send messages with POST.' },
      { allow: METHODS },
    );
  const wanted = { GET: ['text/event-stream'], POST: ['application/json', 'text/event-stream'], DELETE: [] }[
    method as 'GET' | 'POST' | 'DELETE' // checked above
  ];
  const accepted = (headers.get('accept') ?? '').toLowerCase();
  if (wanted.some((type) => !accepted.includes(type)))
    throw new HttpRefusal(406, 'invalid_input', `The client does not say that it takes ${wanted.join(' and ')}.`, {
      next: `Set the header Accept: ${wanted.join(', ')}.`,
    });
  if (method === 'POST' && !isJsonContentType(headers.get('content-type')))
    throw new HttpRefusal(415, 'invalid_input', 'The message must be sent as application/json.', {
      next: 'Set the header Content-Type: application/json.',
    });
}

/** The message in a request; what is no JSON, or too long, is refused here. */
export async function messageIn(request: Request, mostBytes: number): Promise<unknown> {
  if (request.method !== 'POST') return undefined;
  const body = await readRequestBody(request, mostBytes).catch(() => {
    throw new HttpRefusal(400, 'invalid_input', 'The request ended before its message did.', {
      next: 'Send it again.',
    });
  });
  if (body.tooLarge)
    throw new HttpRefusal(413, 'invalid_input', `The message is larger than ${mostBytes} bytes.`, {
      next: 'Send less at once.',
    });
  const message = await parsed(body.text);
  return Array.isArray(message) ? message.map(withoutNullArguments) : withoutNullArguments(message);
}

/** Some clients fill every key: no arguments are none, whatever the SDK's schema says to null. */
export function withoutNullArguments(message: unknown): unknown {
  const { params } = (message ?? {}) as { readonly params?: unknown }; // any JSON; the SDK judges its form
  if (typeof params !== 'object' || params === null || (params as { arguments?: unknown }).arguments !== null)
    return message;
  const { arguments: _, ...rest } = params as Record<string, unknown>;
  return { ...(message as object), params: rest };
}

async function parsed(text: string): Promise<unknown> {
  try {
    return await parseJsonInTurns(text);
  } catch (error) {
    if (error instanceof GatehouseError)
      throw new HttpRefusal(400, 'invalid_input', error.message, { next: error.next });
    throw new HttpRefusal(400, 'invalid_input', 'The body is not valid JSON.', { next: 'Send one JSON-RPC message.' });
  }
}
