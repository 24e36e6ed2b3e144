/** Dates as the REST API writes and reads them. */

/** `2026-05-01T07:25:37.000+0000`: no colon in the offset, never `Z`; whole seconds, as record stamps are. */
export function toDatetime(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, -1)}+0000`;
}

/** Milliseconds of an ISO datetime with `Z` or an offset (with or without colon), or undefined. */
export function parseDatetime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, local = '', zone = ''] = match;
  const offset = zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  const ms = Date.parse(local + offset);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A calendar day that exists, `YYYY-MM-DD`, or undefined. */
export function parseDay(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:$|T)/.exec(text);
  const day = match?.[1];
  if (!day) return undefined;
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day) ? day : undefined;
}

/** `HH:mm:ss.SSSZ` of a time of day, which Salesforce keeps in GMT; seconds, milliseconds and the zone may be left out. */
export function parseTime(text: string): string | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?(?:Z|[+-]00:?00)?$/.exec(text);
  if (!match) return undefined;
  const [, hours, minutes, seconds = '00', millis = ''] = match;
  return `${hours}:${minutes}:${seconds}.${millis.padEnd(3, '0')}Z`;
}

export function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
