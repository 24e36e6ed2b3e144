import type { z } from 'zod';
import type { OperatorPermission } from '../../permissions/catalog.ts';
import type { BrowserSession, Operator } from './access.ts';

/**
 * A REST route as data. Routing, who may call, body limits, OpenAPI, the types of clients and the 405 answer are all derived
 * from it, so that a new route cannot forget one of them. Knows no web framework: other rooms hand in theirs as the same data.
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
  /**
   * An operator whose role is for some bots may ask, although no `{bot}` stands in the path: `handle` answers of their bots alone,
   * or of nobody's. Elsewhere such a role is refused.
   */
  readonly isNarrowed?: true;
  readonly query?: z.ZodObject;
  /** JSON checked by this schema, or the text itself whatever its type. */
  readonly body?: z.ZodType | 'text';
  /** What is no JSON reaches `handle` as the text it is: the gate asks for the grant before it looks at arguments. */
  readonly takesUnreadable?: true;
  /** What it answers where it does not refuse. A field that the schema does not name makes the tests fail. */
  readonly answer: Answer;
  /** Of that answer, where it is not 200. */
  readonly status?: 201 | 202;
  readonly maxBytes?: number;
  /** Bodies that are read and used at one time of one sender; whoever comes beside them is told to come again. */
  readonly mostAtOnce?: number;
  /** Of one sender, whom `admit` names. */
  readonly mostPerMinute?: number;
  /** Of a route that proves its caller by a secret of its own: asked before the body is read. */
  admit?(call: Pick<RouteCall, 'params' | 'headers'>): Promise<Admission>;
  // A method, so that a route typed for its own path and body is still a Route.
  handle(call: RouteCall): Promise<Reply>;
}

/** Whom the call is counted as, or what refuses it, which is counted per address. */
export type Admission = { readonly as: string } | { readonly refused: Reply };

/** JSON of this schema, or else the type of what it sends; `text/event-stream` are events. */
export type Answer = z.ZodType | `${string}/${string}`;
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
      /** Of the browser, where there is one. */
      readonly session?: BrowserSession;
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

export type Reply = JsonReply | TextReply | StreamReply;

interface ReplyHead {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JsonReply<Json = unknown> extends ReplyHead {
  readonly json: Json;
}

export interface TextReply extends ReplyHead {
  /** In parts where it is long: one that fails breaks the answer off, so that nobody takes it for whole. */
  readonly text: string | AsyncIterable<string>;
  readonly type: string;
}

export interface StreamReply extends ReplyHead {
  /** Server-sent events, one per item; `signal` aborts when nobody listens any more. What it refuses at once has its own status. */
  readonly stream: (signal: AbortSignal) => AsyncIterable<object>;
  /** Who listens: only so many streams are open to one at a time. */
  readonly listener: string;
  /** It ends only when nobody listens any more. */
  readonly isEndless?: true;
}

/** A list may also be exported as lines of text. */
type ReplyOf<A extends Answer> = A extends z.ZodType
  ? JsonReply<Sent<z.output<A>>> | TextReply
  : A extends 'text/event-stream'
    ? StreamReply
    : TextReply;

/** As a handler may have it: nobody changes an answer. */
type Sent<T> = T extends object ? { readonly [K in keyof T]: Sent<T[K]> } : T;

/** The segments of a path by name. */
export type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name]: string } & ParamsOf<Rest>
  : unknown;

type CallerOf<Who extends CallerKind> = [Who] extends [never] ? Caller : Extract<Caller, { kind: Who }>;

/** A route whose type says what it takes and answers, for whoever asks it. */
export interface RouteOf<
  M extends Method,
  Path extends `/${string}`,
  Query extends z.ZodObject,
  Body extends z.ZodType | 'text',
  A extends Answer,
> extends Route {
  readonly method: M;
  readonly path: Path;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: A;
}

/** Types a route by its own path, callers and schemas. */
export function defineRoute<
  const M extends Method,
  const Path extends `/${string}`,
  const A extends Answer,
  const Who extends CallerKind = never,
  Query extends z.ZodObject = z.ZodObject,
  const Body extends z.ZodType | 'text' = z.ZodType,
  const R extends ReplyOf<A> = ReplyOf<A>,
>(
  route: Omit<Route, 'method' | 'path' | 'who' | 'query' | 'body' | 'answer' | 'admit' | 'handle'> & {
    readonly method: M;
    readonly path: Path;
    readonly who: readonly Who[];
    readonly query?: Query;
    readonly body?: Body;
    readonly answer: A;
    admit?(call: { readonly params: ParamsOf<Path>; readonly headers: Headers }): Promise<Admission>;
    handle(
      call: RouteCall<ParamsOf<Path>, CallerOf<Who>, z.output<Query>, Body extends z.ZodType ? z.output<Body> : string>,
    ): Promise<R>;
  },
): Path extends unknown ? RouteOf<M, Path, Query, Body, A> : never {
  // The router gives exactly the segments, callers and checked values that the type speaks of.
  return route as never;
}
