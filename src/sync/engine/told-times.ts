import { fromSalesforceTime } from '../../domain/stored-value/times.ts';
import type { FieldTimes } from '../../ports/streams.ts';
import type { CompiledRule } from '../mapping/compile.ts';
import type { RemoteRow } from '../remote/soql-read.ts';

/**
 * When the field behind a rule last changed, where the event stream is certain of it: the record reads as its last event left it, and
 * the field holds the value that was told. Undefined otherwise; then the record's own time counts.
 */
export function toldTime(rule: CompiledRule, { record, modifiedAt }: RemoteRow, times: FieldTimes): number | undefined {
  if (rule.parent || times.modifiedAt !== modifiedAt) return undefined;
  const told = rule.remote.flatMap((name) => {
    const field = times.fields[name];
    return field ? [{ ...field, isThere: isSame(field.value, record[name]) }] : [];
  });
  if (told.length === 0 || told.some(({ isThere }) => !isThere)) return undefined;
  return Math.max(...told.map(({ at }) => at));
}

/** Times are spelled `Z` in events and `+0000` in records. */
function isSame(told: unknown, read: unknown): boolean {
  if (told === (read ?? null)) return true;
  if (typeof told !== 'string' || typeof read !== 'string') return false;
  return TIME.test(told) && fromSalesforceTime(told) === fromSalesforceTime(read);
}

const TIME = /^\d{4}-\d\d-\d\dT/;
