/**
 * What no declared action may write, whatever a policy says: who may do what, credentials, code, files and mails. One list for every
 * door, because an action that could write here could grant itself the rest.
 */
const NEVER: ReadonlySet<string> = new Set(
  `User UserRole UserLogin UserPackageLicense Profile ProfileSkill AuthProvider AuthConfig AuthSession ConnectedApplication OauthToken
  OauthCustomScope NamedCredential ApexClass ApexTrigger ApexPage ApexComponent ApexLog CronTrigger CronJobDetail AsyncApexJob
  SetupEntityAccess SetupAuditTrail EmailMessage EmailTemplate ContentVersion ContentDocument ContentDocumentLink DocumentLink Attachment
  Document StaticResource CustomField CustomObject ValidationRule WorkflowRule Layout FlexiPage RemoteProxy RemoteSiteSetting
  SamlSsoConfig MutingPermissionSet FieldPermissions ObjectPermissions LoginIp TwoFactorInfo EntityDefinition FieldDefinition Organization
  RecordType QueueSobject Publisher`
    .split(/\s+/)
    .map((name) => name.toLowerCase()),
);
const BEGINNINGS = /^(?:group|permissionset|external|flow|auradefinition|lightningcomponent|metadata|apex)/;
const ENDINGS = /(?:share|history|changeevent|__mdt|__x)$/;

export function isNeverWritable(object: string): boolean {
  const name = object.toLowerCase();
  return NEVER.has(name) || BEGINNINGS.test(name) || ENDINGS.test(name);
}
