/** What a field is, and short ways to declare one. The values are those of a plain Developer org's describes. */

export type FieldType =
  | 'id'
  | 'string'
  | 'textarea'
  | 'email'
  | 'phone'
  | 'url'
  | 'picklist'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'time'
  | 'encryptedstring'
  | 'reference'
  | 'address'
  | 'multipicklist';

export interface PicklistValue {
  readonly value: string;
  readonly label: string;
  readonly isDefault: boolean;
}

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
  readonly length: number;
  readonly precision: number;
  readonly scale: number;
  readonly isRequired: boolean;
  readonly isCreateable: boolean;
  readonly isUpdateable: boolean;
  readonly isDefaulted: boolean;
  readonly isUnique: boolean;
  readonly isExternalId: boolean;
  readonly isIdLookup: boolean;
  readonly isCaseSensitive: boolean;
  readonly isNameField: boolean;
  readonly isRestricted: boolean;
  readonly isCalculated: boolean;
  readonly isAutoNumber: boolean;
  /** A rich text area: what is written as plain text comes back as the HTML it became. */
  readonly isHtml: boolean;
  /** Platform encryption: kept and read as any other value, but no query can find, sort or group by it. */
  readonly isShielded: boolean;
  readonly picklist: readonly PicklistValue[];
  readonly referenceTo: readonly string[];
  readonly relationshipName: string | null;
  /** What the parent calls the list of its children; null where SOQL has no name for it. */
  readonly childName: string | null;
  readonly compound: string | null;
}

export type Options = Partial<Omit<Field, 'name' | 'label' | 'type'>>;

export const isCustom = (field: Field): boolean => field.name.endsWith('__c');

export const isLongText = (field: Field): boolean => field.type === 'textarea' && field.length > 255;

/** Whether a query can say this field in WHERE and ORDER BY. */
export const isFilterable = (field: Field): boolean =>
  !isLongText(field) && field.type !== 'address' && field.type !== 'encryptedstring' && !field.isShielded;

export function field(name: string, label: string, type: FieldType, options: Options = {}): Field {
  return {
    name,
    label,
    type,
    length: 0,
    precision: 0,
    scale: 0,
    isRequired: false,
    isCreateable: true,
    isUpdateable: true,
    isDefaulted: type === 'boolean',
    isUnique: false,
    isExternalId: false,
    isIdLookup: false,
    isCaseSensitive: false,
    isNameField: false,
    isRestricted: false,
    isCalculated: false,
    isAutoNumber: false,
    isHtml: false,
    isShielded: false,
    picklist: [],
    referenceTo: [],
    relationshipName: null,
    childName: null,
    compound: null,
    ...options,
  };
}

export const readOnly = { isCreateable: false, isUpdateable: false } as const;

export const text = (name: string, label: string, length = 255, options: Options = {}) =>
  field(name, label, 'string', { length, ...options });
export const area = (name: string, label: string, length = 32000, options: Options = {}) =>
  field(name, label, 'textarea', { length, ...options });
export const email = (name: string, label: string, options: Options = {}) =>
  field(name, label, 'email', { length: 80, ...options });
export const phone = (name: string, label: string, options: Options = {}) =>
  field(name, label, 'phone', { length: 40, ...options });
export const url = (name: string, label: string, options: Options = {}) =>
  field(name, label, 'url', { length: 255, ...options });
export const bool = (name: string, label: string, options: Options = {}) => field(name, label, 'boolean', options);
export const int = (name: string, label: string, digits = 8, options: Options = {}) =>
  field(name, label, 'int', { precision: digits, ...options });
export const money = (name: string, label: string, options: Options = {}) =>
  field(name, label, 'currency', { precision: 18, scale: 2, ...options });
export const double = (name: string, label: string, options: Options = {}) =>
  field(name, label, 'double', { precision: 18, scale: 2, ...options });
export const percent = (name: string, label: string, options: Options = {}) =>
  field(name, label, 'percent', { precision: 3, scale: 0, ...options });
export const date = (name: string, label: string, options: Options = {}) => field(name, label, 'date', options);
export const datetime = (name: string, label: string, options: Options = {}) => field(name, label, 'datetime', options);

/** Values are `value` or `value|label`; a leading `*` marks the default. */
export function pick(name: string, label: string, values: readonly string[], options: Options = {}): Field {
  const picklist = values.map((entry) => {
    const isDefault = entry.startsWith('*');
    const [value = '', shown = value] = (isDefault ? entry.slice(1) : entry).split('|');
    return { value, label: shown, isDefault };
  });
  const isDefaulted = picklist.some((entry) => entry.isDefault);
  return field(name, label, 'picklist', { length: 255, picklist, isDefaulted, ...options });
}

export function reference(name: string, label: string, to: string | readonly string[], options: Options = {}): Field {
  const relationshipName = name.endsWith('__c') ? name.replace(/__c$/, '__r') : name.replace(/Id$/, '');
  return field(name, label, 'reference', {
    length: 18,
    referenceTo: typeof to === 'string' ? [to] : to,
    relationshipName,
    ...options,
  });
}

/** The five writable parts of an address and the compound that reads them together. */
export function address(prefix: string): Field[] {
  const compound = `${prefix}Address`;
  const part = (name: string, length: number, type: 'string' | 'textarea' = 'string') =>
    field(prefix + name, `${prefix} ${name.replace('PostalCode', 'Zip/Postal Code')}`.trim(), type, {
      length,
      compound,
    });
  return [
    part('Street', 255, 'textarea'),
    part('City', 40),
    part('State', 80),
    part('PostalCode', 20),
    part('Country', 80),
    field(compound, compound.replace('Address', ' Address').trim(), 'address', readOnly),
  ];
}

/** Every record's own stamps, in the order Salesforce lists them. */
export function audit(): Field[] {
  const by = (name: string, label: string) => reference(name, label, 'User', { ...readOnly, isDefaulted: true });
  const at = (name: string, label: string) => datetime(name, label, { ...readOnly, isDefaulted: true });
  return [
    at('CreatedDate', 'Created Date'),
    by('CreatedById', 'Created By ID'),
    at('LastModifiedDate', 'Last Modified Date'),
    by('LastModifiedById', 'Last Modified By ID'),
    at('SystemModstamp', 'System Modstamp'),
  ];
}

export function id(label: string): Field {
  return field('Id', label, 'id', { ...readOnly, length: 18, isIdLookup: true, isDefaulted: true });
}

export const deleted = bool('IsDeleted', 'Deleted', readOnly);

export const owner = (to: string | readonly string[] = 'User') =>
  reference('OwnerId', 'Owner ID', to, { isDefaulted: true });

export const masterRecord = (object: string) =>
  reference('MasterRecordId', 'Master Record ID', object, { ...readOnly, relationshipName: 'MasterRecord' });

/** The field by which Gatehouse writes without ever doubling a record. */
export const gatehouseId = text('Gatehouse_Id__c', 'Gatehouse Id', 64, {
  isExternalId: true,
  isIdLookup: true,
  isUnique: true,
  isCaseSensitive: true,
});
