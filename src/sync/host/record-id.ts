import { GatehouseError } from '../../domain/errors.ts';
import { prefixesOf, toId18 } from '../../domain/salesforce-id.ts';

/** Typed by a person: prefix and check characters are verified (A3). Only the org's describe knows the prefix of a custom object. */
export function idOf(object: string, typed: string, prefix?: string | null): string {
  const verdict = toId18(typed, prefix ? [prefix] : prefixesOf(object));
  if ('id' in verdict) return verdict.id;
  throw new GatehouseError('invalid_input', `The record Id ${verdict.problem}.`, {
    next: 'Copy the Id from the address of the record in Salesforce.',
    fields: [{ name: 'recordId', problem: verdict.problem }],
  });
}
