import type { FieldValue } from './record.ts';

/** Salesforce looks for references in every text of a composite or a graph, whoever wrote it, and has no escape for them. */
export const readsAsReference = (value: FieldValue): boolean => typeof value === 'string' && value.includes('@{');
