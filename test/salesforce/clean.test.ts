import { describe, expect, it } from 'vitest';
import { clean, quote } from '../../src/salesforce/clean.ts';

describe('text that strangers wrote', () => {
  it.each([
    ['controls', 'a\u0000b\u0007c\u009bd', 'abcd'],
    ['zero-width', 'a\u200bb\u200dc\ufeffd\u2060e', 'abcde'],
    ['bidi', 'a\u202eb\u2066c\u200fd', 'abcd'],
    ['tags', `a${String.fromCodePoint(0xe0041, 0xe0042)}b`, 'ab'],
    ['variation selectors', `a\ufe01${String.fromCodePoint(0xe0100)}b`, 'ab'],
    ['lone surrogates', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
    ['line ends', 'a\r\nb\rc\td', 'a\nb\nc\td'],
    ['ordinary writing', 'Jürgen 日本 😀 ❤️', 'Jürgen 日本 😀 ❤️'],
  ])('is cleaned of %s [A7]', (_, dirty, plain) => {
    expect(clean(dirty)).toBe(plain);
  });

  it('is cut at its cap, never in the middle of a character [A7]', () => {
    expect(clean('abcdef', 4)).toBe('abc…');
    expect(clean('ab😀def', 4)).toBe('ab…');
    expect(clean('x'.repeat(1_000_000), 300)).toHaveLength(300);
    expect(clean('abcd', 4)).toBe('abcd');
  });

  it('is one short line as a quote [A7]', () => {
    expect(quote('\nSELECT x\n   ^\nERROR\u202e at Row:1')).toBe('SELECT x ^ ERROR at Row:1');
    expect(quote('y'.repeat(5000))).toHaveLength(300);
  });
});
