import { BlockList, isIP } from 'node:net';
import { isLoopbackAddress, isLoopbackName, isPublic } from '../domain/loopback.ts';
import type { Config } from '../ports/config.ts';
import type { Log } from '../ports/log.ts';

/**
 * Who is on the wire, decided here alone: from the socket, and from what proxies say of whom they speak for, where an operator named the
 * proxy (GATEHOUSE_TRUSTED_PROXIES). Anybody else may write whatever they like into these headers.
 */
export interface Peer {
  /** For limits and the audit. */
  readonly address: string;
  /** Sits at this machine: what is open without a sign-in is open to them alone. */
  readonly isHere: boolean;
  /** Hosts that were asked for: the request's own, and the one that a trusted proxy was asked for. */
  readonly asked: readonly string[];
}

type Settings = Pick<Config, 'url' | 'trustedProxies'>;

export type PeerOf = (headers: Headers, socketAddress: string) => Peer;

export function createPeers(config: Settings, log: Pick<Log, 'warn'>): PeerOf {
  const isTrusted = createTrust(config.trustedProxies);
  const mayBeHere = !isPublic(config);
  let isTold = false;

  return (headers, socketAddress) => {
    const socket = plain(socketAddress);
    const host = (headers.get('host') ?? '').toLowerCase();
    const isForwarded = [...headers.keys()].some((name) => FORWARDS.test(name));
    if (!isTrusted(socket)) {
      if (isForwarded && !mayBeHere && !isTold && isLoopbackAddress(socket)) {
        isTold = true;
        log.warn(
          'a proxy on this machine is not in GATEHOUSE_TRUSTED_PROXIES: limits count all of its callers as one',
          {
            proxy: socket,
          },
        );
      }
      const isHere =
        mayBeHere && !isForwarded && isLoopbackAddress(socket) && isLoopbackName(host.replace(/:\d+$/, ''));
      return { address: socket, isHere, asked: [host] };
    }
    const forwarded = parseForwarded(headers.get('forwarded'));
    const list = headers.get('x-forwarded-for')?.split(',');
    const address = agreed([list, forwarded?.map((one) => one.for)], (chain) =>
      lastUntrusted(socket, chain, isTrusted),
    );
    const through = agreed(
      [headers.get('x-forwarded-host')?.split(','), forwarded?.map((one) => one.host)],
      // The nearest proxy's own word; what stands before it came with the request.
      (hosts) => hosts.at(-1)?.trim().toLowerCase() || undefined,
    );
    return { address: address ?? socket, isHere: false, asked: through === undefined ? [host] : [host, through] };
  };
}

const FORWARDS = /^(forwarded|via|x-forwarded-.+|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;

/** A proxy writes one of two headers and passes the other on as it came: where they differ, neither is believed. */
function agreed<T>(told: readonly (T | undefined)[], read: (one: T) => string | undefined): string | undefined {
  const [first, ...others] = told.flatMap((one) => (one === undefined ? [] : (read(one) ?? [])));
  return others.every((other) => other === first) ? first : undefined;
}

/** From the nearest hop outwards: each trusted one is believed about the next, and what is unreadable ends it. */
function lastUntrusted(
  socket: string,
  chain: readonly (string | undefined)[],
  isTrusted: (address: string) => boolean,
): string {
  let at = socket;
  for (let hop = chain.length - 1; hop >= 0 && isTrusted(at); hop -= 1) {
    const next = addressIn(chain[hop]);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

/** `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`; undefined for `unknown`, `_hidden` and all else. */
function addressIn(text = ''): string | undefined {
  const given = text.trim();
  const address = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(given)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(given)?.[1] ?? given;
  return isIP(address) === 0 ? undefined : plain(address);
}

/** Without the zone of an interface, and an IPv4 caller of a dual-stack socket as that caller. */
const plain = (address: string): string => address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');

const PAIR = /^\s*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*))\s*$/;

/** RFC 7239. An element that cannot be read is one that says nothing. */
function parseForwarded(header: string | null): readonly { for?: string; host?: string }[] | undefined {
  if (header === null) return undefined;
  return splitOutsideQuotes(header, ',').map((element) => {
    const pairs = splitOutsideQuotes(element, ';').map((pair) => PAIR.exec(pair));
    if (pairs.includes(null)) return {};
    return Object.fromEntries(
      pairs.map((pair) => [pair?.[1]?.toLowerCase(), pair?.[2]?.replace(/\\(.)/g, '$1') ?? pair?.[3]]),
    );
  });
}

function splitOutsideQuotes(text: string, mark: string): readonly string[] {
  const parts = [''];
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    const isEscaped = isQuoted && char === '\\';
    if (char === '"') isQuoted = !isQuoted;
    if (char === mark && !isQuoted) parts.push('');
    else parts[parts.length - 1] += isEscaped ? text.slice(at, at + 2) : char;
    if (isEscaped) at += 1;
  }
  return parts;
}

function createTrust(proxies: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}
