/** The wait before the next try: 5 s, 10 s, 20 s ... one hour. */
export const backoffMs = (attempts: number): number => Math.min(5_000 * 2 ** (attempts - 1), 3_600_000);

/** The same, a quarter less to a quarter more by the id: a thousand records that failed together do not come back together. */
export function spreadBackoffMs(attempts: number, id: string): number {
  const spread = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1000, 7) / 1000;
  return Math.round(backoffMs(attempts) * (0.75 + spread / 2));
}
