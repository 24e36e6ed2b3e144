import type { Condition, Join, Literal, Measured, Operand, Path, Query, Selected } from './ast.ts';
import { type Narrowed, type Narrowing, narrowedBy } from './narrow.ts';
import type { QueryAccess } from './query-access.ts';
import { type Place, Reach, type ResolvedField, unknownRelationship } from './reach.ts';
import { SoqlRefusal } from './refusal.ts';
import { bareObject, type SoqlObject, type SoqlSchema } from './schema.ts';

/** Every object and field that a query touches, in every clause. What cannot be resolved is refused. */
export interface Resolution {
  readonly objects: ReadonlySet<string>;
  /** `Account.Name`, in the org's own case where it is known. */
  readonly fields: ReadonlySet<string>;
  /** What the schema says of each path's field: one entry, or one per target of a polymorphic path. */
  readonly fieldsOf: ReadonlyMap<Path, readonly ResolvedField[]>;
  /** Parents that may be of a closed object, unless the query is made to leave these out. */
  readonly narrowings: readonly Narrowing[];
  /** Objects beyond the first that a parent may be of. */
  readonly alternatives: number;
}

export function resolve(query: Query, schema: SoqlSchema, access: QueryAccess): Resolution {
  const reach = new Reach(schema, access);
  const resolver = new Resolver(reach);
  resolver.root(query);
  const { objects, fields, alternatives } = reach;
  return { objects, fields, alternatives, fieldsOf: resolver.fieldsOf, narrowings: resolver.narrowings };
}

/** The objects whose describe the schema still lacks, as far as the query can be followed with what it has. */
export function missingObjects(query: Query, schema: SoqlSchema, access: QueryAccess): string[] {
  const missing = new Set<string>();
  try {
    new Resolver(new Reach(schema, access, missing)).root(query);
  } catch (error) {
    // A refusal will be met again, with its words, by the guard.
    if (!(error instanceof SoqlRefusal)) throw error;
  }
  return [...missing];
}

/** A schema for judging syntax alone: every name leads somewhere, and a relationship's name stands for its object. */
export const anySchema: SoqlSchema = {
  object: (name) => ({
    ...bareObject(name),
    parent: (relationship) => ({ targets: [relationship] }),
    child: (relationship) => ({ object: relationship }),
  }),
};

const MAX_STEPS = 5;

interface Scope {
  readonly root: readonly Place[];
  /** Lower-cased alias or object name, to where it leads. */
  readonly names: Map<string, readonly Place[]>;
  /** Absent in a branch of TYPEOF, which says its object itself. */
  readonly query?: Query;
  readonly narrowed: Narrowed;
}

class Resolver {
  readonly fieldsOf = new Map<Path, readonly ResolvedField[]>();
  readonly narrowings: Narrowing[] = [];
  readonly #reach: Reach;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** A query whose FROM names an object: the outer one, or one after IN. */
  root(query: Query): void {
    const { path } = query.from;
    const [name] = path.parts;
    if (name === undefined || path.parts.length > 1) {
      throw new SoqlRefusal('unknown_object', path.at, 'FROM takes an object here, not a path.', 'Name one object.');
    }
    this.#query(query, this.#reach.open(name, path.at));
  }

  #query(query: Query, root: readonly Place[]): void {
    if (root.length === 0) return;
    const scope = this.#scope(query, root);
    for (const item of query.select) this.#selected(item, scope);
    if (query.where !== undefined) this.#condition(query.where, scope);
    for (const value of query.groupBy?.items ?? []) this.#operand(value, scope);
    if (query.having !== undefined) this.#condition(query.having, scope);
    for (const { value } of query.orderBy) this.#operand(value, scope);
  }

  #scope(query: Query, root: readonly Place[]): Scope {
    const { from, where } = query;
    const scope: Scope = { root, names: new Map(), query, narrowed: narrowedBy(where) };
    for (const { object } of root) this.#name(scope, object.name, root, from.path.at);
    if (from.alias !== undefined) this.#name(scope, from.alias, root, from.path.at);
    let waiting = from.joins;
    // An alias may be used before it is defined, so go round until nothing moves.
    while (waiting.length > 0) {
      const ready = waiting.filter(({ path }) => canBegin(path, scope, waiting));
      if (ready.length === 0)
        throw new SoqlRefusal(
          'unknown_alias',
          from.path.at,
          'These aliases lead only to each other.',
          'Begin one at the object in FROM.',
        );
      for (const { path, alias } of ready) this.#name(scope, alias, this.#walk(path, path.parts, scope), path.at);
      waiting = waiting.filter((join) => !ready.includes(join));
    }
    return scope;
  }

  #name(scope: Scope, name: string, places: readonly Place[], at: number): void {
    const key = name.toLowerCase();
    const taken = scope.names.get(key);
    if (taken !== undefined && taken !== places) {
      throw new SoqlRefusal('ambiguous_alias', at, `The alias ${name} is used twice.`, 'Give each its own alias.');
    }
    // `FROM Account Owner`: is Owner.Name the account's name or its owner's? Two readers may differ, so nobody sends it.
    if (this.#reach.judges && scope.root.some(({ object }) => leadsElsewhere(object, name, places))) {
      throw new SoqlRefusal(
        'ambiguous_alias',
        at,
        `The alias ${name} is also a relationship.`,
        'Choose another alias.',
      );
    }
    scope.names.set(key, places);
  }

  #selected(item: Selected, scope: Scope): void {
    if (item.kind === 'value') this.#operand(item.value, scope);
    else if (item.kind === 'fields') for (const place of scope.root) this.#reach.fieldSet(place, item.set, item.at);
    else if (item.kind === 'typeof') this.#typeOf(item, scope);
    else this.#child(item.query, scope);
  }

  #operand(value: Operand, scope: Scope): void {
    if (value.kind === 'path') this.#path(value, scope);
    else if (value.kind === 'call') for (const arg of value.args) this.#operand(arg, scope);
  }

  #condition(condition: Condition, scope: Scope): void {
    switch (condition.kind) {
      case 'not':
        this.#condition(condition.part, scope);
        break;
      case 'and':
      case 'or':
        for (const part of condition.parts) this.#condition(part, scope);
        break;
      case 'semijoin':
        this.#operand(condition.left, scope);
        this.root(condition.query);
        break;
      case 'list':
        this.#operand(condition.left, scope);
        this.#quotedDates(condition.left, condition.values);
        break;
      default:
        this.#operand(condition.left, scope);
        this.#quotedDates(condition.left, [condition.right]);
    }
  }

  /** `CreatedDate > '2026-01-31'` is well-formed, and Salesforce refuses it only once the type of the field is known. */
  #quotedDates(left: Measured, values: readonly Literal[]): void {
    if (left.kind !== 'path' || !this.#reach.judges) return;
    const isDate = (this.fieldsOf.get(left) ?? []).some(({ name, known }) => isDateField(name, known?.type));
    const quoted = isDate
      ? values.find(({ type, text }) => type === 'string' && /^'\d{4}-\d{2}-\d{2}/.test(text))
      : undefined;
    if (quoted === undefined) return;
    throw new SoqlRefusal(
      'quoted_date',
      quoted.at,
      'A date is written without quotes.',
      `Write ${quoted.text.slice(1, -1).slice(0, 40)} without quotes.`,
    );
  }

  #path(path: Path, scope: Scope): void {
    const field = path.parts.at(-1);
    if (field === undefined) return;
    const places = this.#walk(path, path.parts.slice(0, -1), scope);
    if (places.length > 0) this.fieldsOf.set(path, this.#reach.field(places, field, path.at));
  }

  /** From the query's object along `steps`, of which the first may be an alias or the object's own name. */
  #walk(path: Path, steps: readonly string[], scope: Scope): readonly Place[] {
    const named = steps[0] === undefined ? undefined : scope.names.get(steps[0].toLowerCase());
    const rest = named === undefined ? steps : steps.slice(1);
    if (rest.length > MAX_STEPS) {
      throw new SoqlRefusal(
        'path_too_long',
        path.at,
        `A path may follow ${MAX_STEPS} relationships.`,
        'Begin at an object that is nearer.',
      );
    }
    return rest.reduce((places, step, index) => {
      if (index < rest.length - 1 || scope.query === undefined)
        return this.#reach.follow(places, step, path.at, index === rest.length - 1);
      const { query } = scope;
      const before = steps.slice(0, -1);
      const way = steps.join('.');
      return this.#reach.followAny(places, step, path.at, scope.narrowed.get(way.toLowerCase()), (lookup, objects) =>
        this.narrowings.push({ query, path: way, lookup: [...before, lookup].join('.'), objects }),
      );
    }, named ?? scope.root);
  }

  /** FROM of a child query: `Contacts`, or `Account.Contacts` from the outer object's name, alias or parent. */
  #child(query: Query, outer: Scope): void {
    const { path } = query.from;
    const holders = this.#walk(path, path.parts.slice(0, -1), outer);
    this.#query(query, this.#reach.children(holders, path.parts.at(-1) ?? '', path.at));
  }

  /** Each branch reads its own object; ELSE reads every target that no WHEN names. */
  #typeOf({ path, whens, otherwise, at }: Selected & { readonly kind: 'typeof' }, scope: Scope): void {
    const holders = this.#walk(path, path.parts.slice(0, -1), scope);
    const targets = this.#reach.targets(holders, path.parts.at(-1) ?? '', at);
    const rest = new Set(targets.map((target) => target.toLowerCase()));
    for (const when of whens) {
      const isTarget = targets.some((target) => target.toLowerCase() === when.object.toLowerCase());
      const [holder] = holders;
      if (this.#reach.judges && holder !== undefined && !isTarget)
        throw unknownRelationship(when.object, holder.object, when.at);
      rest.delete(when.object.toLowerCase());
      this.#branch(this.#reach.open(when.object, when.at), when.fields);
    }
    if (otherwise.length === 0) return;
    const others = rest.size > 0 ? targets.filter((target) => rest.has(target.toLowerCase())) : targets;
    this.#branch(
      others.flatMap((target) => this.#reach.open(target, at)),
      otherwise,
    );
  }

  #branch(places: readonly Place[], fields: readonly Path[]): void {
    for (const path of places.length > 0 ? fields : [])
      this.#path(path, { root: places, names: new Map(), narrowed: new Map() });
  }
}

const dateNames = new Set(
  'createddate lastmodifieddate systemmodstamp closedate activitydate lastactivitydate converteddate birthdate'.split(
    ' ',
  ),
);

function isDateField(name: string, type: string | undefined): boolean {
  return type === undefined ? dateNames.has(name.toLowerCase()) : type === 'date' || type === 'datetime';
}

function canBegin({ parts }: Path, { names }: Scope, waiting: readonly Join[]): boolean {
  const first = (parts[0] ?? '').toLowerCase();
  return names.has(first) || !waiting.some(({ alias }) => alias.toLowerCase() === first);
}

function leadsElsewhere(object: SoqlObject, name: string, places: readonly Place[]): boolean {
  const targets = object.parent(name)?.targets ?? [];
  return targets.some((target) => !places.some((place) => place.object.name.toLowerCase() === target.toLowerCase()));
}
