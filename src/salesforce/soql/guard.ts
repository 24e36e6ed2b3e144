import { keptFor } from '../../domain/kept-for.ts';
import type { Query } from './ast.ts';
import { type Bounded, bound, isAggregated, isCount } from './bound.ts';
import { classify } from './classify.ts';
import { checkTypes } from './literal-types.ts';
import { type Narrowing, narrow } from './narrow.ts';
import { parseSoql } from './parse.ts';
import { compileAccess, openAccess, type QueryAccess } from './query-access.ts';
import { SoqlRefusal } from './refusal.ts';
import { anySchema, missingObjects, type Resolution, resolve } from './resolve.ts';
import type { SoqlPolicy, SoqlSchema } from './schema.ts';

/** RunSOQL's guard: what it lets through only reads, names only what the policy opens, and brings a bounded number of rows. */

export type SoqlVerdict = SoqlPass | SoqlRefused;

export interface SoqlPass {
  readonly ok: true;
  /** The text to send, and nothing but this. */
  readonly send: string;
  readonly objects: string[];
  /** `Account.Name`, in the org's own case where it is known. */
  readonly fields: string[];
  readonly class: 'trivial' | 'non-trivial';
  /** Why it is not trivial. */
  readonly reasons: string[];
  readonly rowCap: number | null;
  /** What the guard had to leave out. */
  readonly note?: string;
  readonly isCount: boolean;
  readonly isAggregate: boolean;
}

export interface SoqlRefused {
  readonly ok: false;
  readonly code: string;
  readonly position: number;
  readonly rule: string;
  readonly next: string;
}

interface GuardOptions {
  /** None judges syntax alone. */
  readonly policy?: SoqlPolicy;
  /** None knows no object, so that with a policy nothing passes. */
  readonly schema?: SoqlSchema;
  /** The org's clock in ms, for ready rewrites of dates. */
  readonly now?: number;
  /** Literals must be of their fields' types, too. */
  readonly checksTypes?: boolean;
}

export function guardSoql(q: string, options: GuardOptions): SoqlVerdict {
  return createGuard(options)(q);
}

/** The guard made ready once, for many queries under one policy. */
export function createGuard({ policy, schema, now, checksTypes = false }: GuardOptions): (q: string) => SoqlVerdict {
  const access = policy === undefined ? openAccess : compileAccess(policy);
  const knownSchema = policy === undefined ? anySchema : (schema ?? emptySchema);
  const read = (text: string) => readingOf(text, policy, now);
  return (q) => {
    try {
      return judge(q, { access, schema: knownSchema, policy, read, checksTypes });
    } catch (error) {
      return refused(error);
    }
  };
}

/**
 * The objects whose describe is still missing from the schema before `guardSoql` can judge. Call it, fetch, call again
 * until it names nothing new. Objects that the policy closes are never asked for.
 */
export function neededObjects(q: string, schema: SoqlSchema, policy?: SoqlPolicy): string[] {
  const access = policy === undefined ? openAccess : compileAccess(policy);
  const query = readQuietly(q, policy);
  return query === undefined ? [] : missingObjects(query, schema, access);
}

/** `gatehouse soql check`: one JSON line in, one verdict out. */
export function checkLine(line: string, guard: (q: string) => SoqlVerdict): object {
  const q = queryOf(line);
  if (q === undefined) {
    return {
      ok: false,
      code: 'bad_line',
      position: 0,
      rule: 'The line is not a JSON object with a text "q".',
      next: 'Write {"q":"SELECT Id FROM Account"}.',
    };
  }
  const verdict = guard(q);
  if (!verdict.ok) return verdict;
  const { send, objects, fields } = verdict;
  return { ok: true, send, objects, fields, class: verdict.class };
}

/** Platform: 100,000 characters a statement. No honest question to a bot comes near a fifth of it. */
const DEFAULT_MAX_LENGTH = 20_000;

const emptySchema: SoqlSchema = { object: () => undefined };

/** One call reads its query for what it needs, for the guard and for what leaves: the same text under one policy is the same tree. */
export function readingOf(text: string, policy: SoqlPolicy | undefined, now?: number): Query {
  const { literals, trees } = readingsOf(policy ?? NO_POLICY);
  const query = trees.get(text) ?? parseSoql(text, literals, now).query;
  // Last used, last out. What is refused is read anew, by the clock of then.
  trees.delete(text);
  trees.set(text, query);
  const [oldest] = trees.keys();
  if (oldest !== undefined && trees.size > MOST_TREES) trees.delete(oldest);
  return query;
}

/** The queries of a few calls at once, each as it came and as it leaves. */
const MOST_TREES = 16;
const NO_POLICY: Pick<SoqlPolicy, 'dateLiterals'> = {};

const readingsOf = keptFor(({ dateLiterals = [] }: Pick<SoqlPolicy, 'dateLiterals'>) => ({
  literals: new Set(dateLiterals.map((name) => name.toUpperCase())),
  trees: new Map<string, Query>(),
}));

interface Rules {
  readonly access: QueryAccess;
  readonly schema: SoqlSchema;
  readonly policy: SoqlPolicy | undefined;
  readonly checksTypes: boolean;
  read(text: string): Query;
}

function judge(q: string, { access, schema, policy, read, checksTypes }: Rules): SoqlPass {
  checkLength(q, policy?.maxLength);
  const { text, query, resolution, narrowings } = narrowedReading(q, read, (one) => resolve(one, schema, access));
  if (checksTypes) checkTypes(query, resolution.fieldsOf);
  const bounded = policy === undefined ? unbounded(text, query) : bound(text, query, policy, read);
  const { reasons, class: class_ } = classify(query, resolution, access, bounded.rowCap);
  return {
    ok: true,
    send: bounded.send,
    objects: [...resolution.objects],
    fields: [...resolution.fields],
    class: class_,
    reasons,
    rowCap: bounded.rowCap,
    ...(narrowings.length === 0 ? {} : { note: noteOf(narrowings) }),
    isCount: isCount(query),
    isAggregate: isAggregated(query),
  };
}

interface Reading {
  readonly text: string;
  readonly query: Query;
  readonly resolution: Resolution;
  /** What was added. */
  readonly narrowings: readonly Narrowing[];
}

/** The query, and where a parent may be of a closed object the query that leaves those out, read and resolved anew. */
function narrowedReading(q: string, read: (text: string) => Query, resolved: (query: Query) => Resolution): Reading {
  const query = read(q);
  const resolution = resolved(query);
  if (resolution.narrowings.length === 0) return { text: q, query, resolution, narrowings: [] };
  const text = narrow(q, resolution.narrowings);
  const again = read(text);
  const reading = { text, query: again, resolution: resolved(again), narrowings: resolution.narrowings };
  if (reading.resolution.narrowings.length > 0) throw new Error('the condition that was added is not read as such');
  return reading;
}

function noteOf(narrowings: readonly Narrowing[]): string {
  const parents = [...new Set(narrowings.map(({ path, objects }) => `${path} is ${objects.join(', ')} or empty`))];
  return `Only rows whose ${parents.join(', and ')} are read.`;
}

function unbounded(q: string, query: Query): Bounded {
  return { send: q, query, rowCap: query.limit?.value ?? null };
}

/** Before anything reads the text: a megabyte must cost nothing. */
function checkLength(q: string, maxLength = DEFAULT_MAX_LENGTH): void {
  if (q.length > maxLength)
    throw new SoqlRefusal('too_long', maxLength, `A query may have ${maxLength} characters.`, 'Write a shorter query.');
}

/** Whatever goes wrong here, the query does not pass. */
function refused(error: unknown): SoqlRefused {
  if (error instanceof SoqlRefusal) {
    const { code, position, rule, next } = error;
    return { ok: false, code, position, rule, next };
  }
  return {
    ok: false,
    code: 'internal_guard',
    position: 0,
    rule: 'The guard could not judge this query.',
    next: 'Ask a simpler question.',
  };
}

function readQuietly(q: string, policy?: SoqlPolicy): Query | undefined {
  try {
    checkLength(q, policy?.maxLength);
    return readingOf(q, policy);
  } catch (error) {
    if (error instanceof SoqlRefusal) return undefined;
    throw error;
  }
}

function queryOf(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'q' in value && typeof value.q === 'string'
      ? value.q
      : undefined;
  } catch {
    return undefined;
  }
}
