import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOfHours, hoursInput, isZone, nextOccasion, type Repeat, repeatInput } from '../../src/domain/wall-clock.ts';

const at = (iso: string) => Date.parse(iso);
const iso = (moment: number) => new Date(moment).toISOString().replace(':00.000Z', 'Z');
const daily = (time: string, zone: string): Repeat => ({ every: 'day', at: time, zone });
/** Every occasion between two moments. */
function occasions(repeat: Repeat, from: string, to: string): string[] {
  const found: string[] = [];
  for (let now = nextOccasion(repeat, at(from)); now <= at(to); now = nextOccasion(repeat, now)) found.push(iso(now));
  return found;
}

describe('when a repeating batch comes [W5]', () => {
  it.each([
    // 02:30 does not exist on 29 March 2026: the moment of the jump, 01:00 UTC.
    ['Europe/Berlin', '02:30', '2026-03-28T12:00Z', '2026-03-30T12:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z']],
    // 02:30 exists twice on 25 October 2026: the first.
    ['Europe/Berlin', '02:30', '2026-10-24T12:00Z', '2026-10-26T12:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z']],
    ['America/New_York', '02:30', '2026-03-07T12:00Z', '2026-03-09T12:00Z', ['2026-03-08T07:00Z', '2026-03-09T06:30Z']],
    ['America/New_York', '01:30', '2026-10-31T12:00Z', '2026-11-02T12:00Z', ['2026-11-01T05:30Z', '2026-11-02T06:30Z']],
    // Half an hour of summer time.
    [
      'Australia/Lord_Howe',
      '02:15',
      '2026-10-03T12:00Z',
      '2026-10-05T12:00Z',
      ['2026-10-03T15:30Z', '2026-10-04T15:15Z'],
    ],
    [
      'Australia/Lord_Howe',
      '01:45',
      '2026-04-04T12:00Z',
      '2026-04-06T12:00Z',
      ['2026-04-04T14:45Z', '2026-04-05T15:15Z'],
    ],
    // At midnight, over which the clock is set back to the day before.
    ['America/Santiago', '23:30', '2026-04-04T12:00Z', '2026-04-06T12:00Z', ['2026-04-05T02:30Z', '2026-04-06T03:30Z']],
    // Midnight itself does not exist.
    ['America/Santiago', '00:00', '2026-09-05T12:00Z', '2026-09-07T12:00Z', ['2026-09-06T04:00Z', '2026-09-07T03:00Z']],
    ['Asia/Kolkata', '02:30', '2026-05-04T12:00Z', '2026-05-06T12:00Z', ['2026-05-04T21:00Z', '2026-05-05T21:00Z']],
    ['UTC', '00:00', '2026-05-04T12:00Z', '2026-05-06T12:00Z', ['2026-05-05T00:00Z', '2026-05-06T00:00Z']],
  ])('comes once a day in %s at %s, also where the clock shows it never or twice', (zone, time, from, to, expected) => {
    expect(occasions(daily(time, zone), from, to)).toEqual(expected);
  });

  it('comes on its day of the week alone, by the clocks of its zone', () => {
    const weekly: Repeat = { every: 'week', on: 'monday', at: '00:30', zone: 'Pacific/Auckland' };
    // Sunday noon in UTC is Monday in Auckland.
    expect(occasions(weekly, '2026-05-03T00:00Z', '2026-05-18T00:00Z')).toEqual([
      '2026-05-03T12:30Z',
      '2026-05-10T12:30Z',
      '2026-05-17T12:30Z',
    ]);
  });

  it('comes on every day of any year exactly once, and never at or before the moment asked from', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'America/Santiago',
      'Africa/Casablanca',
      'Asia/Tehran',
      'UTC',
    ];
    const time = fc.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        time,
        fc.integer({ min: 2021, max: 2036 }),
        (zone, { hour, minute }, year) => {
          const repeat = daily(`${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`, zone);
          const day = new Intl.DateTimeFormat('sv', { timeZone: zone });
          const days: string[] = [];
          for (let now = nextOccasion(repeat, at(`${year}-01-10T00:00Z`)); now < at(`${year}-12-20T00:00Z`); ) {
            days.push(day.format(now));
            const next = nextOccasion(repeat, now);
            expect(next).toBeGreaterThan(now);
            now = next;
          }
          expect(new Set(days).size).toBe(days.length);
          expect(days.length).toBeGreaterThanOrEqual(343);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('quiet hours [W5]', () => {
  const night = { from: '22:00', until: '06:00', zone: 'Europe/Berlin' };

  it.each([
    ['2026-05-04T19:59Z', undefined],
    ['2026-05-04T20:00Z', '2026-05-05T04:00Z'],
    ['2026-05-05T03:59Z', '2026-05-05T04:00Z'],
    ['2026-05-05T04:00Z', undefined],
  ])('last over midnight: at %s until %s', (moment, ends) => {
    const end = endOfHours(night, at(moment));
    expect(end && iso(end)).toBe(ends);
  });

  it('begin and end once in the night that shows an hour twice, or not at all', () => {
    const changes = (hours: typeof night, from: string, to: string) => {
      const found: string[] = [];
      let was = endOfHours(hours, at(from)) !== undefined;
      for (let now = at(from); now <= at(to); now += 60_000) {
        const is = endOfHours(hours, now) !== undefined;
        if (is !== was) found.push(`${iso(now)} ${is ? 'quiet' : 'open'}`);
        was = is;
      }
      return found;
    };
    const short = { from: '01:00', until: '02:30', zone: 'Europe/Berlin' };
    expect(changes(short, '2026-10-24T12:00Z', '2026-10-25T12:00Z')).toEqual([
      '2026-10-24T23:00Z quiet',
      '2026-10-25T00:30Z open',
    ]);
    // Both edges in the hour that is not there: a day without a break, and a break that does not come.
    for (const [from, until] of [
      ['03:00', '02:30'],
      ['02:59', '02:01'],
    ] as const)
      expect(changes({ from, until, zone: 'Europe/Berlin' }, '2026-03-28T12:00Z', '2026-03-29T12:00Z')).toEqual([]);
    expect(endOfHours({ from: '03:00', until: '02:30', zone: 'Europe/Berlin' }, at('2026-03-28T12:00Z'))).toBe(
      at('2026-03-29T01:00Z'),
    );
    expect(
      changes({ from: '02:10', until: '02:50', zone: 'Europe/Berlin' }, '2026-03-28T12:00Z', '2026-03-29T12:00Z'),
    ).toEqual([]);
    expect(changes(short, '2026-03-28T12:00Z', '2026-03-29T12:00Z')).toEqual([
      '2026-03-29T00:00Z quiet',
      '2026-03-29T01:00Z open',
    ]);
    // All of it in the hour that is left out, or a part: never a day long.
    const gone = { from: '02:10', until: '02:50', zone: 'Europe/Berlin' };
    expect(changes(gone, '2026-03-28T12:00Z', '2026-03-29T12:00Z')).toEqual([]);
    const half = { from: '02:45', until: '03:15', zone: 'Europe/Berlin' };
    expect(changes(half, '2026-03-28T12:00Z', '2026-03-29T12:00Z')).toEqual([
      '2026-03-29T01:00Z quiet',
      '2026-03-29T01:15Z open',
    ]);
  });
});

it('takes names of zones alone, so that summer time is known [W5]', () => {
  expect(['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3'].map(isZone)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['+02:00', 'Mars/Base', '', 'Europe/Berlin; drop', '../etc'].map(isZone)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

it('takes a zone in whatever letters for the one that it is, and an alias for itself [W5]', () => {
  const daily = (zone: string) => repeatInput.parse({ every: 'day', at: '02:30', zone }).zone;
  for (const zone of [...Intl.supportedValuesOf('timeZone'), 'UTC'])
    expect([daily(zone), daily(zone.toLowerCase()), daily(zone.toUpperCase())]).toEqual([zone, zone, zone]);
  const hours = hoursInput.parse({ from: '22:00', until: '06:00', zone: 'america/argentina/buenos_aires' });
  expect(hours.zone.toLowerCase()).toBe('america/argentina/buenos_aires');
  expect(() => daily('Europe/Atlantis')).toThrow();
});
