/**
 * An org that nobody prepared for Gatehouse: the same company, and no field but those of a plain Developer org. Its people
 * call deals by name; the numbers that they do have stand where a plain org has room for them.
 */
import { company } from './company.ts';
import type { SeedRecord, SimSeed } from './seed-form.ts';

/** A record with the value of one field in another one. */
const moved =
  (from: string, to: string) =>
  (record: SeedRecord): SeedRecord => {
    const { [from]: value = null, ...rest } = record;
    return { ...rest, [to]: value };
  };

const { Account = [], Opportunity = [] } = company.records;

export const stock: SimSeed = {
  records: {
    ...company.records,
    Account: Account.map(moved('Account_Key__c', 'AccountNumber')),
    Opportunity: Opportunity.map(moved('Reference__c', 'TrackingNumber__c')),
  },
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
