import { breathe } from '../../domain/breath.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { parseAnswer } from '../../domain/json-shape.ts';

/**
 * What an endpoint sends, read within bounds: each byte is looked at a fixed number of times, whatever was sent, and the loop
 * is given back every few of them. The reader of the `openai` package copies all it holds for every blank line: a megabyte of
 * them took four seconds, and it prints what it cannot read.
 */

/** Far above the longest thoughts and words of a model, each with the keys that servers put around it. */
const MOST_BYTES = 32_000_000;
/** Of one event, or of an answer that is no stream. */
const MOST_AT_ONCE = 1_000_000;
const PIECE_BYTES = 16_000;

/** The data of each server-sent event. One that the stream breaks off in is none. */
export async function* eventsOf(response: Response): AsyncGenerator<string> {
  let line = '';
  let data = '';
  for await (const piece of piecesOf(response)) {
    const lines = piece.split(/\r\n|\r|\n/);
    const last = lines.pop() ?? '';
    for (const end of lines) {
      line += end;
      if (line === '') {
        if (data !== '') yield data;
        data = '';
      } else if (line.startsWith('data:')) data += `${data === '' ? '' : '\n'}${line.slice(5).trimStart()}`;
      line = '';
    }
    line += last;
    if (line.length + data.length > MOST_AT_ONCE) throw endless();
  }
}

/** An answer that is no stream. */
export async function wholeOf(response: Response): Promise<string> {
  const text = await beginningOf(response, MOST_AT_ONCE + 1);
  if (text.length > MOST_AT_ONCE) throw endless();
  return text;
}

/** What a text of it holds; a SyntaxError where it is no JSON. */
export async function jsonOf(text: string): Promise<unknown> {
  return parseAnswer(text).catch((error: unknown) => {
    throw error instanceof GatehouseError ? endless() : error;
  });
}

/** As much as anybody reads; the rest is not waited for. */
export async function beginningOf(response: Response, most: number): Promise<string> {
  let text = '';
  for await (const piece of piecesOf(response)) {
    text += piece;
    if (text.length >= most) break;
  }
  return text.slice(0, most);
}

/** Decoded, a few at a time with a breath after each; no piece ends between the two halves of a line's end. */
async function* piecesOf({ body }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let size = 0;
  let held = '';
  for await (const bytes of body ?? []) {
    size += bytes.length;
    if (size > MOST_BYTES) throw endless();
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const text = held + decoder.decode(bytes.subarray(at, at + PIECE_BYTES), { stream: true });
      held = text.endsWith('\r') ? '\r' : '';
      yield held === '' ? text : text.slice(0, -1);
      await breathe();
    }
  }
  yield held + decoder.decode();
}

function endless(): GatehouseError {
  return new GatehouseError('limit_reached', 'The answer did not end, so I stopped listening.', {
    next: 'Ask for less at a time. What was done until here is done.',
  });
}
