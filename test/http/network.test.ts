import { expect, it } from 'vitest';
import { networkOf } from '../../src/http/network.ts';

it('counts all addresses that one subscriber can take as one, and nobody else with them', () => {
  for (const address of ['2001:db8:0:7::1', '2001:0DB8:0000:0007:ffff:ffff:ffff:ffff', '2001:db8::7:1:2:3:4%eth0'])
    expect(networkOf(address)).toBe('2001:db8:0:7::/64');
  expect(networkOf('2001:db8:0:8::1')).not.toBe(networkOf('2001:db8:0:7::1'));
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
});

it('knows an IPv4 caller by the address, however the socket spells it', () => {
  expect(networkOf('203.0.113.9')).toBe('203.0.113.9');
  expect(networkOf('::ffff:203.0.113.9')).toBe('203.0.113.9');
  expect(networkOf('unknown')).toBe('unknown');
});
