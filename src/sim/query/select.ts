/** The SELECT list of a query as a way to show one record. */
import type { FieldTypeOf, FieldType as Selected, Subquery } from '@jetstreamapp/soql-parser-js';
import { recordUrl, type Shown, showField } from '../records/reader.ts';
import { type Field, isCustom } from '../schema/field.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import type { Row } from '../table.ts';
import { functionExpression } from './expression.ts';
import { malformed, noChildRelationship, noColumn } from './refusals.ts';
import { parentOf, resolvePath, type Scope } from './scope.ts';

export type Show = (row: Row) => Shown;

export interface Selection {
  readonly show: Show;
  /** Long texts make Salesforce send smaller pages. */
  readonly hasLongText: boolean;
}

/** One level of the answer: the record itself, or a parent nested in it. */
interface Level {
  readonly columns: Map<string, (row: Row) => unknown>;
  readonly parents: Map<string, Level>;
}

export type RunChildren = (scope: Scope, subquery: Subquery, link: Field) => (parent: Row) => unknown;

export function compileSelection(
  scope: Scope,
  version: string,
  fields: readonly Selected[],
  runChildren: RunChildren,
): Selection {
  const root = newLevel();
  let hasLongText = false;

  const showLevel = (level: Level, object: string, row: Row): Shown => {
    const shown: Record<string, unknown> = {};
    for (const [name, show] of level.columns) shown[name] = show(row);
    return { attributes: { type: object, url: recordUrl(version, object, row.Id) }, ...shown };
  };

  function addField(level: Level, field: Field): void {
    hasLongText ||= field.type === 'textarea' && field.length >= 32_000;
    level.columns.set(field.name, (row) => showField(row, field));
  }

  function addPath(text: string): void {
    const path = resolvePath(scope, text);
    let level = root;
    for (const reference of path.parents) level = parentLevel(level, reference);
    if (path.isTypeName) level.columns.set('Type', (row) => scope.org.schema.ofId(row.Id)?.name ?? null);
    else addField(level, path.field);
  }

  function parentLevel(level: Level, reference: Field): Level {
    const name = reference.relationshipName ?? reference.name;
    const known = level.parents.get(name);
    if (known) return known;
    const parent = newLevel();
    level.parents.set(name, parent);
    level.columns.set(name, (row) => {
      const found = parentOf(scope, row, reference);
      return found ? showLevel(parent, found.object, found.row) : null;
    });
    return parent;
  }

  function addTypeOf({ field: name, conditions }: FieldTypeOf): void {
    const reference = scope.object.byRelationship.get(name.toLowerCase());
    if (!reference) throw noColumn(scope.soql, name, scope.object.name);
    const cases = conditions.map(({ objectType, fieldList }) => {
      const targets = objectType ? [objectType] : reference.referenceTo;
      const level = newLevel();
      for (const column of fieldList) {
        const field = targets.map((target) => fieldIn(target, column)).find(Boolean);
        if (!field) throw noColumn(scope.soql, column, targets[0] ?? name);
        addField(level, field);
      }
      return { objectType: objectType?.toLowerCase(), level };
    });
    root.columns.set(reference.relationshipName ?? name, (row) => {
      const found = parentOf(scope, row, reference);
      if (!found) return null;
      const match = cases.find(
        ({ objectType }) => objectType === undefined || objectType === found.object.toLowerCase(),
      );
      return showLevel(match?.level ?? newLevel(), found.object, found.row);
    });
  }

  const fieldIn = (object: string, name: string): Field | undefined => {
    const type = scope.schema.object(object);
    return type && fieldOf(type, name);
  };

  for (const selected of fields) {
    switch (selected.type) {
      case 'Field':
      case 'FieldRelationship':
        refuseAlias(scope, selected);
        addPath(textOf(selected));
        break;
      case 'FieldSubquery': {
        const { subquery } = selected;
        const child = scope.schema.childBy(scope.object, subquery.relationshipName);
        if (!child) throw noChildRelationship(scope.soql, subquery.relationshipName);
        const childScope: Scope = { ...scope, object: child.object, alias: subquery.sObjectAlias };
        root.columns.set(
          child.field.childName ?? subquery.relationshipName,
          runChildren(childScope, subquery, child.field),
        );
        break;
      }
      case 'FieldTypeof':
        addTypeOf(selected);
        break;
      case 'FieldFunctionExpression':
        if (selected.functionName.toUpperCase() === 'FIELDS') {
          for (const field of fieldGroup(scope, String(selected.parameters[0]))) addField(root, field);
        } else {
          const expression = functionExpression(scope, selected);
          root.columns.set(selected.alias ?? expression.name, expression.get);
        }
    }
  }
  return { show: (row) => showLevel(root, scope.object.name, row), hasLongText };
}

function refuseAlias({ soql }: Scope, selected: Selected): void {
  if ('alias' in selected && selected.alias && !('objectPrefix' in selected)) {
    throw malformed(soql, selected.alias, 'only aggregate expressions use field aliasing');
  }
}

/** The whole dotted text of a selected field, alias of the object included. */
export function textOf(field: Selected): string {
  if (field.type === 'FieldRelationship') {
    return 'objectPrefix' in field && field.rawValue ? field.rawValue : [...field.relationships, field.field].join('.');
  }
  return field.type === 'Field' ? field.field : '';
}

function fieldGroup(scope: Scope, group: string): readonly Field[] {
  const object: ObjectType = scope.object;
  switch (group.toUpperCase()) {
    case 'ALL':
      return object.fields;
    case 'STANDARD':
      return object.fields.filter((field) => !isCustom(field));
    case 'CUSTOM':
      return object.fields.filter(isCustom);
    default:
      throw malformed(scope.soql, group, `unexpected token: '${group}'`);
  }
}

const newLevel = (): Level => ({ columns: new Map(), parents: new Map() });
