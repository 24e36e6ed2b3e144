import { expect, it } from 'vitest';
import { createChunkSize } from '../../src/sync/engine/chunk-size.ts';

it('halves the rows per request, down to 50, while triggers choke, and grows back to 200, each org by itself [S6]', () => {
  const size = createChunkSize();
  const after = (isOverload: boolean) => {
    size.adapt('a', isOverload);
    return size.of('a');
  };
  expect([true, true, true].map(after)).toEqual([100, 50, 50]);
  expect(Array.from({ length: 16 }, () => after(false)).slice(-3)).toEqual([190, 200, 200]);
  size.adapt('b', true);
  expect([size.of('a'), size.of('b'), size.of('c')]).toEqual([200, 100, 200]);
});
