import { Schema } from './object.ts';
import { Account, Contact, Lead, User } from './people.ts';
import { FieldPermissions, ObjectPermissions, PermissionSet, PermissionSetAssignment } from './rights.ts';
import { applySetup, plain, type Setup } from './setup.ts';
import {
  Campaign,
  Case,
  Event,
  Group,
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
  FieldPermissions,
  Group,
  Lead,
  ObjectPermissions,
  Opportunity,
  OpportunityContactRole,
  Organization,
  PermissionSet,
  PermissionSetAssignment,
  Product2,
  RecordType,
  Task,
  User,
]);

/** The org's objects as its administrator set them up. */
export function orgSchema(setup: Setup = plain): Schema {
  const isPlain = Object.entries(plain).every(([key, value]) => {
    // `plain` has exactly the keys of a setup.
    const set = setup[key as keyof Setup];
    return Array.isArray(set) ? set.length === 0 : set === value;
  });
  return isPlain ? whole : applySetup(whole, setup);
}
