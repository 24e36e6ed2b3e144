/** What a Salesforce user may do, and what a bot needs of it. */

export interface NeededField {
  readonly name: string;
  readonly isEdited: boolean;
  /** Works without it: an org need not have it, or the user see it. */
  readonly isOptional: boolean;
}

export interface NeededObject {
  readonly object: string;
  readonly create: boolean;
  readonly edit: boolean;
  readonly delete: boolean;
  readonly fields: readonly NeededField[];
  /** Actions and what else it is needed for. */
  readonly because: readonly string[];
}

export interface HeldField {
  readonly name: string;
  readonly isEditable: boolean;
  /** A permission set can give and take it; other fields come with their object. */
  readonly isPermissionable: boolean;
}

export interface HeldObject {
  readonly object: string;
  readonly create: boolean;
  readonly edit: boolean;
  readonly delete: boolean;
  /** Undefined where its fields were not looked at. */
  readonly fields: readonly HeldField[] | undefined;
  /** Records of everybody, past sharing. */
  readonly viewAll: boolean;
  readonly modifyAll: boolean;
}

export interface HeldRights {
  readonly objects: readonly HeldObject[];
  /** System permissions by their names in the API; undefined where the user may not ask. */
  readonly system: readonly string[] | undefined;
}

export type Right = 'read' | 'create' | 'edit' | 'delete' | 'viewAll' | 'modifyAll';

/** Of one object: rights to it as a whole, and to fields. */
export interface RightsOf {
  readonly object: string;
  readonly rights: readonly Right[];
  readonly readFields: readonly string[];
  readonly editFields: readonly string[];
  readonly because: readonly string[];
}

export interface RightsCheck {
  /** What will fail. */
  readonly tooLittle: readonly RightsOf[];
  /** What to take away. */
  readonly tooMuch: readonly RightsOf[];
  /** System permissions that no bot needs. */
  readonly system: readonly string[];
  /** The user may not look at system permissions: nothing is said of them. */
  readonly isSystemUnknown: boolean;
}

/** All that a bot asks of the system itself. */
export const NEEDED_SYSTEM: readonly string[] = ['ApiEnabled'];

/** What the user may do, beside what the bot needs. Pure, whatever order or case the names come in. */
export function compareRights(needs: readonly NeededObject[], { objects, system }: HeldRights): RightsCheck {
  const held = new Map(objects.map((one) => [one.object.toLowerCase(), one]));
  const needed = new Map(needs.map((one) => [one.object.toLowerCase(), one]));
  return {
    tooLittle: needs.map((need) => lacking(need, held.get(need.object.toLowerCase()))).filter(says),
    tooMuch: objects.map((have) => beyond(have, needed.get(have.object.toLowerCase()))).filter(says),
    system: (system ?? []).filter((name) => !NEEDED_SYSTEM.includes(name)),
    isSystemUnknown: system === undefined,
  };
}

const WAYS = ['create', 'edit', 'delete'] as const;

function lacking(need: NeededObject, have: HeldObject | undefined): RightsOf {
  const { object, because } = need;
  if (have === undefined)
    return { object, because, rights: ['read', ...WAYS.filter((way) => need[way])], readFields: [], editFields: [] };
  const fields = new Map(have.fields?.map((field) => [field.name.toLowerCase(), field]));
  const asked = have.fields === undefined ? [] : need.fields.filter(({ isOptional }) => !isOptional);
  const of = (name: string) => fields.get(name.toLowerCase());
  return {
    object,
    because,
    rights: WAYS.filter((way) => need[way] && !have[way]),
    readFields: asked.filter(({ name }) => !of(name)).map(({ name }) => name),
    // One that is not there at all is told once.
    editFields: asked
      .filter(({ name, isEdited }) => isEdited && of(name)?.isEditable === false)
      .map(({ name }) => name),
  };
}

function beyond(have: HeldObject, need: NeededObject | undefined): RightsOf {
  const wanted = new Map(need?.fields.map((field) => [field.name.toLowerCase(), field]));
  const given = (need === undefined ? [] : (have.fields ?? [])).filter(({ isPermissionable }) => isPermissionable);
  const of = (name: string) => wanted.get(name.toLowerCase());
  return {
    object: have.object,
    because: need?.because ?? [],
    rights: [
      ...WAYS.filter((way) => have[way] && need?.[way] !== true),
      ...(['viewAll', 'modifyAll'] as const).filter((way) => have[way]),
    ],
    readFields: given.filter(({ name }) => !of(name)).map(({ name }) => name),
    editFields: given
      .filter(({ name, isEditable }) => isEditable && of(name)?.isEdited === false)
      .map(({ name }) => name),
  };
}

const says = ({ rights, readFields, editFields }: RightsOf): boolean =>
  rights.length + readFields.length + editFields.length > 0;

const MOST_NAMED = 12;
const WORDS: Readonly<Record<Right, string>> = {
  read: 'read',
  create: 'create',
  edit: 'edit',
  delete: 'delete',
  viewAll: 'View All Records',
  modifyAll: 'Modify All Records',
};

/** As people read it: `create, edit`, `read of Phone`. */
export function rightsInWords({ rights, readFields, editFields }: Omit<RightsOf, 'object' | 'because'>): string[] {
  const named = (names: readonly string[]) =>
    names.length <= MOST_NAMED
      ? names.join(', ')
      : `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`;
  return [
    ...(rights.length === 0 ? [] : [rights.map((right) => WORDS[right]).join(', ')]),
    ...(readFields.length === 0 ? [] : [`read of ${named(readFields)}`]),
    ...(editFields.length === 0 ? [] : [`edit of ${named(editFields)}`]),
  ];
}
