import type { z } from 'zod';
import { batchRoutes } from './batches.ts';
import { crmRoutes } from './crm.ts';
import { eventRoutes } from './events.ts';
import { linkRoutes } from './links.ts';
import { logRoutes } from './logs.ts';
import { mappingRoutes } from './mappings.ts';
import { recordRoutes } from './records.ts';
import type { RouteAnswer, RouteDeps, SyncRoute } from './route.ts';

/** Every HTTP route of the sync. Nothing here knows a server. */
export function syncRoutes(deps: RouteDeps): readonly SyncRoute[] {
  return [
    ...recordRoutes(deps),
    ...crmRoutes(deps),
    ...logRoutes(deps),
    ...linkRoutes(deps),
    ...batchRoutes(deps),
    ...mappingRoutes(deps),
    ...eventRoutes(deps),
  ];
}

/** The same data in the form that the HTTP door takes from other rooms. */
export interface MountedRoute extends Pick<SyncRoute, 'method' | 'path' | 'summary' | 'permission' | 'query'> {
  readonly who: readonly ('host' | 'operator')[];
  readonly body?: z.ZodType | 'text';
  readonly maxBytes?: number;
  readonly mostAtOnce?: number;
  admit?(call: { readonly params: Readonly<Record<string, string>> }): Promise<MountedReply | undefined>;
  handle(call: {
    readonly params: Readonly<Record<string, string>>;
    readonly caller: { readonly principal: string; readonly bot?: string };
    readonly query: unknown;
    readonly body: unknown;
    readonly signal: AbortSignal;
  }): Promise<MountedReply>;
}

type MountedReply = { status: number } & ({ json: unknown } | { text: string | AsyncIterable<string>; type: string });

/** An outbound message of 100 notifications with long texts stays below this; so does a list of 1,000 records. */
const MOST_BYTES = 5_000_000;
/** Outbound messages that are read at one time; Salesforce sends again what is told to wait. */
const MOST_MESSAGES = 4;

export function mount(routes: readonly SyncRoute[]): readonly MountedRoute[] {
  return routes.map(({ key, input, handle, admit, ...route }) => ({
    ...route,
    who: key === 'webhook' ? [] : [key],
    maxBytes: MOST_BYTES,
    ...(key === 'webhook' ? { body: 'text' as const, mostAtOnce: MOST_MESSAGES } : input ? { body: input } : {}),
    ...(admit
      ? {
          async admit(call: { readonly params: Readonly<Record<string, string>> }) {
            const answer = await admit(call);
            return answer && toReply(answer);
          },
        }
      : {}),
    async handle({ params, caller, query, body, signal }) {
      const answer = await handle({
        bot: caller.bot ?? '',
        params,
        query,
        body,
        text: typeof body === 'string' ? body : '',
        principal: caller.principal,
        signal,
      });
      return toReply(answer);
    },
  }));
}

function toReply(answer: RouteAnswer): MountedReply {
  const { status } = answer;
  return answer.contentType === undefined
    ? { status, json: answer.body }
    : { status, text: answer.body, type: answer.contentType };
}
