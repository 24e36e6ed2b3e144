import type { ObjectDescribe } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { EXTERNAL_ID } from '../../domain/external-id.ts';
import type { NeededObject } from '../../domain/rights.ts';

/** One deployable package for one bot: our external-id fields, its least permission set, and change events where they are wanted. Pure. */
export interface OrgPackage {
  readonly permissionSet: string;
  readonly files: ReadonlyMap<string, string>;
  /** What is in it, as a person reads it. */
  readonly parts: readonly string[];
  /** What the permission set gives, line by line: `Lead: read, create`, `Lead.Email: read and edit`. */
  readonly gives: readonly string[];
  /** The same by hand, in Setup, and what comes after. */
  readonly clicks: readonly string[];
}

export interface PackageFor {
  readonly bot: string;
  readonly connectionId: string;
  readonly username: string;
  readonly needs: readonly NeededObject[];
  /** By name in lower case, as far as the org shows them. */
  readonly describes: ReadonlyMap<string, ObjectDescribe>;
  /** Objects to select for Change Data Capture. */
  readonly events: readonly string[];
  /** `66.0` */
  readonly version: string;
}

export function packageFor(wanted: PackageFor): OrgPackage {
  const { bot, needs, describes, events, version, username } = wanted;
  const permissionSet = `Gatehouse_${bot}_${wanted.connectionId.replace(/[^A-Za-z0-9]/g, '').slice(0, 4)}`
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/_$/, '');
  const newFields = needs.filter((need) => hasOurField(need) && isMissing(need, describes)).map(({ object }) => object);
  const objects = withParents(needs.filter(({ object }) => isGoverned(object)));
  const fields = needs
    .filter(({ object }) => isGoverned(object))
    .flatMap((need) => fieldsOf(need, describes, newFields.includes(need.object)));
  const members = events.map(
    (object) => `${object.replace(/__c$/, '_')}${object.endsWith('__c') ? '_' : ''}ChangeEvent`,
  );
  const files = new Map<string, string>([
    [
      'package.xml',
      xml(
        'Package',
        `${types(
          'CustomField',
          newFields.map((object) => `${object}.${EXTERNAL_ID}`),
        )}${types('PermissionSet', [permissionSet])}${types(
          'PlatformEventChannelMember',
          members.map((name) => `ChangeEvents_${name}`),
        )}${tag('version', version)}`,
      ),
    ],
    ...newFields.map((object) => [`objects/${object}.object`, xml('CustomObject', OUR_FIELD)] as const),
    [`permissionsets/${permissionSet}.permissionset`, xml('PermissionSet', permissionSetOf(bot, objects, fields))],
    ...members.map(
      (name) =>
        [
          `platformEventChannelMembers/ChangeEvents_${name}.platformEventChannelMember`,
          xml('PlatformEventChannelMember', tag('eventChannel', 'ChangeEvents') + tag('selectedEntity', name)),
        ] as const,
    ),
  ]);
  const gives = [...objects.map(accessLine), ...fields.map(fieldLine)];
  return {
    permissionSet,
    files,
    gives,
    parts: [
      ...newFields.map((object) => `field ${object}.${EXTERNAL_ID}: text of 64, unique, case-sensitive, external id`),
      `permission set ${permissionSet}: API Enabled`,
      ...gives.map((line) => `permission set ${permissionSet}: ${line}`),
      ...events.map((object) => `change events of ${object} (one of the five objects that an org may select)`),
    ],
    clicks: [
      ...newFields.map(
        (object) =>
          `Setup, Object Manager, ${object}, Fields & Relationships, New: Text, label "Gatehouse Id", name Gatehouse_Id, length 64, tick Unique (case-sensitive) and External ID. Leave it off the page layouts.`,
      ),
      `Setup, Permission Sets, New: ${permissionSet}, no licence. System Permissions: API Enabled.`,
      ...objects.map((one) => clickOf(one, fields)),
      ...events.map((object) => `Setup, Change Data Capture: move ${object} to Selected Entities, Save.`),
      `Setup, Permission Sets, ${permissionSet}, Manage Assignments: add ${username}. Take other permission sets and an administrator's profile away from that user.`,
      `Then: gatehouse org check ${bot}.`,
    ],
  };
}

const hasOurField = ({ object, fields, create }: NeededObject): boolean =>
  create && isGoverned(object) && fields.some(({ name }) => name.toLowerCase() === EXTERNAL_ID.toLowerCase());

/** A field that is there is never changed: one of our name that is otherwise stops the package. */
function isMissing({ object }: NeededObject, describes: ReadonlyMap<string, ObjectDescribe>): boolean {
  const field = describes
    .get(object.toLowerCase())
    ?.fields.find(({ name }) => name.toLowerCase() === EXTERNAL_ID.toLowerCase());
  if (field === undefined) return true;
  if (field.type === 'string' && field.externalId && field.unique && field.length >= 64) return false;
  throw new GatehouseError('conflict', `${object}.${EXTERNAL_ID} is there, but not as Gatehouse needs it.`, {
    next: `It must be a text of 64, unique, case-sensitive, an external id. An admin renames or deletes the field in Setup (and erases it from the deleted fields); then prepare again.`,
  });
}

/** Objects that no permission set names: their records follow those of another one, or everybody reads them. */
const UNGOVERNED: ReadonlySet<string> = new Set(
  ['Event', 'Group', 'OpportunityContactRole', 'Organization', 'RecordType', 'Task', 'User'].map((one) =>
    one.toLowerCase(),
  ),
);
const isGoverned = (object: string): boolean => !UNGOVERNED.has(object.toLowerCase());

type Ways = Pick<NeededObject, 'create' | 'edit' | 'delete'>;
type ObjectAccess = Ways & { readonly object: string };

/** Salesforce gives no read of these without that of the objects above them. */
const ABOVE: Readonly<Record<string, readonly string[]>> = {
  Contact: ['Account'],
  Opportunity: ['Account'],
  Case: ['Account', 'Contact'],
};

function withParents(needs: readonly NeededObject[]): readonly ObjectAccess[] {
  const found = new Map<string, ObjectAccess>();
  for (const { object, create, edit, delete: isDeleted } of needs) {
    // To delete is to edit, as Salesforce has it.
    found.set(object, { object, create, edit: edit || isDeleted, delete: isDeleted });
  }
  for (const { object } of needs)
    for (const above of ABOVE[object] ?? [])
      if (!found.has(above)) found.set(above, { object: above, create: false, edit: false, delete: false });
  return [...found.values()].sort((a, b) => (a.object < b.object ? -1 : 1));
}

const waysOf = ({ create, edit, delete: isDeleted }: Ways): string[] => [
  'read',
  ...(create ? ['create'] : []),
  ...(edit ? ['edit'] : []),
  ...(isDeleted ? ['delete'] : []),
];

export const accessLine = ({ object, ...can }: ObjectAccess): string => `${object}: ${waysOf(can).join(', ')}`;
export const fieldLine = ({ name, isEdited }: FieldAccess): string => `${name}: ${isEdited ? 'read and edit' : 'read'}`;

/** An object with its fields, as Setup has them on one page. */
function clickOf({ object, ...can }: ObjectAccess, fields: readonly FieldAccess[]): string {
  const named = (isEdited: boolean) =>
    fields.flatMap((one) =>
      one.isEdited === isEdited && one.name.startsWith(`${object}.`) ? [one.name.slice(object.length + 1)] : [],
    );
  const [read, edited] = [named(false), named(true)];
  return [
    `In it, Object Settings, ${object}, Edit: ${waysOf(can).join(', ')}.`,
    ...(edited.length === 0 ? [] : [`Fields to read and edit: ${edited.join(', ')}.`]),
    ...(read.length === 0 ? [] : [`Fields to read: ${read.join(', ')}.`]),
    'Save.',
  ].join(' ');
}

interface FieldAccess {
  readonly name: string;
  readonly isEdited: boolean;
}

/** Fields that a permission set can name: one that comes with its object would stop the whole deployment. */
function fieldsOf(
  { object, fields }: NeededObject,
  describes: ReadonlyMap<string, ObjectDescribe>,
  hasNewField: boolean,
): readonly FieldAccess[] {
  const described = new Map(
    describes.get(object.toLowerCase())?.fields.map((field) => [field.name.toLowerCase(), field]),
  );
  return fields.flatMap(({ name, isEdited, isOptional }) => {
    const field = described.get(name.toLowerCase());
    const isOurs = name.toLowerCase() === EXTERNAL_ID.toLowerCase();
    // What this user does not see may be there all the same.
    const isIn = field === undefined ? (isOurs ? hasNewField : !isOptional) : field.isPermissionable === true;
    return isIn ? [{ name: `${object}.${field?.name ?? name}`, isEdited }] : [];
  });
}

/** How the description of a permission set of ours ends: one of our name without it is somebody else's. */
export const MADE_BY_US = 'Made by Gatehouse.';

function permissionSetOf(bot: string, objects: readonly ObjectAccess[], fields: readonly FieldAccess[]): string {
  const is = (name: string, value: boolean) => tag(name, String(value));
  return [
    tag('description', `The least that the bot ${bot} needs. ${MADE_BY_US}`),
    ...fields.map(({ name, isEdited }) =>
      block('fieldPermissions', is('editable', isEdited) + tag('field', name) + is('readable', true)),
    ),
    is('hasActivationRequired', false),
    tag('label', `Gatehouse ${bot}`.slice(0, 80)),
    ...objects.map(({ object, create, edit, delete: isDeleted }) =>
      block(
        'objectPermissions',
        is('allowCreate', create) +
          is('allowDelete', isDeleted) +
          is('allowEdit', edit) +
          is('allowRead', true) +
          is('modifyAllRecords', false) +
          tag('object', object) +
          is('viewAllRecords', false),
      ),
    ),
    block('userPermissions', is('enabled', true) + tag('name', 'ApiEnabled')),
  ].join('');
}

const block = (name: string, inner: string): string => `<${name}>${inner}</${name}>\n`;
const tag = (name: string, text: string): string => `<${name}>${escaped(text)}</${name}>\n`;
const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`).replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/g, '');
const xml = (root: string, inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://soap.sforce.com/2006/04/metadata">\n${inner}</${root}>\n`;
const types = (name: string, members: readonly string[]): string =>
  members.length === 0 ? '' : block('types', members.map((one) => tag('members', one)).join('') + tag('name', name));

const OUR_FIELD = block(
  'fields',
  tag('fullName', EXTERNAL_ID) +
    tag('caseSensitive', 'true') +
    tag('description', 'The id of this record in the host app. Written by Gatehouse.') +
    tag('externalId', 'true') +
    tag('label', 'Gatehouse Id') +
    tag('length', '64') +
    tag('required', 'false') +
    tag('type', 'Text') +
    tag('unique', 'true'),
);
