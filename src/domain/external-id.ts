import type { ObjectDescribe } from './action.ts';

/** Our field, where an administrator installed it: with it, creating twice is impossible by the org's own rule. */
export const EXTERNAL_ID = 'Gatehouse_Id__c';

/** Its name, where creates may go by it. Not unique, an upsert finds several; not createable, Salesforce refuses every create. */
export const externalIdOf = ({ fields }: Pick<ObjectDescribe, 'fields'>): string | undefined =>
  fields.find(
    ({ name, externalId, unique, createable }) =>
      name.toLowerCase() === EXTERNAL_ID.toLowerCase() && externalId && unique && createable,
  )?.name;
