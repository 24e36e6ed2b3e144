/** ISO 8601, UTC: the one form of a time on the wire. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
