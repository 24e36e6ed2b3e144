import type { z } from 'zod';
import type { OperatorPermission } from '../../permissions/catalog.ts';
import type { Operator } from './access.ts';

/**
 * A REST route as data. Routing, who may call, body limits, OpenAPI and the 405 answer are all derived from it, so that a
 * new route cannot forget one of them. Knows no web framework: other rooms hand in theirs as the same data.
 */
export interface Route {
  readonly method: Method;
  /** With `{name}` segments. Where `{bot}` is one, an agent or host key must be that bot's. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** Kinds of caller; empty means anyone. */
  readonly who: readonly CallerKind[];
  /** What an operator must hold. */
  readonly permission?: OperatorPermission;
  readonly query?: z.ZodObject;
  /** JSON checked by this schema, or the text itself whatever its type. */
  readonly body?: z.ZodType | 'text';
  /** What is no JSON reaches `handle` as the text it is: the gate asks for the grant before it looks at arguments. */
  readonly takesUnreadable?: true;
  readonly maxBytes?: number;
  /** Bodies that are read and used at one time of one address; whoever comes beside them is told to come again. */
  readonly mostAtOnce?: number;
  /** Of a route whose secret stands in its path: asked before the body is read. Answers what refuses, which is counted per address. */
  admit?(call: Pick<RouteCall, 'params'>): Promise<Reply | undefined>;
  // A method, so that a route typed for its own path and body is still a Route.
  handle(call: RouteCall): Promise<Reply>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
export type CallerKind = 'agent' | 'host' | 'operator';

export type Caller =
  | { readonly kind: 'agent'; readonly bot: string; readonly principal: string }
  | { readonly kind: 'host'; readonly bot: string; readonly principal: string }
  | {
      readonly kind: 'operator';
      readonly operator: Operator;
      readonly principal: string;
      readonly by: 'session' | 'key';
    }
  | { readonly kind: 'anyone'; readonly principal: 'anonymous' };

export interface RouteCall<Params = Readonly<Record<string, string>>, C = Caller, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly caller: C;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** Address of the caller, for limits. */
  readonly remote: string;
  /** Public base of links, without a slash at the end. */
  readonly baseUrl: string;
}

export type Reply = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
} & (
  | { readonly json: unknown }
  /** In parts where it is long: one that fails breaks the answer off, so that nobody takes it for whole. */
  | { readonly text: string | AsyncIterable<string>; readonly type: string }
  /** Server-sent events, one per item; `signal` aborts when nobody listens any more. What it refuses at once has its own status. */
  | { readonly stream: (signal: AbortSignal) => AsyncIterable<object> }
);

type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name]: string } & ParamsOf<Rest>
  : unknown;

type CallerOf<Who extends CallerKind> = [Who] extends [never] ? Caller : Extract<Caller, { kind: Who }>;

/** Types a route by its own path, callers and schemas. */
export function defineRoute<
  const Path extends `/${string}`,
  const Who extends CallerKind = never,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType | 'text' = z.ZodType,
>(
  route: Omit<Route, 'path' | 'who' | 'query' | 'body' | 'admit' | 'handle'> & {
    readonly path: Path;
    readonly who: readonly Who[];
    readonly query?: Query;
    readonly body?: Body;
    admit?(call: { readonly params: ParamsOf<Path> }): Promise<Reply | undefined>;
    handle(
      call: RouteCall<ParamsOf<Path>, CallerOf<Who>, z.output<Query>, Body extends z.ZodType ? z.output<Body> : string>,
    ): Promise<Reply>;
  },
): Route {
  // The router gives exactly the segments, callers and checked values that the type speaks of.
  return route as Route;
}
