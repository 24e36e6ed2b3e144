import type { z } from 'zod';
import type { App } from '../app/app.ts';
import type { errorAnswer } from '../domain/answers.ts';
import type { Answer, Method, ParamsOf, RouteOf } from '../ports/route.ts';
import type { restRoutes } from './routes/rest.ts';

/**
 * Every REST operation as types, made from the routes themselves, in the form that openapi-fetch reads: path, method,
 * parameters, body and answer. Types alone: whoever imports them loads nothing of the server.
 */
export type Paths = {
  [Path in Routes['path']]: {
    [R in Extract<Routes, { readonly path: Path }> as Lowercase<R['method']>]: OperationOf<R>;
  };
};

type Routes = ReturnType<typeof restRoutes>[number] | Awaited<ReturnType<App['sync']>>['routes'][number];

type OperationOf<R> =
  R extends RouteOf<Method, infer Path, infer Query, infer Body, infer A>
    ? {
        readonly parameters: Part<'path', PathOf<Path>> & Part<'query', QueryOf<Query>>;
        readonly responses: {
          readonly 200: ContentOf<A>;
          readonly default: JsonContent<z.output<typeof errorAnswer>>;
        };
      } & RequestOf<Body>
    : never;

/** Left out where there is nothing to say, and where nothing must be said. */
type Part<Name extends string, T> = [T] extends [never]
  ? { readonly [K in Name]?: never }
  : [Record<never, never>] extends [T]
    ? { readonly [K in Name]?: T }
    : { readonly [K in Name]: T };

type PathOf<Path extends string> = unknown extends ParamsOf<Path> ? never : ParamsOf<Path>;

type ContentOf<A extends Answer> = A extends z.ZodType
  ? JsonContent<z.output<A>>
  : { readonly content: { readonly [Type in A & string]: string } };

type RequestOf<Body extends z.ZodType | 'text'> = z.ZodType extends Body
  ? { readonly requestBody?: never }
  : Body extends z.ZodType
    ? [Record<never, never>] extends [z.input<Body>]
      ? { readonly requestBody?: JsonContent<z.input<Body>> }
      : { readonly requestBody: JsonContent<z.input<Body>> }
    : { readonly requestBody: { readonly content: { readonly 'text/xml': string } } };

interface JsonContent<T> {
  readonly content: { readonly 'application/json': T };
}

/** What stands in an address is text, and read as what the schema makes of it. */
type QueryOf<Query extends z.ZodObject> = z.ZodObject extends Query
  ? never
  : {
      readonly [K in keyof z.input<Query> as undefined extends z.input<Query>[K] ? never : K]: ValueOf<Query, K>;
    } & {
      readonly [K in keyof z.input<Query> as undefined extends z.input<Query>[K] ? K : never]?: ValueOf<Query, K>;
    };

type ValueOf<Query extends z.ZodObject, K extends keyof z.input<Query>> = unknown extends z.input<Query>[K]
  ? z.output<Query>[K & keyof z.output<Query>]
  : z.input<Query>[K];
