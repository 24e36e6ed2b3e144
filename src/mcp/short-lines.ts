import { Transform, type TransformCallback } from 'node:stream';
import { GatehouseError } from '../domain/errors.ts';
import { parseJson } from '../domain/json-shape.ts';

/** Enough of a line to tell whose request it is: clients write its id before all else or after it. */
const HEAD = 300;

/** Why a line does not go on, in words for whoever sent it, with its two ends. */
export interface RefusedLine {
  readonly why: string;
  readonly head: string;
  readonly tail: string;
}

/**
 * Lines on their way in, without those that are longer than a message may be (the SDK would hold each in memory and end the
 * connection at ten megabytes) and those that are not read over HTTP either: the SDK drops what is no JSON or no single message
 * without a word, and of two values of one name the first. `onRefused` hears of them.
 */
export class ShortLines extends Transform {
  readonly #most: number;
  readonly #onRefused: (line: RefusedLine) => void;
  /** Of the line that is under way. */
  #parts: Buffer[] = [];
  #length = 0;

  constructor(most: number, onRefused: (line: RefusedLine) => void) {
    super();
    this.#most = most;
    this.#onRefused = onRefused;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#add(chunk.subarray(from, end + 1));
      this.#finish();
      from = end + 1;
    }
    this.#add(chunk.subarray(from));
    done();
  }

  /** Of a line that is too long only its ends are kept. */
  #add(part: Buffer): void {
    this.#length += part.length;
    this.#parts.push(part);
    if (this.#length <= this.#most) return;
    const all = Buffer.concat(this.#parts);
    this.#parts = [Buffer.from(all.subarray(0, HEAD)), Buffer.from(all.subarray(Math.max(HEAD, all.length - HEAD)))];
  }

  #finish(): void {
    const [first, ...more] = this.#parts;
    const line = first === undefined || more.length > 0 ? Buffer.concat(this.#parts) : first;
    const why =
      this.#length <= this.#most
        ? problemOf(line.toString())
        : `The message is larger than ${this.#most} bytes. Send less at once.`;
    if (why === undefined) this.push(line);
    else this.#onRefused({ why, head: line.subarray(0, HEAD).toString(), tail: line.subarray(-HEAD).toString() });
    this.#parts = [];
    this.#length = 0;
  }
}

function problemOf(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  try {
    const message = parseJson(line);
    return Array.isArray(message) ? 'Several messages came in one line. Send each in a line of its own.' : undefined;
  } catch (error) {
    if (error instanceof GatehouseError) return `${error.message} ${error.next}`;
    return 'The line is not valid JSON. Send one JSON-RPC message a line, in UTF-8.';
  }
}

const ID = String.raw`("(?:[^"\\]|\\.){1,200}"|-?\d{1,16})`;
const FIRST = new RegExp(String.raw`^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*${ID}\s*,`);
const LAST = new RegExp(String.raw`,\s*"id"\s*:\s*${ID}\s*\}\s*$`);

/** The id of a request of which only both ends are known. */
export function idIn(head: string, tail: string): string | number | undefined {
  const found = FIRST.exec(head)?.[1] ?? LAST.exec(tail)?.[1];
  return found === undefined ? undefined : (JSON.parse(found) as string | number); // one of the two by its pattern
}
