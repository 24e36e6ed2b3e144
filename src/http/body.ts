import { breathe } from '../domain/breath.ts';
import { GatehouseError } from '../domain/errors.ts';
import { HttpRefusal } from '../domain/http-refusal.ts';
import { parseJsonInTurns } from '../domain/json-shape.ts';

/** Reads what was sent: never more than the limit, whatever Content-Length claims. */

export const MAX_BODY_BYTES = 256 * 1024;

export async function readText(request: Request, maxBytes = MAX_BODY_BYTES): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(brokenOff);
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new GatehouseError('invalid_input', 'The body is not UTF-8 text.', { next: 'Send it encoded as UTF-8.' });
  }
}

/** The parsed JSON body; undefined when there is none. */
export async function readJson(
  request: Request,
  { maxBytes, takesUnreadable = false }: { readonly maxBytes?: number; readonly takesUnreadable?: boolean } = {},
): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const hasBody = request.headers.has('content-type') || Number(request.headers.get('content-length') ?? 0) > 0;
  // Anything but JSON could be sent by a plain form of another site, without the browser asking us first.
  if (hasBody && type !== 'application/json') throw wrongType('application/json');
  const text = await readText(request, maxBytes);
  if (text === '') return undefined;
  if (!hasBody) throw wrongType('application/json');
  // Decoding megabytes, reading them and checking what they hold are three turns.
  await breathe();
  try {
    const value = await parseJsonInTurns(text);
    await breathe();
    return value;
  } catch (error) {
    if (error instanceof GatehouseError) throw error;
    if (takesUnreadable) return text;
    throw new GatehouseError('invalid_input', 'The body is not valid JSON.', { next: 'Send one JSON object.' });
  }
}

/** A form of our own pages. */
export async function readForm(request: Request, maxBytes?: number): Promise<URLSearchParams> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw wrongType('application/x-www-form-urlencoded');
  return new URLSearchParams(await readText(request, maxBytes));
}

/** Whoever hangs up half-way is no failure of ours: without a key anybody could fill the log with those. */
function brokenOff(cause: unknown): never {
  throw new GatehouseError('invalid_input', 'The request ended before its body did.', {
    next: 'Send it again.',
    cause,
  });
}

function tooLarge(maxBytes: number): HttpRefusal {
  return new HttpRefusal(
    413,
    'invalid_input',
    `The body is larger than ${maxBytes} bytes.`,
    { next: 'Send less at once.' },
    // What is still on its way is not worth reading.
    { connection: 'close' },
  );
}

function wrongType(wanted: string): HttpRefusal {
  return new HttpRefusal(415, 'invalid_input', `The body must be sent as ${wanted}.`, {
    next: `Set the header Content-Type: ${wanted}.`,
  });
}
