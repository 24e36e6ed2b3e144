/** What `/_sim/settings`, `/_sim/reset` and `/_sim/fields` accept about fields: which there are, and what users may do with them. */
import type { Settings } from '../facts.ts';
import type { Org } from '../org.ts';
import { settleAddresses } from '../records/addresses.ts';
import { Refusal } from '../refusal.ts';
import type { FieldType, PicklistValue } from '../schema/field.ts';
import { fieldOf } from '../schema/object.ts';
import { type AddedField, corporateCurrency, plain, type Setup } from '../schema/setup.ts';
import type { Row } from '../table.ts';
import { BadControl, onlyKeys, optionalNumber, optionalText, texts, toObject } from './input.ts';

type Body = Readonly<Record<string, unknown>>;

export const isSetup = (name: string): name is keyof Setup => Object.hasOwn(plain, name);

/** One named part of the setup, from JSON. */
export function toSetup(org: Org, name: keyof Setup, value: unknown): Partial<Setup> {
  switch (name) {
    case 'withoutFields':
      return { withoutFields: toLostFields(value) };
    case 'readOnlyFields':
    case 'shieldFields':
      return { [name]: toKnownFields(org, name, value) };
    case 'addedFields': {
      if (!Array.isArray(value)) throw new BadControl('addedFields is a list of fields.');
      return { addedFields: value.map((entry) => toAddedField(org, toObject(entry, 'addedFields'))) };
    }
    case 'countryPicklists':
    case 'multiCurrency':
      if (typeof value !== 'boolean') throw new BadControl(`${name} is true or false.`);
      return { [name]: value };
  }
}

/** Custom fields that the org has not, or not any more. */
function toLostFields(value: unknown): readonly string[] {
  const names = texts(value, 'withoutFields');
  for (const name of names) {
    const [object = '', field = ''] = name.split('.');
    if (!field.endsWith('__c'))
      throw new BadControl(
        `withoutFields takes custom fields such as "Contact.Gatehouse_Id__c", not "${name}" of ${object}.`,
      );
  }
  return names;
}

function toKnownFields(org: Org, list: string, value: unknown): readonly string[] {
  const names = texts(value, list);
  for (const name of names) {
    const [object = '', field = ''] = name.split('.');
    const type = org.schema.object(object);
    if (!type || !fieldOf(type, field)) throw new BadControl(`${list}: there is no field ${name}.`);
  }
  return names;
}

/** Adds custom fields, as an administrator would; one of the same name is replaced. */
export function addFields(org: Org, body: unknown): unknown {
  const added = (Array.isArray(body) ? body : [body]).map((entry) => toAddedField(org, toObject(entry, 'fields')));
  const isNew = (old: AddedField) => !added.some(({ object, name }) => object === old.object && name === old.name);
  const addedFields = [...org.settings.addedFields.filter(isNew), ...added];
  changeSetup(org, { ...org.settings, addedFields });
  return { fields: addedFields };
}

function changeSetup(org: Org, settings: Settings): void {
  org.keep('settings', 'org', { ...settings, schemaChangedAt: org.now() });
  fillIn(org);
}

const lengths: Partial<Record<FieldType, number>> = {
  string: 255,
  textarea: 255,
  email: 80,
  phone: 40,
  url: 255,
  picklist: 255,
  multipicklist: 4099,
  encryptedstring: 175,
  reference: 18,
};
const numbers: readonly string[] = ['int', 'double', 'currency', 'percent'];
const types: readonly string[] = [...Object.keys(lengths), ...numbers, 'boolean', 'date', 'datetime', 'time', 'html'];

function toAddedField(org: Org, body: Body): AddedField {
  onlyKeys(body, [
    ...['object', 'name', 'label', 'type', 'length', 'precision', 'scale', 'values', 'referenceTo', 'childName'],
    ...['isRequired', 'isCreateable', 'isUpdateable', 'isUnique', 'isExternalId', 'isIdLookup', 'isCaseSensitive'],
    ...['isRestricted', 'isCalculated', 'isHtml', 'relationshipName', 'picklist', 'isDefaulted', 'isShielded'],
  ]);
  const object = org.schema.object(String(body.object));
  if (!object) throw new BadControl(`A field needs the object that it is added to; there is no ${body.object}.`);
  const name = optionalText(body.name, 'name') ?? '';
  if (!/^[A-Za-z]\w*__c$/.test(name)) throw new BadControl(`name is that of a custom field, such as "Tax_Number__c".`);
  const type = String(body.type);
  if (!types.includes(type)) throw new BadControl(`type is one of: ${types.join(', ')}.`);
  const flags = Object.entries(body).filter(([key]) => key.startsWith('is'));
  for (const [key, value] of flags) if (typeof value !== 'boolean') throw new BadControl(`${key} is true or false.`);
  const isHtml = type === 'html' || body.isHtml === true;
  // Checked against the list above; a rich text area is a text area that holds HTML.
  const kind = (type === 'html' ? 'textarea' : type) as FieldType;
  const isNumber = numbers.includes(type);
  const isReference = type === 'reference';
  const isKey = body.isExternalId === true;
  return {
    object: object.name,
    name,
    label: optionalText(body.label, 'label') ?? name.replace(/__c$/, '').replace(/_+/g, ' '),
    type: kind,
    length: optionalNumber(body.length, 'length') ?? (isHtml ? 32_768 : (lengths[kind] ?? 0)),
    precision: optionalNumber(body.precision, 'precision') ?? (isNumber ? 18 : 0),
    scale: optionalNumber(body.scale, 'scale') ?? (type === 'currency' ? 2 : 0),
    picklist: toPicklist(body.values ?? body.picklist ?? []),
    referenceTo: isReference ? texts(body.referenceTo, 'referenceTo') : [],
    relationshipName: isReference ? name.replace(/__c$/, '__r') : null,
    childName: optionalText(body.childName, 'childName') ?? null,
    isDefaulted: type === 'boolean',
    isIdLookup: isKey,
    // Every flag was checked above.
    ...(Object.fromEntries(flags) as Partial<AddedField>),
    isHtml,
  };
}

function toPicklist(value: unknown): readonly PicklistValue[] {
  if (!Array.isArray(value)) throw new BadControl('values is a list of texts.');
  return value.map((entry) => {
    if (typeof entry === 'string') return { value: entry, label: entry, isDefault: false };
    const { value: stored, label, isDefault } = toObject(entry, 'values');
    return { value: String(stored), label: String(label ?? stored), isDefault: isDefault === true };
  });
}

/** What stood before a switch was turned gets what the switch adds: a currency, and the codes of its addresses. */
export function fillIn(org: Org): void {
  const { multiCurrency, countryPicklists } = org.settings;
  if (!multiCurrency && !countryPicklists) return;
  for (const object of org.schema.objects) {
    for (const row of [...org.table(object.name).all()]) {
      const filled: Record<string, Row[string]> = { ...row };
      if (object.byName.has('currencyisocode')) filled.CurrencyIsoCode ??= corporateCurrency;
      if (countryPicklists) settleWhatCan(() => settleAddresses(object, filled, new Set(Object.keys(row))));
      org.saveRow(object.name, { ...filled, Id: row.Id, IsDeleted: row.IsDeleted, SystemModstamp: row.SystemModstamp });
    }
  }
  // The administrator's work is nobody's edit.
  org.takeRecordChanges();
}

/** An address that was entered before the lists were is left as it is. */
function settleWhatCan(settle: () => void): void {
  try {
    settle();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
