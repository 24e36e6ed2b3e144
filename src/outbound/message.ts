import { createHmac } from 'node:crypto';
import type { Hooks } from './hooks.ts';
import { AddressRefused } from './judged-lookup.ts';

/** One signed message to an address that an operator named, and what is wrong with it in words. Standard Webhooks: https://www.standardwebhooks.com */

const TIMEOUT_MS = 15_000;

/** What an address is refused for before anybody looks where it leads. */
export function wrongAddress({ protocol, hostname, username, password }: URL): Wrong | undefined {
  const isHere = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere))
    return { problem: 'A webhook goes to an https address.', next: 'Use https, or http on this machine.' };
  if (username || password)
    return { problem: 'The address holds a user or password.', next: 'Leave it out: every message is signed.' };
  return undefined;
}

interface Wrong {
  readonly problem: string;
  readonly next: string;
}

/** Undefined once it was taken; `gone` where the receiver wants no more; else why it was not taken. */
export async function sendMessage(
  hooks: Pick<Hooks, 'post'>,
  bot: string,
  message: { readonly url: string; readonly secret: string; readonly id: string; readonly body: string },
  nowMs: number,
): Promise<string | 'gone' | undefined> {
  const { url, secret, id, body } = message;
  try {
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...signed(secret, id, Math.floor(nowMs / 1000), body),
    };
    // A redirect would carry the message to somewhere nobody chose, so none is followed.
    const status = await hooks.post(bot, new URL(url), { headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (status >= 200 && status < 300) return undefined;
    return status === 410 ? 'gone' : `The receiver answered ${status}.`;
  } catch (error) {
    if (error instanceof AddressRefused) return `Nothing was sent. ${error.message}`;
    return error instanceof Error && error.cause instanceof DOMException && error.cause.name === 'TimeoutError'
      ? 'The receiver did not answer in 15 s.'
      : 'The receiver could not be reached.';
  }
}

function signed(secret: string, id: string, timestamp: number, body: string): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}
