import type { LogFilter } from './log-filter.ts';

/** Days of the log by the reader's own calendar; the address holds their moments. */

export const SPANS = [
  { name: 'today', words: 'Today', from: 0, to: undefined },
  { name: 'yesterday', words: 'Yesterday', from: 1, to: 0 },
  { name: 'week', words: 'Last 7 days', from: 6, to: undefined },
] as const;
export type Span = (typeof SPANS)[number]['name'];

/** `name` of SPANS; anything else is all the time there is. */
export function momentsOf(name: string, now: number): Required<Record<'since' | 'until', string>> {
  const span = SPANS.find((one) => one.name === name);
  const midnight = (days: number | undefined) => {
    if (days === undefined) return '';
    const day = new Date(now);
    return new Date(day.getFullYear(), day.getMonth(), day.getDate() - days).toISOString();
  };
  return { since: midnight(span?.from), until: midnight(span?.to) };
}

/** Undefined where the filter has moments that are no day of these; '' where it has none. */
export function spanOf({ since = '', until = '' }: LogFilter, now: number): Span | '' | undefined {
  if (since === '' && until === '') return '';
  return SPANS.map(({ name }) => name).find((name) => {
    const moments = momentsOf(name, now);
    return moments.since === since && moments.until === until;
  });
}
