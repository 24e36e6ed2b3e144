import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asUuid } from '../../src/domain/canonical-json.ts';
import { createLogIds, toLogId, toUuid } from '../../src/sync/host/log-ids.ts';

const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));

it('shows ids of the log as UUIDs that lead back, and sort as the rows do [V15]', () => {
  const part = fc.record({ at: fc.nat({ max: 2 ** 46 }), count: fc.nat({ max: 36 ** 5 - 1 }), random: digits(12) });
  const idOf = ({ at, count, random }: { at: number; count: number; random: string }) =>
    `${at.toString(36).padStart(9, '0')}-${count.toString(36).padStart(5, '0')}-${random}`;
  fc.assert(
    fc.property(part, part, (a, b) => {
      const [one, other] = [idOf(a), idOf(b)];
      expect(toUuid(one)).toMatch(V7);
      expect(toLogId(toUuid(one))).toBe(one);
      expect(toLogId(toUuid(one).toUpperCase())).toBe(one);
      expect(toUuid(one) < toUuid(other)).toBe(one < other);
    }),
  );
  const next = createLogIds(
    () => 1_763_758_000_123,
    () => crypto.randomUUID(),
  );
  const made = Array.from({ length: 2_000 }, () => toUuid(next()));
  expect(made.every((id) => V7.test(id))).toBe(true);
  expect(made).toEqual([...made].sort());
});

it('takes the old form, and no other', () => {
  expect(toLogId('0mx0hz4zk-00000-975e95801ce4')).toBe('0mx0hz4zk-00000-975e95801ce4');
  for (const text of ['', 'garbage', '019ac9b5-1234-4abc-8def-0123456789ab', "0mx0hz4zk-00000-975e95801ce4'"])
    expect(toLogId(text), text).toBeUndefined();
});

it('shows a connector id as a UUID, each its own [V15]', () => {
  fc.assert(fc.property(digits(32), (id) => V8.test(asUuid(id))));
  expect(asUuid('a-b')).toBe('a-b');
});
