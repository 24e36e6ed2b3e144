import { nearest } from '../../domain/nearest.ts';
import type { QueryAccess } from './query-access.ts';
import { SoqlRefusal } from './refusal.ts';
import { bareObject, type SoqlField, type SoqlObject, type SoqlSchema } from './schema.ts';

/** What a query can get at, step by step: an object, a relationship, a field. Each step is checked and remembered. */

/** An object that a path has come to; `only` when just a few of its fields may be read there. */
export interface Place {
  readonly object: SoqlObject;
  readonly only: ReadonlySet<string> | undefined;
}

export interface ResolvedField {
  readonly object: string;
  readonly name: string;
  readonly known: SoqlField | undefined;
}

const MAX_RELATIONSHIPS = 55;

const people = new Set(['user', 'group', 'queue', 'calendar']);
/** What Salesforce's Name object answers for, whatever the polymorphic target is. */
const nameFields = new Set('id name type firstname lastname title email phone username alias isactive'.split(' '));

export class Reach {
  readonly objects = new Set<string>();
  readonly fields = new Set<string>();
  /** Objects that only stand for one another: a parent is of one of them. */
  alternatives = 0;
  /** Objects that the schema lacks, when the caller only wants to know these; else a missing one is a refusal. */
  readonly missing: Set<string> | undefined;
  /** Whether a policy judges, or syntax alone does. */
  readonly judges: boolean;
  readonly #schema: SoqlSchema;
  readonly #access: QueryAccess;
  readonly #relationships = new Set<string>();
  readonly #several = new Set<string>();

  constructor(schema: SoqlSchema, access: QueryAccess, missing?: Set<string>) {
    this.#schema = schema;
    this.#access = access;
    this.judges = access.judges;
    this.missing = missing;
  }

  open(name: string, at: number): readonly Place[] {
    const verdict = this.#access.object(name);
    if (verdict !== 'open') {
      throw new SoqlRefusal(
        verdict === 'never' ? 'object_never_open' : 'object_not_open',
        at,
        `Object ${short(name)} is not open to this bot.`,
        'Ask without it, or tell the user that this is not available.',
      );
    }
    const object = this.#schema.object(name);
    if (object !== undefined) {
      this.objects.add(object.name);
      return [{ object, only: undefined }];
    }
    if (this.missing === undefined) {
      throw new SoqlRefusal(
        'unknown_object',
        at,
        `Object ${short(name)} is not known in this org.`,
        'Check the API name; custom objects end in __c.',
      );
    }
    this.missing.add(name);
    return [];
  }

  follow(places: readonly Place[], relationship: string, at: number, isLast: boolean): readonly Place[] {
    const targets = this.targets(places, relationship, at);
    return targets.flatMap((target) => this.#openThrough(target, at, isLast));
  }

  /**
   * The parent at the end of a path that may be of several objects, some of them closed. `types` are those that the query
   * says it means; without them it must be made to say so, and `narrow` hears which are open.
   */
  followAny(
    places: readonly Place[],
    relationship: string,
    at: number,
    types: readonly string[] | undefined,
    narrow: (lookup: string, objects: readonly string[]) => void,
  ): readonly Place[] {
    const targets = this.targets(places, relationship, at);
    const isOpen = (target: string) => this.#access.object(target) === 'open' || this.#isPerson(target);
    if (targets.length < 2 || targets.every(isOpen)) return this.follow(places, relationship, at, true);
    const meant = types && targets.filter((target) => types.includes(target.toLowerCase()));
    const open = meant ?? targets.filter(isOpen);
    // None open, or none that exists: refused as if every one had been named.
    if (open.length === 0) return this.follow(places, relationship, at, true);
    if (meant === undefined) {
      const [place] = places;
      narrow(place?.object.parent(relationship)?.field ?? lookupOf(relationship), open);
    }
    const key = `${places[0]?.object.name}.${relationship}`.toLowerCase();
    if (!this.#several.has(key)) this.alternatives += open.length - 1;
    this.#several.add(key);
    return open.flatMap((target) => this.#openThrough(target, at, true));
  }

  /** Where a relationship leads from all of these places. To follow it is to read the lookup behind it. */
  targets(places: readonly Place[], relationship: string, at: number): string[] {
    const targets = new Map<string, string>();
    for (const { object, only } of places) {
      const parent = only === undefined ? object.parent(relationship) : undefined;
      if (parent === undefined) throw unknownRelationship(relationship, object, at);
      this.#checkOpen(object, parent.field ?? lookupOf(relationship), at);
      this.#relationships.add(`${object.name}.${relationship}`.toLowerCase());
      for (const target of parent.targets) targets.set(target.toLowerCase(), target);
    }
    if (this.#relationships.size > MAX_RELATIONSHIPS) {
      throw new SoqlRefusal(
        'too_many_relationships',
        at,
        `A query may follow ${MAX_RELATIONSHIPS} relationships.`,
        'Ask in several queries.',
      );
    }
    return [...targets.values()];
  }

  children(holders: readonly Place[], relationship: string, at: number): readonly Place[] {
    const [holder] = holders;
    if (holder === undefined) return [];
    const child = holders.length === 1 && holder.only === undefined ? holder.object.child(relationship) : undefined;
    if (child === undefined) {
      throw new SoqlRefusal(
        'unknown_relationship',
        at,
        `${short(relationship)} is not a child relationship of ${holder.object.name}.`,
        'Use the name of the child relationship, usually the plural: (SELECT Id FROM Contacts).',
      );
    }
    const places = this.open(child.object, at);
    for (const { object } of places) if (child.field !== undefined) this.#checkOpen(object, child.field, at);
    return places;
  }

  field(places: readonly Place[], field: string, at: number): ResolvedField[] {
    for (const { object, only } of places) {
      if (only !== undefined && !only.has(field.toLowerCase())) throw closedField(object, field, at);
      this.#checkOpen(object, field, at);
    }
    const found = places.map(({ object }) => ({ object, known: object.field(field) }));
    const isCommon = places.length > 1 && nameFields.has(field.toLowerCase());
    if (!isCommon && found.every(({ known }) => known === undefined)) throw this.#unknownField(places, field, at);
    if (this.judges && found.every(({ object, known }) => known === 'unjudged' && object.parent(field) !== undefined)) {
      throw new SoqlRefusal(
        'relationship_not_field',
        at,
        `${field} is a relationship, not a field.`,
        `Write ${field}.Name, or ${lookupOf(field)}.`,
      );
    }
    return found
      .filter(({ known }) => isCommon || known !== undefined)
      .map(({ object, known }) => this.#touch(object, field, known, at));
  }

  /** FIELDS() brings every field of the object, so all of them must be known and open. */
  fieldSet({ object }: Place, set: string, at: number): void {
    const all = object.fields();
    if (all === undefined && this.#access.hasClosedFields(object.name)) throw nameTheFields(set, at);
    if (all === undefined) this.fields.add(`${object.name}.FIELDS(${set})`);
    for (const name of all ?? []) {
      const isCustom = name.includes('__');
      if ((set === 'CUSTOM' && !isCustom) || (set === 'STANDARD' && isCustom)) continue;
      if (!this.#canRead(object, name)) throw nameTheFields(set, at);
      this.fields.add(`${object.name}.${name}`);
    }
  }

  /** A person behind Owner or CreatedBy may show a name although people are closed, if the operator said which fields. */
  #openThrough(target: string, at: number, isLast: boolean): readonly Place[] {
    if (!isLast || !this.#isPerson(target)) return this.open(target, at);
    this.objects.add(target);
    return [{ object: this.#schema.object(target) ?? bareObject(target), only: this.#access.ownerFields }];
  }

  #isPerson(target: string): boolean {
    const { ownerFields } = this.#access;
    return ownerFields.size > 0 && people.has(target.toLowerCase()) && this.#access.object(target) === 'closed';
  }

  #touch(object: SoqlObject, field: string, known: SoqlField | 'unjudged' | undefined, at: number): ResolvedField {
    const name = typeof known === 'object' ? known.name : field;
    // A schema may know a field by a longer name than was written (a namespace): that one must be open too.
    if (name !== field) this.#checkOpen(object, name, at);
    this.fields.add(`${object.name}.${name}`);
    return { object: object.name, name, known: typeof known === 'object' ? known : undefined };
  }

  #checkOpen(object: SoqlObject, field: string, at: number): void {
    if (!this.#canRead(object, field)) throw closedField(object, field, at);
  }

  #canRead(object: SoqlObject, field: string): boolean {
    const isPerson = object.name.toLowerCase() === 'account' && typeof object.field('IsPersonAccount') === 'object';
    return this.#access.canRead(object.name, field, isPerson);
  }

  /** The suggestion is drawn from open fields only: a hint must not tell what is hidden. */
  #unknownField(places: readonly Place[], field: string, at: number): SoqlRefusal {
    const object = places[0]?.object;
    const name = object?.name ?? 'The object';
    const [near] = nearest(
      field,
      (object?.fields() ?? []).filter((each) => object !== undefined && this.#canRead(object, each)),
    );
    const next =
      near === undefined ? 'Use fields that the object has; custom fields end in __c.' : `Did you mean ${near}?`;
    return new SoqlRefusal('unknown_field', at, `${name} has no field ${short(field)}.`, next);
  }
}

export function unknownRelationship(relationship: string, from: SoqlObject, at: number): SoqlRefusal {
  return new SoqlRefusal(
    'unknown_relationship',
    at,
    `${short(relationship)} does not lead from ${from.name} to another object.`,
    'Use the relationship name (Account.Name, Region__r.Name), not the object or the Id field.',
  );
}

/** The lookup field behind a relationship's name, where describe does not say. */
function lookupOf(relationship: string): string {
  return /__r$/i.test(relationship) ? `${relationship.slice(0, -1)}c` : `${relationship}Id`;
}

function closedField(object: SoqlObject, field: string, at: number): SoqlRefusal {
  return new SoqlRefusal(
    'field_not_open',
    at,
    `Field ${object.name}.${short(field)} is not open to this bot, in any clause.`,
    'Ask without it, or tell the user that this is not available.',
  );
}

function nameTheFields(set: string, at: number): SoqlRefusal {
  return new SoqlRefusal(
    'name_the_fields',
    at,
    `FIELDS(${set}) may bring fields that are not open to this bot.`,
    'Name the fields you need.',
  );
}

/** Names in a refusal come from the model: shown, but not at any length. */
function short(name: string): string {
  return name.slice(0, 80);
}
