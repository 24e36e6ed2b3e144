import { Schema } from './object.ts';
import { Account, Contact, Lead, User } from './people.ts';
import {
  Campaign,
  Case,
  Event,
  Opportunity,
  OpportunityContactRole,
  Organization,
  Product2,
  RecordType,
  Task,
} from './work.ts';

const whole = new Schema([
  Account,
  Campaign,
  Case,
  Contact,
  Event,
  Lead,
  Opportunity,
  OpportunityContactRole,
  Organization,
  Product2,
  RecordType,
  Task,
  User,
]);

/** The org's objects; `withoutFields` are names such as `Contact.Gatehouse_Id__c`: an org that never installed them. */
export function orgSchema(withoutFields: readonly string[] = []): Schema {
  if (withoutFields.length === 0) return whole;
  return whole.narrowed({ hidden: new Set(withoutFields), readOnly: new Set(), isDeletable: true });
}
