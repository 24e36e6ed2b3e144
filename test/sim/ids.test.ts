import { describe, expect, it } from 'vitest';
import { mintId, parseId, to18 } from '../../src/sim/ids.ts';

describe('record ids', () => {
  it('have the check characters of real ones [X5]', () => {
    expect(to18('012000000000000')).toBe('012000000000000AAA');
    expect(to18('001D000000IqhSL')).toBe('001D000000IqhSLIAZ');
    expect(to18('a0A5g000002AbCd')).toHaveLength(18);
  });

  it('sort in the order of their making and never repeat [X5]', () => {
    const ids = Array.from({ length: 5000 }, (_, n) => mintId('003', n));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(ids.length);
  });

  it('are kept as 18, taken as 15, and refused with a wrong check part [X5]', () => {
    expect(parseId('001D000000IqhSL')).toBe('001D000000IqhSLIAZ');
    expect(parseId('001D000000IqhSLIAZ')).toBe('001D000000IqhSLIAZ');
    for (const wrong of [
      '001D000000IqhSLAAA',
      '001d000000iqhsliaz',
      '',
      '001',
      '001D000000IqhS/../..',
      '001D000000IqhSL ',
    ]) {
      expect(parseId(wrong)).toBeUndefined();
    }
  });
});
