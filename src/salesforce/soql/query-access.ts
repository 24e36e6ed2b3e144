import { type FieldAccess, fieldAccess, fieldSet } from '../../../permissions/field-access.ts';
import { keptFor } from '../../domain/kept-for.ts';
import type { SoqlPolicy } from './schema.ts';

/** One policy, made ready to answer: is this object open, is this field open, is it sensitive? */
export interface QueryAccess extends FieldAccess {
  /** False when syntax alone is judged. */
  readonly judges: boolean;
  object(name: string): 'open' | 'closed' | 'never';
  isSensitive(object: string, field: string): boolean;
  /** Lower-cased fields that may be read of people through a path. */
  readonly ownerFields: ReadonlySet<string>;
}

export const compileAccess = keptFor((policy: SoqlPolicy): QueryAccess => {
  const objects = new Set(policy.allowObjects.map(lower));
  const sensitive = fieldSet(policy.sensitiveFields ?? []);
  return {
    judges: true,
    object: (name) => (isNever(name) ? 'never' : objects.has(lower(name)) ? 'open' : 'closed'),
    ...fieldAccess(policy.denyFields, policy.allowFields ?? {}),
    isSensitive: (object, field) => sensitive.has(object, field),
    ownerFields: new Set((policy.allowOwnerFields ?? []).map(lower)),
  };
});

/** Judging syntax alone: everything is open. */
export const openAccess: QueryAccess = {
  judges: false,
  object: () => 'open',
  canRead: () => true,
  hasClosedFields: () => false,
  asksForPersons: false,
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

function lower(text: string): string {
  return text.toLowerCase();
}
