/**
 * An org that nobody prepared for Gatehouse: the same company, and no field but those of a plain Developer org. No reference
 * number, no account key, no time zone, no mark of ours: people call their deals by name.
 */
import { company } from './company.ts';
import type { SimSeed } from './seed.ts';

export const stock: SimSeed = {
  ...company,
  setup: {
    withoutFields: [
      'Account.Account_Key__c',
      'Account.Gatehouse_Id__c',
      'Case.Gatehouse_Id__c',
      'Contact.Gatehouse_Id__c',
      'Contact.Preferred_Channel__c',
      'Contact.TimeZone__c',
      'Lead.Gatehouse_Id__c',
      'Opportunity.Gatehouse_Id__c',
      'Opportunity.Reference__c',
    ],
  },
};
