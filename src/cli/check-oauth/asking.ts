import { lookup } from 'node:dns/promises';
import { parseJson } from '../../domain/json-shape.ts';
import { oneLine } from '../../domain/safe-text.ts';
import { type Reach, reachOf } from '../../outbound/addresses.ts';
import { AddressRefused } from '../../outbound/judged-lookup.ts';
import { createReader, type Reader } from '../../outbound/reader.ts';

/** What a check of a sign-in found, step by step; each wrong one with its cure. */
export interface Finding {
  readonly step: 'address' | 'challenge' | 'resource' | 'server' | 'registration' | 'sign-in' | 'token';
  /** `wrong`: a client stops here. `note`: some clients do, or would rather have it. */
  readonly level: 'ok' | 'note' | 'wrong';
  readonly message: string;
  readonly next?: string;
}

/** Ends the walk: what follows hangs on it. */
export class Stop extends Error {
  readonly finding: Finding;
  constructor(step: Finding['step'], message: string, next: string) {
    super(message);
    this.finding = { step, level: 'wrong', message, next };
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The JSON object that it is; undefined for anything else. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** Asks as a client does; a `Stop` where nothing answers. */
export type Ask = (step: Finding['step'], url: URL, asked?: Parameters<Reader>[1]) => Promise<Answer>;

/** Hosted clients give up then. */
const LONGEST_MS = 10_000;
const MOST_BYTES = 512 * 1024;

/** Where the address leads from here. What its server names later may lead no further: a hosted client would not go there. */
export async function reachOfHost({ hostname }: URL): Promise<Reach | undefined> {
  const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  const reaches = found.map(({ address }) => reachOf(address));
  return (['private', 'loopback', 'public'] as const).find((one) => reaches.includes(one));
}

export function createAsk(reach: Reach): Ask {
  const read = createReader({ reach, timeoutMs: LONGEST_MS, maxBytes: MOST_BYTES });
  return async (step, url, asked) => {
    try {
      const answer = await read(url, asked);
      return { ...answer, json: objectIn(answer.text) };
    } catch (error) {
      throw new Stop(step, `${url.origin} does not answer: ${wordsOf(error)}`, cureOf(error));
    }
  };
}

/** Words of a server that is not ours, fit for a terminal. */
export function wordsIn({ json, status }: Answer): string {
  const error = json?.error;
  const said =
    typeof error === 'object' && error !== null && 'message' in error
      ? `${error.message} ${'next' in error ? error.next : ''}`
      : [error, json?.error_description].filter((one) => typeof one === 'string').join(': ');
  return said.trim() === '' ? `it answered ${status}` : `it answered ${status}, “${oneLine(said, 240)}”`;
}

function objectIn(text: string): Answer['json'] {
  try {
    const read = parseJson(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read)
      ? (read as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function wordsOf(error: unknown): string {
  const code = codeOf(error);
  if (['ENOTFOUND', 'EAI_AGAIN'].includes(code)) return 'no machine has that name.';
  if (code === 'ECONNREFUSED') return 'nothing listens there.';
  if (['AbortError', 'TimeoutError', 'ABORT_ERR', 'ETIMEDOUT'].includes(code)) return 'there was no answer in 10 s.';
  return oneLine(error instanceof Error ? error.message : String(error), 200);
}

function cureOf(error: unknown): string {
  if (error instanceof AddressRefused)
    return 'A hosted client goes to public addresses only: have the metadata name one.';
  const code = codeOf(error);
  if (/CERT|TLS|SSL|SIGNATURE/.test(code))
    return 'Give the server a certificate that every computer trusts, with all of its chain.';
  if (['ENOTFOUND', 'EAI_AGAIN'].includes(code)) return 'Check the name, and its DNS entry.';
  if (['AbortError', 'TimeoutError', 'ABORT_ERR', 'ETIMEDOUT'].includes(code))
    return 'Let the firewall through to it, and see why it takes so long: hosted clients give up then.';
  return 'See that the server runs, and that its proxy leads to it.';
}
