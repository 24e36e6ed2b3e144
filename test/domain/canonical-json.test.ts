import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { isRecord } from '../../src/domain/is-record.ts';

/** As it was first written. Rows of the chain and seals of proposals were hashed over its text, and must still be the same. */
const asEver = (value: unknown) =>
  JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );

it('gives the text that every earlier version gave, whatever the value [C7] [A7]', () => {
  const keys = fc.oneof(
    fc.string(),
    fc.constantFrom('10', '9', '__proto__', 'constructor', 'toString', 'B', 'a', '\u00e9'),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(undefined, null, Number.NaN, -0, new Date(0), () => 1, Symbol('s')),
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.boolean(),
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 6 }),
    ),
  }));
  fc.assert(
    fc.property(tree!, (value) => {
      expect(canonicalJson(value)).toBe(asEver(value));
    }),
  );
});
