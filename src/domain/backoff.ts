/** The wait before the next try: 5 s, 10 s, 20 s ... one hour. */
export const backoffMs = (attempts: number): number => Math.min(5_000 * 2 ** (attempts - 1), 3_600_000);

/** The same, a quarter less to a quarter more by the id: a thousand records that failed together do not come back together. */
export function spreadBackoffMs(attempts: number, id: string): number {
  const spread = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1000, 7) / 1000;
  return Math.round(backoffMs(attempts) * (0.75 + spread / 2));
}

/** No record of sync that has failed so few times waits longer for its next try, whoever's clock wrote when that is ... */
export const FEW_TRIES = 7;
export const LONGEST_WAIT_OF_FEW_MS = 600_000;
/** ... and none at all longer than this. */
export const LONGEST_WAIT_MS = 1.25 * 3_600_000;
