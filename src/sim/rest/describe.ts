/** `/sobjects`, describes with all the keys of a real one, and picklists by record type. */
import { to18 } from '../ids.ts';
import { type Field, type FieldType, isCustom, isFilterable, type PicklistValue } from '../schema/field.ts';
import type { ObjectType, RecordType, Schema } from '../schema/object.ts';
import type { Call } from './call.ts';

const masterId = to18('012000000000000');

/** Objects that people meet only through others: no pages, no feed, not found by a search. */
const plumbing: ReadonlySet<string> = new Set([
  ...['Group', 'OpportunityContactRole', 'Organization', 'RecordType'],
  ...['FieldPermissions', 'ObjectPermissions', 'PermissionSet', 'PermissionSetAssignment'],
]);

/** What the list of objects says of each: the describe without its lists. */
export function describeBrief(version: string, object: ObjectType) {
  const at = `/services/data/${version}/sobjects/${object.name}`;
  const custom = object.name.endsWith('__c');
  const { isWritable } = object;
  const isPlumbing = plumbing.has(object.name);
  return {
    activateable: false,
    associateEntityType: null,
    associateParentEntity: null,
    createable: isWritable,
    custom,
    customSetting: false,
    deepCloneable: false,
    deletable: object.isDeletable,
    deprecatedAndHidden: false,
    feedEnabled: !isPlumbing,
    hasSubtypes: false,
    isInterface: false,
    isSubtype: false,
    keyPrefix: object.keyPrefix,
    label: object.label,
    labelPlural: object.labelPlural,
    layoutable: !isPlumbing,
    mergeable: object.byName.has('masterrecordid'),
    mruEnabled: !isPlumbing,
    name: object.name,
    queryable: true,
    replicateable: true,
    retrieveable: true,
    searchable: !isPlumbing,
    triggerable: isWritable,
    undeletable: isWritable,
    updateable: isWritable,
    urls: {
      ...(isPlumbing ? {} : { compactLayouts: `${at}/describe/compactLayouts` }),
      rowTemplate: `${at}/{ID}`,
      ...(isPlumbing ? {} : { approvalLayouts: `${at}/describe/approvalLayouts`, listviews: `${at}/listviews` }),
      describe: `${at}/describe`,
      ...(isPlumbing ? {} : { quickActions: `${at}/quickActions`, layouts: `${at}/describe/layouts` }),
      sobject: at,
    },
  };
}

export function describeGlobal(version: string, schema: Schema): unknown {
  return {
    encoding: 'UTF-8',
    maxBatchSize: 200,
    sobjects: schema.objects.map((object) => describeBrief(version, object)),
  };
}

/** The 45 keys in alphabetical order. */
export function describeObject(
  { version, schema, origin }: Pick<Call, 'version' | 'schema' | 'origin'>,
  object: ObjectType,
): Record<string, unknown> {
  const brief = describeBrief(version, object);
  const pages = {
    uiDetailTemplate: `${origin}/{ID}`,
    uiEditTemplate: `${origin}/{ID}/e`,
    uiNewRecord: `${origin}/${object.keyPrefix}/e`,
  };
  const whole: Record<string, unknown> = {
    ...brief,
    urls: brief.layoutable ? { ...brief.urls, ...pages } : brief.urls,
    actionOverrides: [],
    childRelationships: schema.children(object).map(({ object: child, field }) => ({
      cascadeDelete: field.isRequired,
      childSObject: child.name,
      deprecatedAndHidden: false,
      field: field.name,
      junctionIdListNames: [],
      junctionReferenceTo: [],
      relationshipName: field.childName,
      restrictedDelete: false,
    })),
    compactLayoutable: true,
    defaultImplementation: null,
    extendedBy: null,
    extendsInterfaces: null,
    fields: object.fields.map((field) => describeField(object, field)),
    implementedBy: null,
    implementsInterfaces: null,
    listviewable: null,
    lookupLayoutable: null,
    namedLayoutInfos: [],
    networkScopeFieldName: null,
    recordTypeInfos: recordTypeInfos(version, object),
    searchLayoutable: true,
    sobjectDescribeOption: 'FULL',
    supportedScopes: [
      { label: `All ${object.labelPlural.toLowerCase()}`, name: 'everything' },
      { label: `My ${object.labelPlural.toLowerCase()}`, name: 'mine' },
    ],
  };
  return Object.fromEntries(
    Object.keys(whole)
      .sort()
      .map((key) => [key, whole[key]]),
  );
}

const soapTypes: Partial<Record<FieldType, string>> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  percent: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  time: 'xsd:time',
  address: 'urn:address',
};

function describeField(object: ObjectType, field: Field): Record<string, unknown> {
  const { type } = field;
  const isText = field.length > 0 && type !== 'id' && type !== 'reference';
  const isCompound = type === 'address';
  const isEncrypted = type === 'encryptedstring';
  const canFilter = isFilterable(field);
  const isPolymorphic = field.referenceTo.length > 1;
  return {
    aggregatable: canFilter && type !== 'boolean',
    aiPredictionField: false,
    autoNumber: field.isAutoNumber,
    byteLength: isText ? field.length * 3 : field.length,
    calculated: field.isCalculated,
    calculatedFormula: null,
    cascadeDelete: false,
    caseSensitive: field.isCaseSensitive,
    compoundFieldName: field.compound,
    controllerName: null,
    createable: field.isCreateable && object.isWritable,
    custom: isCustom(field),
    defaultValue: type === 'boolean' ? false : (field.picklist.find((entry) => entry.isDefault)?.value ?? null),
    defaultValueFormula: null,
    defaultedOnCreate: field.isDefaulted,
    dependentPicklist: false,
    deprecatedAndHidden: false,
    digits: type === 'int' ? field.precision : 0,
    displayLocationInDecimal: false,
    encrypted: isEncrypted,
    externalId: field.isExternalId,
    extraTypeInfo: type !== 'textarea' ? null : field.isHtml ? 'richtextarea' : 'plaintextarea',
    filterable: canFilter,
    filteredLookupInfo: null,
    formulaTreatNullNumberAsZero: false,
    groupable: canFilter && !/^(currency|percent|double|datetime|time|multipicklist)$/.test(type),
    highScaleNumber: false,
    htmlFormatted: field.isHtml,
    idLookup: field.isIdLookup,
    inlineHelpText: null,
    label: field.label,
    length: field.length,
    mask: isEncrypted ? 'asterisk' : null,
    maskType: isEncrypted ? 'lastFour' : null,
    name: field.name,
    nameField: field.isNameField,
    namePointing: isPolymorphic,
    nillable: !field.isRequired && type !== 'boolean' && type !== 'id' && !(field.isDefaulted && !field.isCreateable),
    permissionable: !field.isRequired && field.isCreateable && type !== 'id',
    picklistValues: field.picklist.map((entry) => describeValue(entry)),
    polymorphicForeignKey: isPolymorphic,
    precision: type === 'int' ? 0 : field.precision,
    queryByDistance: isCompound,
    referenceTargetField: null,
    referenceTo: field.referenceTo,
    relationshipName: field.relationshipName,
    relationshipOrder: null,
    restrictedDelete: false,
    restrictedPicklist: field.isRestricted,
    scale: field.scale,
    searchPrefilterable: type === 'reference',
    soapType: soapTypes[type] ?? 'xsd:string',
    sortable: canFilter && type !== 'multipicklist',
    type,
    unique: field.isUnique,
    updateable: field.isUpdateable && object.isWritable,
    writeRequiresMasterRead: false,
  };
}

function describeValue({ value, label, isDefault }: PicklistValue): unknown {
  return { active: true, defaultValue: isDefault, label, validFor: null, value };
}

function recordTypeInfos(version: string, object: ObjectType): unknown[] {
  const info = (id: string, name: string, developerName: string, isMaster: boolean) => ({
    active: true,
    available: true,
    defaultRecordTypeMapping: isMaster && object.recordTypes.length === 0,
    developerName,
    master: isMaster,
    name,
    recordTypeId: id,
    urls: { layout: `/services/data/${version}/sobjects/${object.name}/describe/layouts/${id}` },
  });
  return [
    ...object.recordTypes.map((type) => info(type.id, type.name, type.developerName, false)),
    info(masterId, 'Master', 'Master', true),
  ];
}

/** The UI API's picklists of one record type; undefined when there is no such record type. */
export function picklistsOf(version: string, object: ObjectType, recordTypeId: string, only?: string): unknown {
  const recordType = object.recordTypes.find((type) => type.id === recordTypeId);
  if (!recordType && recordTypeId !== masterId) return undefined;
  const at = `/services/data/${version}/ui-api/object-info/${object.name}/picklist-values/${recordTypeId}`;
  const entries = object.fields
    .filter((field) => field.picklist.length > 0)
    .map((field) => [field.name, picklistOf(at, field, recordType)]);
  if (only === undefined) return { eTag: eTagOf(at), picklistFieldValues: Object.fromEntries(entries) };
  return entries.find(([name]) => String(name).toLowerCase() === only.toLowerCase())?.[1];
}

function picklistOf(at: string, field: Field, recordType: RecordType | undefined): unknown {
  const allowed = recordType?.picklists[field.name];
  const shown = (entry: PicklistValue) => ({ attributes: null, label: entry.label, validFor: [], value: entry.value });
  const values = field.picklist.filter((entry) => !allowed || allowed.includes(entry.value));
  const preset = values.find((entry) => entry.isDefault);
  return {
    controllerValues: {},
    defaultValue: preset ? shown(preset) : null,
    eTag: eTagOf(at + field.name),
    url: `${at}/${field.name}`,
    values: values.map(shown),
  };
}

function eTagOf(text: string): string {
  let hash = 0;
  for (const char of text) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash.toString(16).padStart(32, '0');
}
