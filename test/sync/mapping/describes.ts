import type { FieldDescribe, ObjectDescribe } from '../../../src/domain/action.ts';

const plain: Omit<FieldDescribe, 'name' | 'label' | 'type'> = {
  length: 0,
  nillable: true,
  createable: true,
  updateable: true,
  defaultedOnCreate: false,
  filterable: true,
  unique: false,
  externalId: false,
  idLookup: false,
  custom: false,
  restrictedPicklist: false,
  picklistValues: [],
  referenceTo: [],
  relationshipName: null,
  compoundFieldName: null,
};

export function field(name: string, type = 'string', more: Partial<FieldDescribe> = {}): FieldDescribe {
  const length = { string: 80, textarea: 32_000, email: 80, phone: 40, picklist: 255 }[type] ?? 0;
  return { ...plain, name, label: name.replace(/([a-z])([A-Z])/g, '$1 $2'), type, length, ...more };
}

const listed = (...values: string[]) => values.map((value) => ({ value, label: value, active: true }));

export const contact: ObjectDescribe = {
  name: 'Contact',
  label: 'Contact',
  keyPrefix: '003',
  childRelationships: [],
  fields: [
    field('Id', 'id', { createable: false, updateable: false }),
    field('FirstName', 'string', { length: 40 }),
    field('LastName', 'string', { nillable: false }),
    field('Email', 'email', { idLookup: true }),
    field('Phone', 'phone'),
    field('Title', 'string', { length: 128 }),
    field('Description', 'textarea'),
    field('MailingCity', 'string', { length: 40 }),
    field('MailingAddress', 'address', { createable: false, updateable: false }),
    field('TimeZone__c', 'string', { length: 64, custom: true }),
    field('Birthdate', 'date'),
    field('EmailBouncedDate', 'datetime', { label: 'Email Bounced Date' }),
    field('Score__c', 'double', { custom: true, scale: 4 }),
    field('Share__c', 'percent', { custom: true, scale: 0 }),
    field('DoNotCall', 'boolean', { nillable: false, defaultedOnCreate: true }),
    field('Preferred_Channel__c', 'picklist', {
      custom: true,
      restrictedPicklist: true,
      picklistValues: [
        { value: 'email', label: 'Email', active: true },
        { value: 'phone', label: 'Phone', active: true },
      ],
    }),
    field('CreatedDate', 'datetime', { createable: false, updateable: false }),
    field('AccountId', 'reference', { referenceTo: ['Account'], relationshipName: 'Account' }),
  ],
};

export const opportunity: ObjectDescribe = {
  name: 'Opportunity',
  label: 'Opportunity',
  keyPrefix: '006',
  childRelationships: [],
  fields: [
    field('Id', 'id', { createable: false, updateable: false }),
    field('Name', 'string', { length: 120, nillable: false }),
    field('StageName', 'picklist', {
      nillable: false,
      picklistValues: listed('Prospecting', 'Qualification', 'Needs Analysis', 'Closed Won', 'Closed Lost'),
    }),
    field('Amount', 'currency'),
    field('CloseDate', 'date', { nillable: false }),
    field('Description', 'textarea'),
    field('Type', 'picklist'),
  ],
};
