import { isLoopbackName } from '../domain/loopback.ts';
import { hiddenCharacter } from '../domain/safe-text.ts';

/** Where a code may be sent. Pure. */

/** Of one redirect, and of what a program calls itself. */
export const MOST_REDIRECT = 500;
export const MOST_NAME = 80;

/** Those of the large hosts; any other waits for an admin's one-time yes. */
const KNOWN_HOSTS = new Set(['claude.ai', 'claude.com', 'chatgpt.com', 'vscode.dev', 'www.cursor.com']);

/** A redirect that we can send a code to: https, or a program on the person's own computer. */
export function isUsableRedirect(redirect: string): boolean {
  if (hiddenCharacter(redirect) !== undefined || /[\s\\]/.test(redirect) || !URL.canParse(redirect)) return false;
  const { protocol, hostname, username, password } = new URL(redirect);
  if (username !== '' || password !== '' || redirect.includes('#') || /^[a-z]+:\/\/[^/]*@/i.test(redirect))
    return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackName(hostname));
}

export function isLoopbackRedirect(redirect: string): boolean {
  const { protocol, hostname } = new URL(redirect);
  return protocol === 'http:' && isLoopbackName(hostname);
}

/** Letter for letter; a program on this computer may have taken another port (RFC 8252 7.3), and no other name for itself. */
export function isRegistered(redirects: readonly string[], asked: string): boolean {
  if (redirects.includes(asked)) return true;
  if (!isUsableRedirect(asked) || !isLoopbackRedirect(asked)) return false;
  return redirects.some((one) => isLoopbackRedirect(one) && withoutPort(one) === withoutPort(asked));
}

export const isKnownHost = (redirect: string) => KNOWN_HOSTS.has(new URL(redirect).host);

/** Back to the client, with what it waits for. */
export function backTo(redirect: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(redirect);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

function withoutPort(redirect: string): string {
  return redirect.replace(/^(http:\/\/(?:\[[^\]]*\]|[^:/?]+))(?::\d+)?/i, '$1');
}
