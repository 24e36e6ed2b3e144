import { z } from 'zod';

/** Moments that a wall clock of a named zone shows: pure, and right on the two odd days of a year. */

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The zones that were asked for, so at most as many as there are. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  const made = new Intl.DateTimeFormat('en', { timeZone: zone, hourCycle: 'h23', second: 'numeric', ...parts });
  clocks.set(zone, made);
  return made;
}

/** A name such as `Europe/Berlin`; a mere offset is none, as it knows no summer time. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z][\w+/-]{1,63}$/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** As it is written in the list of zones: who reads `europe/berlin` and who reads `Europe/Berlin` means one. An alias stays what it is. */
export function zoneNamed(given: string): string {
  if (!isZone(given)) return given;
  const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions();
  return [timeZone, ...Intl.supportedValuesOf('timeZone')].find((one) => isSameName(one, given)) ?? given;
}

const isSameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of the day such as 02:30');
const zone = z.string().max(64).refine(isZone, 'a time zone by its name, such as Europe/Berlin').overwrite(zoneNamed);
const repeated = { at: timeOfDay, zone };
/** When a batch comes again, by the clocks of a zone (IANA). */
export const repeatInput = z.discriminatedUnion('every', [
  z.strictObject({ every: z.literal('day'), ...repeated }),
  z.strictObject({ every: z.literal('week'), on: z.enum(WEEKDAYS), ...repeated }),
]);
export type Repeat = z.output<typeof repeatInput>;

/** From one time of the day to another, also over midnight. */
export const hoursInput = z
  .strictObject({ from: timeOfDay, until: timeOfDay, zone })
  .refine(({ from, until }) => from !== until, { path: ['until'], message: 'another time than "from"' });

export type Hours = z.output<typeof hoursInput>;

/** What the wall clock shows, as if it were UTC. */
function wallAt(zone: string, at: number): number {
  const shown = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of clockOf(zone).formatToParts(at))
    if (type in shown) Object.assign(shown, { [type]: Number(value) });
  const { year, month, day, hour, minute, second } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/**
 * The moment at which the clock shows it. What it shows twice is the first of the two; what it jumps over is the moment of the
 * jump: so an earlier time of a day is never a later moment, and each day has each time once.
 */
function momentOf(zone: string, wall: number): number {
  const [before, after] = [wall - DAY_MS, wall + DAY_MS].map((at) => wallAt(zone, at) - at) as [number, number];
  const found = [wall - before, wall - after].filter((at) => wallAt(zone, at) === wall);
  if (found.length > 0) return Math.min(...found);
  let [low, high] = [wall - after, wall - before].sort((a, b) => a - b) as [number, number];
  while (high - low > 1_000) {
    const middle = Math.floor((low + high) / 2_000) * 1_000;
    if (wallAt(zone, middle) > wall) high = middle;
    else low = middle;
  }
  return high;
}

function minutesOf(time: string): number {
  const [hour, minute] = time.split(':').map(Number);
  return (hour ?? 0) * 60 + (minute ?? 0);
}

/** The first occasion after a moment. */
export function nextOccasion(repeat: Repeat, after: number): number {
  const { zone, at } = repeat;
  const today = Math.floor(wallAt(zone, after) / DAY_MS) * DAY_MS;
  // From yesterday on: a clock that is set back over midnight shows the same day's time again.
  for (let day = today - DAY_MS; ; day += DAY_MS) {
    // 1 January 1970 was a Thursday.
    const weekday = WEEKDAYS[(Math.floor(day / DAY_MS) + 3) % 7];
    if (repeat.every === 'week' && weekday !== repeat.on) continue;
    const moment = momentOf(zone, day + minutesOf(at) * MINUTE_MS);
    if (moment > after) return moment;
  }
}

/** Until when these hours last, where the moment is one of them. */
export function endOfHours({ from, until, zone }: Hours, at: number): number | undefined {
  const ends = nextOccasion({ every: 'day', at: until, zone }, at);
  const begins = nextOccasion({ every: 'day', at: from, zone }, at);
  // Where the clock jumps over both, hours over midnight end and begin at once, and others do not come at all.
  return ends < begins || (ends === begins && from > until) ? ends : undefined;
}
