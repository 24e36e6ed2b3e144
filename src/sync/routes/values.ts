import { holds } from '../../../permissions/catalog.ts';
import type { LogChange } from '../../domain/log-change.ts';
import { masked, maskedFields } from '../../domain/masked.ts';
import type { Caller } from '../../ports/route.ts';

/** Values of people are for whoever reads values or maps fields; others see which fields there are. */

export function seesValues({ operator }: Extract<Caller, { kind: 'operator' }>): boolean {
  return holds(operator, 'READ_VALUES') || holds(operator, 'MANAGE_MAPPINGS');
}

/** Without its note, which may quote the value that it is about. */
export function maskedChange({ note: _, before, after, crm, lost, ...change }: LogChange): LogChange {
  return {
    ...change,
    before: masked(before),
    after: masked(after),
    ...(crm ? { crm: maskedFields(crm) } : {}),
    ...(lost === undefined ? {} : { lost: masked(lost) }),
  };
}
