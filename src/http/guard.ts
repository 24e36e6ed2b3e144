import { HttpRefusal } from '../domain/http-refusal.ts';
import { isLoopbackName, isPublic } from '../domain/loopback.ts';
import type { Config } from '../ports/config.ts';
import type { Peer } from './peer.ts';

/** Who may speak to us by name: a page of another site, or a name that was rebound to our address, may not. */

/** Where this server is reached. */
type Address = Pick<Config, 'url' | 'host'>;

/** The host that was asked for, once it is one of ours; without a port that its scheme implies. */
export function checkHost({ asked }: Pick<Peer, 'asked'>, own: Address): string {
  for (const sent of asked) {
    if (own.url !== undefined && withoutDefaultPort(sent, new URL(own.url).protocol) === publicHost(own))
      return new URL(own.url).host;
    const name = sent.replace(/:\d+$/, '');
    if (isOwnName(name, own)) return withoutDefaultPort(sent, 'http:');
  }
  throw new HttpRefusal(403, 'permission_denied', 'This host name is not one of ours.', {
    next: isPublic(own)
      ? `Use ${own.url}. Behind a proxy: let it pass the Host header on, or send X-Forwarded-Host and be named in GATEHOUSE_TRUSTED_PROXIES.`
      : 'Use the address that Gatehouse printed at its start, or set GATEHOUSE_URL to the address you use.',
  });
}

/** Behind a public address a loopback name is what a proxy calls us: of use to nobody but whoever got past its rules. */
function isOwnName(name: string, own: Address): boolean {
  const isBound = name === bracketed(own.host);
  if (!isPublic(own)) return isLoopbackName(name) || isBound;
  return isBound && !isLoopbackName(name) && !['0.0.0.0', '[::]'].includes(name);
}

/** A browser names the page's origin on every cross-site request and every POST. Ours is the host that was asked. */
export function checkOrigin(headers: Headers, host: string, own: Address, guests: readonly string[] = []): void {
  const origin = headers.get('origin');
  if (origin === null || origin === originOf(host, own) || guests.includes(origin)) return;
  throw new HttpRefusal(403, 'permission_denied', 'Pages of another site may not call Gatehouse.', {
    next: 'Call from the server side, or open the console at its own address. An MCP client in a page or a browser extension: add its origin to GATEHOUSE_ALLOWED_ORIGINS.',
  });
}

/** The address under which this (checked) host reached us: behind a proxy only GATEHOUSE_URL knows the scheme. */
export function originOf(host: string, own: Address): string {
  return own.url !== undefined && host === publicHost(own) ? new URL(own.url).origin : `http://${host}`;
}

function publicHost({ url }: Address): string | undefined {
  return url === undefined ? undefined : new URL(url).host;
}

function withoutDefaultPort(host: string, protocol: string): string {
  return host.replace(protocol === 'https:' ? /:443$/ : /:80$/, '');
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host.toLowerCase();
}
