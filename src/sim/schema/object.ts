/** What an object is: its fields by any spelling of their names, and how children and parents find each other. */
import type { Field } from './field.ts';

export interface RecordType {
  readonly id: string;
  readonly developerName: string;
  readonly name: string;
  /** Narrower picklists of this record type, by field. */
  readonly picklists: Readonly<Record<string, readonly string[]>>;
}

export interface ObjectType {
  readonly name: string;
  readonly keyPrefix: string;
  readonly label: string;
  readonly labelPlural: string;
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  readonly byRelationship: ReadonlyMap<string, Field>;
  readonly isWritable: boolean;
  readonly isDeletable: boolean;
  readonly recordTypes: readonly RecordType[];
  /** What a new record holds before anyone says anything: false flags and default picklist values. */
  readonly presets: Readonly<Record<string, string | boolean>>;
}

export interface Child {
  readonly object: ObjectType;
  readonly field: Field;
}

type Traits = Partial<Pick<ObjectType, 'isWritable' | 'isDeletable' | 'recordTypes'>>;

export function defineObject(
  name: string,
  keyPrefix: string,
  label: string,
  labelPlural: string,
  fields: readonly Field[],
  { isWritable = true, isDeletable = isWritable, recordTypes = [] }: Traits = {},
): ObjectType {
  const byName = new Map(fields.map((field) => [field.name.toLowerCase(), field]));
  const byRelationship = new Map<string, Field>();
  for (const field of fields)
    if (field.relationshipName) byRelationship.set(field.relationshipName.toLowerCase(), field);
  const presets: Record<string, string | boolean> = {};
  for (const field of fields) {
    const preset = field.picklist.find((entry) => entry.isDefault);
    if (field.type === 'boolean') presets[field.name] = false;
    else if (preset) presets[field.name] = preset.value;
  }
  return {
    name,
    keyPrefix,
    label,
    labelPlural,
    fields,
    byName,
    byRelationship,
    isWritable,
    isDeletable,
    recordTypes,
    presets,
  };
}

export function fieldOf(object: ObjectType, name: string): Field | undefined {
  return object.byName.get(name.toLowerCase());
}

/** Text that is looked up by equality gets a hash index. */
export function isIndexed(field: Field): boolean {
  return (
    field.isIdLookup ||
    field.isExternalId ||
    field.isUnique ||
    field.type === 'reference' ||
    field.type === 'email' ||
    field.isNameField
  );
}

export class Schema {
  readonly objects: readonly ObjectType[];
  readonly #byName: ReadonlyMap<string, ObjectType>;
  readonly #byPrefix: ReadonlyMap<string, ObjectType>;
  readonly #children = new Map<string, readonly Child[]>();

  constructor(objects: readonly ObjectType[]) {
    this.objects = objects;
    this.#byName = new Map(objects.map((object) => [object.name.toLowerCase(), object]));
    this.#byPrefix = new Map(objects.map((object) => [object.keyPrefix, object]));
  }

  object(name: string): ObjectType | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  ofId(id: string): ObjectType | undefined {
    return this.#byPrefix.get(id.slice(0, 3));
  }

  children(parent: ObjectType): readonly Child[] {
    const known = this.#children.get(parent.name);
    if (known) return known;
    const found = this.objects.flatMap((object) =>
      object.fields.filter((field) => field.referenceTo.includes(parent.name)).map((field) => ({ object, field })),
    );
    this.#children.set(parent.name, found);
    return found;
  }

  childBy(parent: ObjectType, relationshipName: string): Child | undefined {
    const wanted = relationshipName.toLowerCase();
    return this.children(parent).find(({ field }) => field.childName?.toLowerCase() === wanted);
  }

  /** The same org seen with less: hidden objects and fields are as good as not there, as field-level security has it. */
  narrowed({ hidden, readOnly, isDeletable }: Sight): Schema {
    return new Schema(
      this.objects
        .filter((object) => !hidden.has(object.name))
        .map((object) =>
          defineObject(
            object.name,
            object.keyPrefix,
            object.label,
            object.labelPlural,
            object.fields
              .filter((field) => !hidden.has(`${object.name}.${field.name}`))
              .map((field) =>
                readOnly.has(`${object.name}.${field.name}`)
                  ? { ...field, isCreateable: false, isUpdateable: false }
                  : field,
              ),
            {
              isWritable: object.isWritable,
              isDeletable: object.isDeletable && isDeletable,
              recordTypes: object.recordTypes,
            },
          ),
        ),
    );
  }
}

export interface Sight {
  readonly hidden: ReadonlySet<string>;
  readonly readOnly: ReadonlySet<string>;
  readonly isDeletable: boolean;
}
