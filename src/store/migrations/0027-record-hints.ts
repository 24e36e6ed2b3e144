/** Which field of a platform event holds the id of the record that it is about. */
export const recordHints: readonly string[] = [`alter table subscriptions add column "recordIdField" text`];
