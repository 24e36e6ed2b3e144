import { useEffect, useState } from 'preact/hooks';
import { leftWords } from '../../../domain/time-left.ts';
import { clock } from '../session.ts';

/** Moments and how long is left, by the server's clock and in the reader's own zone. */

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

function ago(ms: number): string {
  for (const [unit, size] of UNITS) if (Math.abs(ms) >= size) return relative.format(Math.round(ms / size), unit);
  // What was answered after the clocks were compared is some milliseconds ahead of them.
  return ms > 5_000 ? 'in a moment' : 'just now';
}

/** Asks for a new drawing every so often. */
function useTick(everyMs: number): void {
  const [, draw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => draw((count) => count + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}

/** Relative, with the exact one on focus and hover. */
export function Moment({ at }: { readonly at: string }) {
  useTick(30_000);
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exact.format(ms)}>
      {ago(ms - clock())}
    </time>
  );
}

/** The zone of the reader's own clock. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What the clocks of a zone show then, and beside it the reader's own. */
export function WallTime({ at, zone }: { readonly at: string; readonly zone: string }) {
  const shown = (timeZone: string) =>
    new Intl.DateTimeFormat('en-GB', {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
    }).format(Date.parse(at));
  const own = ownZone();
  return (
    <time dateTime={at}>
      {shown(zone)} in {zone}
      {own !== zone && ` (${shown(own)} for you)`}
    </time>
  );
}

export function TimeLeft({ until }: { readonly until: string }) {
  useTick(1_000);
  const ms = Date.parse(until) - clock();
  return (
    <span class={ms < 60_000 ? 'left soon' : 'left'} role="timer">
      {leftWords(ms)}
    </span>
  );
}
