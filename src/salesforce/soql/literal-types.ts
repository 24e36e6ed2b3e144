import type { Literal, Measured } from './ast.ts';
import { SoqlRefusal } from './refusal.ts';
import type { Resolution } from './resolve.ts';

/** Whether what fields are compared with is of their types: the rest Salesforce refuses, each time that it runs. */

type Written = Literal['type'];

const NUMBERS: readonly Written[] = ['number'];
const TEXTS: readonly Written[] = ['string'];
const TAKES: Readonly<Record<string, readonly Written[]>> = {
  boolean: ['boolean'],
  int: NUMBERS,
  long: NUMBERS,
  double: NUMBERS,
  percent: NUMBERS,
  currency: ['number', 'currency'],
  date: ['date', 'dateLiteral'],
  datetime: ['datetime', 'dateLiteral'],
  time: ['time'],
  ...Object.fromEntries(
    ['string', 'picklist', 'multipicklist', 'combobox', 'email', 'phone', 'url', 'id', 'reference'].map((type) => [
      type,
      TEXTS,
    ]),
  ),
};

/** Throws at the first that is not. What a function makes of a field, and types that are not known, are not judged. */
export function checkTypes(node: unknown, fieldsOf: Resolution['fieldsOf']): void {
  if (typeof node !== 'object' || node === null) return;
  const { kind, left, right, values } = node as { kind?: string; left?: Measured; right?: Literal; values?: Literal[] };
  if (left?.kind === 'path' && (kind === 'compare' || kind === 'list')) {
    const [field, ...others] = fieldsOf.get(left) ?? [];
    const type = field?.known?.type?.toLowerCase() ?? '';
    const takes = others.length === 0 && Object.hasOwn(TAKES, type) ? TAKES[type] : undefined;
    for (const literal of kind === 'list' ? (values ?? []) : right === undefined ? [] : [right])
      if (takes !== undefined && literal.type !== 'null' && !takes.includes(literal.type))
        throw new SoqlRefusal(
          'type_mismatch',
          literal.at,
          `${field?.name} is of type ${type} and is compared with a ${NAMES[literal.type] ?? literal.type}.`,
          `Compare it with a ${takes.map((one) => NAMES[one] ?? one).join(' or ')}: an input in this place must be of that type.`,
        );
  }
  for (const inner of Object.values(node)) checkTypes(inner, fieldsOf);
}

const NAMES: Partial<Record<Written, string>> = {
  string: 'text',
  boolean: 'yes or no (boolean)',
  dateLiteral: 'date literal',
  currency: 'number with its currency',
};
