import { roleHolds } from '../../../permissions/catalog.ts';
import type { Fields, FieldValue } from '../../domain/action.ts';
import type { Candidate, ErrorBody } from '../../domain/errors.ts';
import type { Caller } from '../../ports/route.ts';
import type { LogChange } from '../../ports/sync-store.ts';

/** Values of people are for whoever reads values or maps fields; others see which fields there are. */

const MASK = '•••';

export function seesValues({ operator: { role } }: Extract<Caller, { kind: 'operator' }>): boolean {
  return roleHolds(role, 'READ_VALUES') || roleHolds(role, 'MANAGE_MAPPINGS');
}

const masked = (value: FieldValue): FieldValue => (value === null ? null : MASK);

export const maskedFields = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, masked(value)]));

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

/** Our own sentences put what somebody wrote into quotes, of which it may hold some itself; addresses also stand without. */
export const maskedText = (text: string): string =>
  text
    .replace(/".*"/gs, `"${MASK}"`)
    .replace(/(?<=^|[\s(])'.*'/gs, `'${MASK}'`)
    .replace(/[^\s"'<>]+@[^\s"'<>]+/g, MASK);

export const maskedCandidate = ({ id }: Candidate): Candidate => ({ id, name: MASK });

export function maskedProblem({
  message,
  next,
  salesforce,
  candidates,
  fields,
  ...problem
}: ErrorBody['error']): ErrorBody['error'] {
  return {
    ...problem,
    message: maskedText(message),
    next: maskedText(next),
    ...(fields ? { fields: fields.map(({ name }) => ({ name, problem: MASK })) } : {}),
    ...(candidates ? { candidates: candidates.map(maskedCandidate) } : {}),
    ...(salesforce ? { salesforce: { ...salesforce, quote: MASK } } : {}),
  };
}
