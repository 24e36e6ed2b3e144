import { GatehouseError } from '../domain/errors.ts';

/**
 * What any JSON body must keep to before a schema looks at it: schemas look at every entry of a list before they say that it
 * has too many, go as deep as the body does, and step over a `__proto__` without a word.
 */
const MOST_DEPTH = 32;
const MOST_ENTRIES = 10_000;
const MOST_VALUES = 400_000;

export function requireShape(body: unknown): void {
  const open: { readonly value: object; readonly depth: number }[] = [];
  let values = 0;
  const look = (value: unknown, depth: number) => {
    if (++values > MOST_VALUES) throw refused(`holds more than ${MOST_VALUES} values`, 'Send less at once.');
    if (typeof value !== 'object' || value === null) return;
    if (depth > MOST_DEPTH) throw refused(`is nested more than ${MOST_DEPTH} deep`, 'Send it flat.');
    open.push({ value, depth });
  };
  look(body, 1);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    const entries = Array.isArray(value) ? value.length : Object.keys(value).length;
    if (entries > MOST_ENTRIES)
      throw refused(`holds a list or object of more than ${MOST_ENTRIES} entries`, 'Send less at once.');
    if (Object.hasOwn(value, '__proto__'))
      throw refused('holds a field called __proto__', 'Leave it out, or give it another name.', '__proto__');
    for (const inner of Object.values(value)) look(inner, depth + 1);
  }
}

function refused(problem: string, next: string, name = '(body)'): GatehouseError {
  return new GatehouseError('invalid_input', `The body ${problem}.`, { next, fields: [{ name, problem }] });
}
