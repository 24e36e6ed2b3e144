import type { Condition, Literal, Query } from './ast.ts';

/**
 * A record's What, Who or Owner may be of many objects, of which a policy opens some. Its name may be read where the
 * query says that only those are meant: the guard adds that condition, and knows it again when the model writes it.
 */
export interface Narrowing {
  readonly query: Query;
  /** `What`, `e.What`, `Account.Owner`: as written. */
  readonly path: string;
  /** The lookup behind it, by the same path. */
  readonly lookup: string;
  readonly objects: readonly string[];
}

/** The objects that every row's parent is of, by the path to it in lower case. */
export type Narrowed = ReadonlyMap<string, readonly string[]>;

export function narrowedBy(where: Condition | undefined): Narrowed {
  const found = new Map<string, readonly string[]>();
  for (const condition of where === undefined ? [] : where.kind === 'and' ? where.parts : [where]) {
    const one = typesOf(condition) ?? typesOrNone(condition);
    if (one !== undefined && !found.has(one.path)) found.set(one.path, one.types);
  }
  return found;
}

/** The text with a condition for each parent that may be of a closed object; a row without such a parent stays. */
export function narrow(source: string, narrowings: readonly Narrowing[]): string {
  const queries = new Map<Query, Set<string>>();
  for (const { query, path, lookup, objects } of narrowings) {
    const types = objects.map((name) => `'${name}'`).join(', ');
    const conditions = queries.get(query) ?? new Set();
    queries.set(query, conditions.add(`(${lookup} = null OR ${path}.Type IN (${types}))`));
  }
  const edits = [...queries].flatMap(([query, conditions]) => {
    const all = [...conditions].join(' AND ');
    if (query.where === undefined) return [{ at: query.whereAt, text: ` WHERE ${all}` }];
    return [
      { at: query.whereAt, text: '(' },
      { at: query.whereEnd, text: `) AND ${all}` },
    ];
  });
  return edits
    .sort((a, b) => b.at - a.at)
    .reduce((text, { at, text: piece }) => text.slice(0, at) + piece + text.slice(at), source);
}

function typesOf(condition: Condition): { path: string; types: readonly string[] } | undefined {
  if (condition.kind !== 'compare' && condition.kind !== 'list') return undefined;
  if (condition.operator !== '=' && condition.operator !== 'IN') return undefined;
  const { left } = condition;
  const values = condition.kind === 'list' ? condition.values : [condition.right];
  if (left.kind !== 'path' || left.parts.length < 2 || left.parts.at(-1)?.toLowerCase() !== 'type') return undefined;
  if (!values.every(({ type }) => type === 'string')) return undefined;
  return { path: left.parts.slice(0, -1).join('.').toLowerCase(), types: values.map(nameIn) };
}

/** `(WhatId = null OR What.Type IN ('Account'))`: where there is no parent, nothing of it is read. */
function typesOrNone(condition: Condition): { path: string; types: readonly string[] } | undefined {
  if (condition.kind !== 'or' || condition.parts.length !== 2) return undefined;
  const types = condition.parts.map(typesOf).find((one) => one !== undefined);
  const none = condition.parts.find(
    (part) => part.kind === 'compare' && part.operator === '=' && part.right.type === 'null',
  );
  if (types === undefined || none?.kind !== 'compare' || none.left.kind !== 'path') return undefined;
  const lookup = none.left.parts.join('.').toLowerCase();
  return lookup === `${types.path}id` || lookup === types.path.replace(/__r$/, '__c') ? types : undefined;
}

function nameIn({ text }: Literal): string {
  return text.slice(1, -1).toLowerCase();
}
