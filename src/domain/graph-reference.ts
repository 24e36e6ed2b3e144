import { GatehouseError } from './errors.ts';

/** Salesforce looks for references in every text of a composite or a graph, whoever wrote it, and has no escape for them. */
export const readsAsReference = (value: unknown): boolean => typeof value === 'string' && value.includes('@{');

/** Throws `invalid_input` where a value cannot be written together with other records: before anybody is asked, and before it is sent. */
export function requireNoReference(field: string, value: unknown): void {
  if (!readsAsReference(value)) return;
  throw new GatehouseError(
    'invalid_input',
    `The value of ${field} holds "@{", which cannot be written together with other records.`,
    {
      next: 'Ask the user for a value without these two characters.',
      fields: [{ name: field, problem: 'holds "@{"' }],
    },
  );
}
