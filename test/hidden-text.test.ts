import { expect, it } from 'vitest';
import { cleanData, hiddenCharacter, quoted } from '../src/hidden-text.ts';

it('names the character that a person could not see [A7]', () => {
  expect(hiddenCharacter('Closed\u202eWon')).toBe('U+202E');
  expect(hiddenCharacter('a\u200bb')).toBe('U+200B');
  expect(hiddenCharacter('a\u0000b')).toBe('U+0000');
  expect(hiddenCharacter('a\ufeff')).toBe('U+FEFF');
  expect(hiddenCharacter('hi\u{e0041}')).toBe('U+E0041');
  expect(hiddenCharacter('half \ud83d')).toBe('U+D83D');
});

it('lets scripts, emoji and line breaks be [A7]', () => {
  for (const text of ['Müller & Söhne', '株式会社', 'שלום', 'می‌خواهم', '👩‍💻 family 👨‍👩‍👧', 'line\nbreak\ttab'])
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
