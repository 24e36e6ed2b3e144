import { describe, expect, it } from 'vitest';
import { cleanData, cleanText, hiddenCharacter, oneLine, quoted } from '../../src/domain/safe-text.ts';

it('names the character that a person could not see [A7]', () => {
  expect(hiddenCharacter('Closed\u202eWon')).toBe('U+202E');
  expect(hiddenCharacter('a\u200bb')).toBe('U+200B');
  expect(hiddenCharacter('a\u0000b')).toBe('U+0000');
  expect(hiddenCharacter('a\ufeff')).toBe('U+FEFF');
  expect(hiddenCharacter('hi\u{e0041}')).toBe('U+E0041');
  expect(hiddenCharacter('half \ud83d')).toBe('U+D83D');
  // Drawn as nothing, and no space: a name of it alone would be taken for one.
  for (const blank of ['\u2800', '\u{1d159}', '\u{13430}', '\u{16fe4}'])
    for (const text of [blank, `pay${blank}pal`]) expect(hiddenCharacter(text), JSON.stringify(text)).toBeDefined();
});

it('lets scripts, emoji and line breaks be [A7]', () => {
  for (const text of [
    'Müller & Söhne',
    '株式会社',
    'שלום',
    'می‌خواهم',
    '👩‍💻 family 👨‍👩‍👧',
    '❤️‍🔥 1️⃣ ☎️',
    'line\nbreak\ttab',
    '⠓⠊⠀⠁⠙⠁',
  ])
    expect(hiddenCharacter(text), text).toBeUndefined();
  expect(hiddenCharacter('Ac\u200dme')).toBe('U+200D');
});

it('hands record text on without what is hidden, and capped [A7]', () => {
  const hostile = {
    Name: `A\u202e\u200bB${'x'.repeat(1_000_000)}`,
    Nested: [{ T: 'می‌خواهم\u0007' }],
    n: 5,
    none: null,
  };
  const clean = cleanData(hostile);
  expect(clean.Name.length).toBeLessThan(2_100);
  expect(clean.Name.startsWith('ABxxx')).toBe(true);
  expect(clean.Nested[0]?.T).toBe('می‌خواهم');
  expect(clean).toMatchObject({ n: 5, none: null });
});

it('quotes text on one line [A7]', () => {
  expect(quoted('a\n"b"\u202e')).toBe('"a \\"b\\""');
});

describe('text that strangers wrote', () => {
  it.each([
    ['controls', 'a\u0000b\u0007c\u009bd', 'abcd'],
    ['zero-width', 'a\u200bb\u200dc\ufeffd\u2060e', 'abcde'],
    ['bidi', 'a\u202eb\u2066c\u200fd', 'abcd'],
    ['tags', `a${String.fromCodePoint(0xe0041, 0xe0042)}b`, 'ab'],
    ['variation selectors', `a\ufe01${String.fromCodePoint(0xe0100)}b`, 'ab'],
    ['variation selectors in a row', '😀\ufe0f\ufe0f\ufe0fa\ufe0fb', '😀\ufe0fab'],
    ['marks of music and shorthand', `a${String.fromCodePoint(0x1d173, 0x1d17a, 0x1bca0)}b\u2065c`, 'abc'],
    ['lone surrogates', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
    ['line ends', 'a\r\nb\rc\td', 'a\nb\nc\td'],
    ['ordinary writing', 'Jürgen 日本 😀 ❤️', 'Jürgen 日本 😀 ❤️'],
  ])('is cleaned of %s [A7]', (_, dirty, plain) => {
    expect(cleanText(dirty)).toBe(plain);
  });

  it('is cut at its cap, never in the middle of a character [A7]', () => {
    expect(cleanText('abcdef', 4)).toBe('abc…');
    expect(cleanText('ab😀def', 4)).toBe('ab…');
    expect(cleanText('x'.repeat(1_000_000), 300)).toHaveLength(300);
    expect(cleanText('abcd', 4)).toBe('abcd');
  });

  it('is one short line as a quote [A7]', () => {
    expect(oneLine('\nSELECT x\n   ^\nERROR\u202e at Row:1')).toBe('SELECT x ^ ERROR at Row:1');
    expect(oneLine('y'.repeat(5000))).toHaveLength(300);
  });
});
