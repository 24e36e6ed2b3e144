import { BlockList, isIP } from 'node:net';

/** Where an address leads: to everybody's internet, to this machine, or to what only this network reaches. Pure. */
export type Reach = 'public' | 'loopback' | 'private';

const private4 = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  private4.addSubnet(net, bits, 'ipv4');

/** Of what is routed at all (2000::/3), these are not. */
const private6 = new BlockList();
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
] as const)
  private6.addSubnet(net, bits, 'ipv6');
const routed6 = new BlockList();
routed6.addSubnet('2000::', 3, 'ipv6');

/** Of an address in its usual form; whatever is none of them counts as private. */
export function reachOf(address: string): Reach {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(plain) === 4) return reachOf4(plain);
  if (isIP(plain) === 0) return 'private';
  const words = wordsOf(plain);
  const inside = embedded(words);
  if (inside !== undefined) return reachOf4(inside);
  if (words.slice(0, 7).every((word) => word === 0) && words[7] === 1) return 'loopback';
  return routed6.check(plain, 'ipv6') && !private6.check(plain, 'ipv6') ? 'public' : 'private';
}

function reachOf4(address: string): Reach {
  if (address.startsWith('127.')) return 'loopback';
  return private4.check(address, 'ipv4') ? 'private' : 'public';
}

/** The IPv4 address that an IPv6 one stands for: mapped, translated (64:ff9b::/96) or tunnelled (2002::/16). */
function embedded(words: readonly number[]): string | undefined {
  const zeros = (from: number, to: number) => words.slice(from, to).every((word) => word === 0);
  if (zeros(0, 5) && words[5] === 0xffff) return dotted(words[6], words[7]);
  if (zeros(0, 4) && words[4] === 0xffff && words[5] === 0) return dotted(words[6], words[7]);
  if (words[0] === 0x64 && words[1] === 0xff9b && zeros(2, 6)) return dotted(words[6], words[7]);
  return words[0] === 0x2002 ? dotted(words[1], words[2]) : undefined;
}

const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

/** The eight words of an IPv6 address that `isIP` knows. */
function wordsOf(address: string): readonly number[] {
  const tail = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = tail
    ? address.slice(0, tail.index) +
      [tail.slice(1, 3), tail.slice(3, 5)].map(([a, b]) => ((Number(a) << 8) | Number(b)).toString(16)).join(':')
    : address;
  const [head = '', rest] = hex.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const [before, after] = [parse(head), parse(rest ?? '')];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}
