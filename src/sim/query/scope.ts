/** Where a name of a query points: from a text such as `Account.Owner.Name` to the fields along the way. */
import type { Org } from '../org.ts';
import type { Field } from '../schema/field.ts';
import { fieldOf, type ObjectType, type Schema } from '../schema/object.ts';
import type { Row, Value } from '../table.ts';
import type { Parse } from './parser.ts';
import { noColumn, noRelationship } from './refusals.ts';

export interface Scope {
  readonly org: Org;
  /** As the asking user sees it. */
  readonly schema: Schema;
  readonly userId: string;
  readonly parse: Parse;
  readonly soql: string;
  readonly object: ObjectType;
  readonly alias: string | undefined;
  readonly includesDeleted: boolean;
}

export interface Path {
  readonly parents: readonly Field[];
  /** The field at the end; on a polymorphic parent, as its first possible object has it. */
  readonly field: Field;
  /** `What.Type` and the like: the name of the object the reference points to. */
  readonly isTypeName: boolean;
}

export function resolvePath(scope: Scope, text: string): Path {
  const names = text.split('.');
  if (names.length > 1 && isPrefix(scope, names[0] ?? '')) names.shift();
  const leaf = names.pop() ?? '';
  let objects: readonly ObjectType[] = [scope.object];
  const parents: Field[] = [];
  for (const name of names) {
    const step = firstOf(objects, (object) => object.byRelationship.get(name.toLowerCase()));
    if (!step) throw noRelationship(scope.soql, name);
    parents.push(step);
    objects = step.referenceTo.flatMap((to) => scope.schema.object(to) ?? []);
  }
  const isTypeName = objects.length > 1 && leaf.toLowerCase() === 'type';
  const field = firstOf(objects, (object) => fieldOf(object, isTypeName ? 'Id' : leaf));
  if (!field)
    throw noColumn(scope.soql, leaf, objects[0]?.name ?? parents.at(-1)?.relationshipName ?? scope.object.name);
  return { parents, field: isTypeName ? { ...field, name: 'Type', type: 'string' } : field, isTypeName };
}

/** An alias or the object's own name before a field says nothing new, unless a relationship bears that name. */
function isPrefix({ alias, object }: Scope, name: string): boolean {
  const wanted = name.toLowerCase();
  if (wanted === alias?.toLowerCase()) return true;
  return wanted === object.name.toLowerCase() && !object.byRelationship.has(wanted);
}

export function parentOf(
  scope: Pick<Scope, 'org'>,
  row: Row,
  reference: Field,
): { object: string; row: Row } | undefined {
  const id = row[reference.name];
  if (typeof id !== 'string') return undefined;
  const object = scope.org.schema.ofId(id);
  const parent = object && scope.org.row(object.name, id);
  return object && parent ? { object: object.name, row: parent } : undefined;
}

export function valueAt(scope: Pick<Scope, 'org'>, path: Path, start: Row): Value {
  let row = start;
  let object = '';
  for (const reference of path.parents) {
    const parent = parentOf(scope, row, reference);
    if (!parent) return null;
    ({ row, object } = parent);
  }
  return path.isTypeName ? object : (row[path.field.name] ?? null);
}

function firstOf<A, B>(items: readonly A[], find: (item: A) => B | undefined): B | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
