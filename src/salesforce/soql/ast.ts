/**
 * What a query says. Every node keeps `at`, its offset in the source: refusals point at it, and LIMIT is edited in the
 * text itself, because text composed anew from a tree is text nobody wrote.
 */
export interface Query {
  readonly select: readonly Selected[];
  readonly from: From;
  readonly scope: string | undefined;
  readonly where: Condition | undefined;
  /** Where the condition begins, or a missing WHERE belongs, and where it ends. */
  readonly whereAt: number;
  readonly whereEnd: number;
  readonly with: readonly With[];
  readonly groupBy: GroupBy | undefined;
  readonly having: Condition | undefined;
  readonly orderBy: readonly Order[];
  readonly limit: Count | undefined;
  readonly offset: Count | undefined;
  /** Where a missing LIMIT belongs: after the last clause before OFFSET. */
  readonly limitAt: number;
  readonly at: number;
}

export interface Path {
  readonly kind: 'path';
  readonly parts: readonly string[];
  readonly at: number;
}

export interface Call {
  readonly kind: 'call';
  /** Upper case. */
  readonly name: string;
  readonly args: readonly Operand[];
  readonly at: number;
}

export interface Literal {
  readonly kind: 'literal';
  readonly type: 'string' | 'number' | 'boolean' | 'null' | 'date' | 'datetime' | 'time' | 'dateLiteral' | 'currency';
  /** As written, quotes and all. */
  readonly text: string;
  readonly at: number;
}

export type Operand = Path | Call | Literal;
export type Measured = Path | Call;

export type Selected =
  | { readonly kind: 'value'; readonly value: Measured; readonly alias: string | undefined; readonly at: number }
  | { readonly kind: 'fields'; readonly set: FieldSet; readonly at: number }
  | {
      readonly kind: 'typeof';
      readonly path: Path;
      readonly whens: readonly When[];
      readonly otherwise: readonly Path[];
      readonly at: number;
    }
  | { readonly kind: 'query'; readonly query: Query; readonly at: number };

type FieldSet = 'ALL' | 'STANDARD' | 'CUSTOM';

export interface When {
  readonly object: string;
  readonly fields: readonly Path[];
  readonly at: number;
}

export interface From {
  readonly path: Path;
  readonly alias: string | undefined;
  /** `FROM Contact c, c.Account a`: further names for parents. */
  readonly joins: readonly Join[];
}

export interface Join {
  readonly path: Path;
  readonly alias: string;
}

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[]; readonly at: number }
  | { readonly kind: 'not'; readonly part: Condition; readonly at: number }
  | {
      readonly kind: 'compare';
      readonly left: Measured;
      readonly operator: Operator;
      readonly right: Literal;
      readonly at: number;
    }
  | {
      readonly kind: 'list';
      readonly left: Measured;
      readonly operator: ListOperator;
      readonly values: readonly Literal[];
      readonly at: number;
    }
  | {
      readonly kind: 'semijoin';
      readonly left: Measured;
      readonly operator: ListOperator;
      readonly query: Query;
      readonly at: number;
    };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE';
export type ListOperator = 'IN' | 'NOT IN' | 'INCLUDES' | 'EXCLUDES';

export type With =
  | { readonly kind: 'mode'; readonly mode: 'SECURITY_ENFORCED' | 'USER_MODE' }
  | { readonly kind: 'category'; readonly filters: readonly CategoryFilter[] };

export interface CategoryFilter {
  readonly group: string;
  readonly selector: string;
  readonly categories: readonly string[];
}

export interface GroupBy {
  readonly form: 'plain' | 'ROLLUP' | 'CUBE';
  readonly items: readonly Measured[];
}

export interface Order {
  readonly value: Measured;
  readonly descending: boolean;
  readonly nulls: 'FIRST' | 'LAST' | undefined;
}

export interface Count {
  readonly value: number;
  readonly at: number;
  readonly end: number;
}

/**
 * Whether two readings ask the same question, LIMIT aside. Runs for every query that is bounded, so it allocates
 * nothing. Nodes of one kind have the same keys, since one parser makes them.
 */
export function sameMeaning(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b);
  if (!isNode(a) || !isNode(b)) return false;
  for (const key in a) if (isMeaning(key) && !sameMeaning(a[key], b[key])) return false;
  return true;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  for (let index = 0; index < a.length; index += 1) if (!sameMeaning(a[index], b[index])) return false;
  return a.length === b.length;
}

/** Where something stands and how many rows it may bring: bounding a query changes this and nothing else. */
function isMeaning(key: string): boolean {
  return !places.has(key);
}

const places = new Set(['at', 'end', 'limit', 'limitAt', 'whereAt', 'whereEnd']);

function isNode(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
