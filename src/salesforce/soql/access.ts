import type { SoqlPolicy } from './schema.ts';

/** One policy, made ready to answer: is this object open, is this field open, is it sensitive? */
export interface Access {
  /** False when syntax alone is judged. */
  readonly judges: boolean;
  object(name: string): 'open' | 'closed' | 'never';
  canRead(object: string, field: string): boolean;
  /** Whether some field of the object is closed, so that FIELDS() must be known before it is sent. */
  hasClosedFields(object: string): boolean;
  isSensitive(object: string, field: string): boolean;
  /** Lower-cased fields that may be read of people through a path. */
  readonly ownerFields: ReadonlySet<string>;
}

export function compileAccess(policy: SoqlPolicy): Access {
  const objects = new Set(policy.allowObjects.map(lower));
  const denied = fieldSets(policy.denyFields);
  const sensitive = fieldSets(policy.sensitiveFields ?? []);
  const listed = new Map(
    Object.entries(policy.allowFields ?? {}).map(([name, fields]) => [lower(name), new Set(fields.map(lower))]),
  );
  return {
    judges: true,
    object: (name) => (isNever(name) ? 'never' : objects.has(lower(name)) ? 'open' : 'closed'),
    canRead(object, field) {
      const [in_, name] = [lower(object), lower(field)];
      if (has(denied, in_, name)) return false;
      const only = listed.get(in_);
      return only === undefined || name === 'id' || only.has(name);
    },
    hasClosedFields: (object) => denied.has('*') || denied.has(lower(object)) || listed.has(lower(object)),
    isSensitive: (object, field) => has(sensitive, lower(object), lower(field)),
    ownerFields: new Set((policy.allowOwnerFields ?? []).map(lower)),
  };
}

/** Judging syntax alone: everything is open. */
export const openAccess: Access = {
  judges: false,
  object: () => 'open',
  canRead: () => true,
  hasClosedFields: () => false,
  isSensitive: () => false,
  ownerFields: new Set(),
};

// Sessions, tokens, logins, credentials, bodies of files and mails, and what describes the org: no policy opens these.
const never = new Set(
  `LoginHistory LoginGeo LoginIp LoginEvent UserLogin AuthSession AuthProvider AuthConfig SetupAuditTrail SessionPermSetActivation
  OauthToken OauthCustomScope ConnectedApplication NamedCredential ExternalCredential ExternalDataSource SamlSsoConfig
  ThirdPartyAccountLink TwoFactorInfo TwoFactorMethodsInfo TwoFactorTempCode EventLogFile ApexLog
  ContentVersion Attachment EmailMessage
  ApexClass ApexClassMember ApexTrigger ApexTriggerMember ApexPage ApexComponent ApexTestResult ApexExecutionOverlayAction AsyncApexJob CronTrigger
  AuraDefinition AuraDefinitionBundle LightningComponentBundle LightningComponentResource StaticResource MetadataContainer MetadataContainerMember
  MetadataComponentDependency ContainerAsyncRequest EntityDefinition EntityParticle FieldDefinition RelationshipDomain RelationshipInfo
  CustomField CustomObject CustomTab CustomApplication ValidationRule WorkflowRule WorkflowFieldUpdate WorkflowAlert WorkflowOutboundMessage
  Flow FlowDefinition FlowDefinitionView FlowVersionView Layout FlexiPage RemoteProxy TraceFlag DebugLevel SecurityHealthCheck
  InstalledSubscriberPackage Publisher UserRecordAccess UserEntityAccess UserFieldAccess`
    .split(/\s+/)
    .map(lower),
);
const neverEndings = /(?:history|share|changeevent|__mdt)$/;

function isNever(name: string): boolean {
  const key = lower(name);
  return never.has(key) || neverEndings.test(key);
}

type FieldSets = ReadonlyMap<string, ReadonlySet<string>>;

function fieldSets(entries: readonly string[]): FieldSets {
  const sets = new Map<string, Set<string>>();
  const add = (object: string, names: readonly string[]) => {
    const set = sets.get(object) ?? new Set<string>();
    for (const name of names) set.add(name);
    sets.set(object, set);
  };
  for (const entry of entries) {
    const dot = entry.indexOf('.');
    const object = lower(entry.slice(0, dot));
    const field = lower(entry.slice(dot + 1));
    add(object, sameData(field));
    if (object === 'contact' || object === '*') add(object === '*' ? '*' : 'account', onPersonAccount(field));
  }
  return sets;
}

/** A person account shows its contact's fields as its own: SSN__c as SSN__pc, Birthdate as PersonBirthdate. */
function onPersonAccount(field: string): string[] {
  return field.endsWith('__c') ? [`${field.slice(0, -1)}pc`] : sameData(`person${field}`);
}

function has(sets: FieldSets, object: string, field: string): boolean {
  return (sets.get(object)?.has(field) ?? false) || (sets.get('*')?.has(field) ?? false);
}

const nameParts = ['firstname', 'lastname', 'middlename', 'salutation', 'suffix'];
const addressParts = [
  'street',
  'city',
  'state',
  'statecode',
  'postalcode',
  'country',
  'countrycode',
  'latitude',
  'longitude',
  'geocodeaccuracy',
];
const addressPart = new RegExp(`^(.*?)(${addressParts.join('|')})$`);
const customPart = new RegExp(`^(.+)__(?:${addressParts.join('|')})__s$`);

/**
 * The names under which one field's data can be read: a compound brings its parts and a part is seen in its compound,
 * so that a closed MailingCity is not read from MailingAddress, nor a closed LastName from Name; a closed lookup closes
 * the relationship that follows it.
 */
function sameData(field: string): string[] {
  const names = [field, ...lookup(field)];
  if (field === 'name') names.push(...nameParts);
  if (nameParts.includes(field)) names.push('name');
  if (field.endsWith('address')) names.push(...addressParts.map((part) => field.slice(0, -'address'.length) + part));
  const [, prefix, part] = addressPart.exec(field) ?? [];
  if (prefix !== undefined) names.push(`${prefix}address`);
  if (part === 'state' || part === 'country') names.push(`${field}code`);
  if (part === 'statecode' || part === 'countrycode') names.push(field.slice(0, -'code'.length));
  if (field.endsWith('__c')) names.push(...addressParts.map((each) => `${field.slice(0, -1)}${each}__s`));
  const [, base] = customPart.exec(field) ?? [];
  if (base !== undefined) names.push(`${base}__c`);
  return names;
}

/** AccountId and Account, Region__c and Region__r. */
function lookup(field: string): string[] {
  if (field.endsWith('__c')) return [`${field.slice(0, -1)}r`];
  if (field.endsWith('__r')) return [`${field.slice(0, -1)}c`];
  return field.endsWith('id') ? [field.slice(0, -2)] : [`${field}id`];
}

function lower(text: string): string {
  return text.toLowerCase();
}
