import type { ValueStore } from '../ports/store.ts';
import type { Audit, AuditVerdict } from './audit.ts';

/** What the last look at the whole chain found: who looks at the console must not have to ask for it. */

type Values = Pick<ValueStore, 'get' | 'set' | 'setIfAbsent'>;

const [KIND, KEY] = ['audit_verdict', 'last'];
const HOUR_MS = 3_600_000;

export const keepVerdict = (values: Values, now: () => number) => (verdict: AuditVerdict) =>
  values.set(KIND, KEY, JSON.stringify({ ...verdict, at: now() }), null);

/** Undefined where nobody looked yet, or all was well. */
export async function brokenAt(
  values: Values,
  now: number,
): Promise<{ readonly seq: number; readonly problem: string } | undefined> {
  const verdict = await last(values, now);
  return verdict === undefined || verdict.ok ? undefined : verdict;
}

/** Looks once a day, in one of the processes that share the store; undefined where it is not the time, or not our turn. */
export async function verifyDaily(
  values: Values,
  audit: Pick<Audit, 'verify'>,
  { now, newId }: { readonly now: () => number; readonly newId: () => string },
): Promise<AuditVerdict | undefined> {
  const found = await last(values, now());
  if (found !== undefined && Math.abs(now() - found.at) < 24 * HOUR_MS) return undefined;
  const mine = newId();
  if ((await values.setIfAbsent(KIND, 'turn', mine, now() + HOUR_MS, now())) !== mine) return undefined;
  return audit.verify();
}

async function last(values: Values, now: number): Promise<(AuditVerdict & { readonly at: number }) | undefined> {
  const text = await values.get(KIND, KEY, now);
  return text === undefined ? undefined : JSON.parse(text); // ours
}
