import type { Change, FieldValue } from '../../domain/action.ts';
import type { LogChange } from '../../domain/log-change.ts';
import { inCurrency } from '../../domain/stored-value/answers.ts';
import { findField, type RemoteRecord, readPath } from '../mapping/compile.ts';
import type { Plan } from '../merge/plan.ts';
import type { Target } from '../remote/target.ts';

const LONGEST_SHOWN = 500;

/** A parent (a person's account) that would be created. */
export interface MadeParent {
  readonly object: string;
  readonly name: string;
}

/**
 * What would be written and taken over, as people and policy read it: what goes to Salesforce in the form in which it will be
 * stored. Closed fields are in no plan, so they are not here.
 */
export function toChanges(
  { describe }: Target,
  { pushed, pulled, makes = [] }: Pick<Plan, 'pushed' | 'pulled'> & { readonly makes?: readonly MadeParent[] },
  record: RemoteRecord = {},
): readonly Change[] {
  return [
    ...makes.map(({ object, name }) => ({ field: object, label: `New ${object}`, before: null, after: shown(name) })),
    ...pushed.map((change) => toChange({ ...change, ...stored(change) })),
    ...pulled.map(toChange),
  ];

  function toChange({ field, before, after }: LogChange): Change {
    const names = field.split('+');
    const label = names.map((name) => findField(describe, name)?.label ?? name).join(' + ');
    return {
      field,
      label,
      ...inCurrency(findField(describe, field), record),
      before: shown(before),
      after: shown(after),
    };
  }

  function stored({ field, before, crm }: LogChange): Pick<LogChange, 'before' | 'after'> | undefined {
    const after = crm?.[field];
    return after === undefined ? undefined : { before: field in record ? readPath(record, field) : before, after };
  }
}

const shown = (value: FieldValue): FieldValue =>
  typeof value === 'string' && value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value;
