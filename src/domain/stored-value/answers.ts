import type { FieldDescribe, ObjectDescribe } from '../record.ts';

/** Fields whose answer is not what was written, and fields that take no writing: known from describe, before anything is sent. */

/** Why the connected user cannot write this field now, in words said after its name. */
export function closedFor(field: FieldDescribe, operation: 'create' | 'update'): string | undefined {
  if (operation === 'create' ? field.createable : field.updateable) return undefined;
  if (field.isCalculated) return 'is calculated by Salesforce';
  if (field.isAutoNumber) return 'is numbered by Salesforce';
  if (operation === 'update' && field.createable)
    return 'cannot be changed: it can only be set when the record is created';
  if (operation === 'create' && field.updateable) return 'cannot be set yet: only once the record is there';
  return `cannot be ${operation === 'create' ? 'set' : 'changed'} by the connected user`;
}

/** The sum of its products: Salesforce answers yes to another amount, and keeps its own. */
export const PRODUCTS_FIELD = 'HasOpportunityLineItem';

export const isSumOfProducts = (object: string, field: string, record: Readonly<Record<string, unknown>>): boolean =>
  object.toLowerCase() === 'opportunity' && field.toLowerCase() === 'amount' && record[PRODUCTS_FIELD] === true;

export const SUM_OF_PRODUCTS = 'is the sum of the products on this opportunity: change the products in Salesforce';

/** Whether the org may hold something else than was sent, so that it is worth a look after the write. Told by describe. */
export function mayDiffer(
  { name: object, fields }: Pick<ObjectDescribe, 'name' | 'fields'>,
  field: string,
  record: Readonly<Record<string, unknown>> | undefined,
): boolean {
  const has = (name: string) => fields.some((one) => one.name === name);
  const { isRichText, isMasked } = fields.find(({ name }) => name === field) ?? {};
  const mayBeSum = object === 'Opportunity' && field === 'Amount' && has(PRODUCTS_FIELD);
  // Lists of countries and states make one spelling of an address out of several.
  return (
    isRichText ||
    isMasked ||
    has(`${field}Code`) ||
    (mayBeSum && record !== undefined && record[PRODUCTS_FIELD] !== false)
  );
}

/** Where an org has several currencies, each record says its own. */
export const CURRENCY_FIELD = 'CurrencyIsoCode';

export const hasCurrencies = ({ fields }: Pick<ObjectDescribe, 'fields'>): boolean =>
  fields.some(({ name }) => name === CURRENCY_FIELD);

/** The currency of an amount of this record, and its label with it: what a person reads, on every door. */
export function inCurrency(
  field: Pick<FieldDescribe, 'type' | 'label'> | undefined,
  record: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>> = {},
): { readonly label?: string; readonly currency?: string } {
  if (!field) return {};
  const [before, after] = [record[CURRENCY_FIELD], changes[CURRENCY_FIELD] ?? record[CURRENCY_FIELD]];
  if (field.type !== 'currency' || typeof after !== 'string') return { label: field.label };
  const shown = typeof before === 'string' && before !== after ? `${before} to ${after}` : after;
  return { label: `${field.label} (${shown})`, currency: after };
}
