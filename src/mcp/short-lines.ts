import { Transform, type TransformCallback } from 'node:stream';

/** Enough of a line to tell whose request it is: clients write its id before all else or after it. */
const HEAD = 300;

/**
 * Lines on their way in, without those that are longer than a message may be: the SDK would hold each in memory and end the
 * connection at ten megabytes, without a word. `onTooLong` hears the two ends of one.
 */
export class ShortLines extends Transform {
  readonly #most: number;
  readonly #onTooLong: (head: string, tail: string) => void;
  /** Of the line that is under way. */
  #parts: Buffer[] = [];
  #length = 0;

  constructor(most: number, onTooLong: (head: string, tail: string) => void) {
    super();
    this.#most = most;
    this.#onTooLong = onTooLong;
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
    if (this.#length <= this.#most) this.push(line);
    else this.#onTooLong(line.subarray(0, HEAD).toString(), line.subarray(-HEAD).toString());
    this.#parts = [];
    this.#length = 0;
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
