/** What the administrator of this org set up beside the plain one, as later Salesforce documents each of it. */
import { countryNames } from './countries.ts';
import { type Field, type FieldType, field, type Options, pick } from './field.ts';
import { defineObject, type ObjectType, Schema } from './object.ts';

export interface Setup {
  /** Custom fields that this org never installed, such as `Contact.Gatehouse_Id__c`. */
  readonly withoutFields: readonly string[];
  readonly addedFields: readonly AddedField[];
  /** Fields that field-level security lets the users of this org read, not write. */
  readonly readOnlyFields: readonly string[];
  /** Fields under Shield Platform Encryption: no query can filter, sort or group by them. */
  readonly shieldFields: readonly string[];
  /** State and country/territory picklists: an address takes listed names only, and has codes beside them. */
  readonly countryPicklists: boolean;
  readonly multiCurrency: boolean;
}

/** A custom field, as plain JSON. */
export interface AddedField extends Options {
  readonly object: string;
  readonly name: string;
  readonly label: string;
  readonly type: FieldType;
}

export const plain: Setup = {
  withoutFields: [],
  addedFields: [],
  readOnlyFields: [],
  shieldFields: [],
  countryPicklists: false,
  multiCurrency: false,
};

export const corporateCurrency = 'USD';

/** Objects whose records bear a currency once an org has several. */
const inCurrency = new Set([
  'Account',
  'Contact',
  'Lead',
  'Opportunity',
  'Case',
  'Campaign',
  'Product2',
  'Task',
  'Event',
]);

const currencies = ['AUD', 'CAD', 'CHF', 'EUR', 'GBP', 'JPY', 'USD'].map((code) =>
  code === corporateCurrency ? `*${code}` : code,
);
const currencyField = pick('CurrencyIsoCode', 'Currency ISO Code', currencies, { isRestricted: true, length: 3 });

export function applySetup(whole: Schema, setup: Setup): Schema {
  const isIn = (names: readonly string[]) => {
    const lower = new Set(names.map((name) => name.toLowerCase()));
    return (object: ObjectType, { name }: Field) => lower.has(`${object.name}.${name}`.toLowerCase());
  };
  const isAway = isIn(setup.withoutFields);
  const isReadOnly = isIn(setup.readOnlyFields);
  const isShielded = isIn(setup.shieldFields);
  return new Schema(
    whole.objects.map((object) => {
      const added = setup.addedFields.filter((entry) => entry.object === object.name).map(toField);
      // One of the company's own fields, set up in another way.
      const replaced = new Set(added.map(({ name }) => name));
      const fields = [...object.fields.filter(({ name }) => !replaced.has(name)), ...added]
        .filter((each) => !isAway(object, each))
        .flatMap((each) => (setup.countryPicklists ? withCode(each) : [each]))
        .concat(setup.multiCurrency && inCurrency.has(object.name) ? [currencyField] : [])
        .map((each) => (isReadOnly(object, each) ? { ...each, isCreateable: false, isUpdateable: false } : each))
        .map((each) => (isShielded(object, each) ? { ...each, isShielded: true, isIdLookup: false } : each));
      return defineObject(object.name, object.keyPrefix, object.label, object.labelPlural, fields, object);
    }),
  );
}

function toField({ object: _, name, label, type, ...options }: AddedField): Field {
  return field(name, label, type, options);
}

/** Beside `MailingCountry` stands `MailingCountryCode`, and the same for states. */
function withCode(each: Field): Field[] {
  const part = /(?:Country|State)$/.exec(each.name)?.[0];
  if (each.type !== 'string' || !each.compound || part === undefined) return [each];
  const values = part === 'Country' ? [...countryNames].map(([code, name]) => `${code}|${name}`) : [];
  const code = pick(`${each.name}Code`, `${each.label} Code`, values, {
    isRestricted: part === 'Country',
    compound: each.compound,
    length: 10,
  });
  return [each, code];
}
