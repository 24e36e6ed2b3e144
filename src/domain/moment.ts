import { z } from 'zod';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** A time as people say it: `2026-11-27` (its beginning, UTC), an ISO instant, or how long ago: `90m`, `24h`, `7d`. */
export function readMoment(text: string, now: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return Math.max(0, now - Number(count) * (UNITS.get(unit) ?? 0));
  if (!z.iso.date().safeParse(text).success && !z.iso.datetime({ offset: true }).safeParse(text).success)
    return undefined;
  return Math.max(0, Date.parse(text));
}

/** For a query: the text, once it is one. */
export const momentInput = z
  .string()
  .max(40)
  .refine(
    (text) => readMoment(text, 0) !== undefined,
    'a day such as 2026-11-27, an ISO time, or how long ago: 90m, 24h, 7d',
  );

/** Both ends of a time, as far as they are given. */
export function readSpan(
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
  now: number,
): { readonly since?: number | undefined; readonly until?: number | undefined } {
  const [from, to] = [since, until].map((text) => (text === undefined ? undefined : readMoment(text, now)));
  return { since: from, until: to };
}
