import { lookup as lookupName } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type Reach, reachOf } from './addresses.ts';

/** Judged is the very address that is connected to: a name may lead elsewhere at each look. */

export class AddressRefused extends Error {}

/** All addresses of a name, as `dns.lookup` gives them. */
export type LookUp = (
  host: string,
  options: { readonly all: true },
  done: (error: Error | null, found: { readonly address: string; readonly family: number }[]) => void,
) => void;

export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$|\.$/g, '');

/** A name is looked up once, for the connection itself; one forbidden address among several forbids the name. */
export function within(may: Reach, lookup: LookUp = lookupName): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      const problem = found?.map(({ address }) => forbidden(address, may)).find((one) => one !== undefined);
      const [first] = found ?? [];
      if (error || !first) return done(error ?? new Error('the name leads nowhere'), '', 4);
      if (problem !== undefined) return done(new AddressRefused(problem), '', 4);
      return options.all ? done(null, found) : done(null, first.address, first.family);
    });
  };
}

/** Why nothing connects to this address; undefined where it may. */
export function forbidden(address: string, may: Reach): string | undefined {
  const reach = reachOf(address);
  if (reach === 'public' || may === 'private' || reach === may) return undefined;
  return reach === 'loopback' ? 'It leads to this machine.' : 'It leads into a private network.';
}
