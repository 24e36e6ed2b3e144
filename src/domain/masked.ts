import type { Fields, FieldValue } from './action.ts';
import type { Candidate, ErrorBody } from './errors.ts';

/** Values of people as somebody sees them who may know which there are, and not what they hold. */

export const MASK = '•••';

export const masked = (value: FieldValue): FieldValue => (value === null ? null : MASK);

export const maskedFields = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, masked(value)]));

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
