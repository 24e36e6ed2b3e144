import { z } from 'zod';
import type { Link, LogRow } from '../ports.ts';
import { syncStatus } from '../status.ts';
import { hostId, kindInput, limitInput } from './inputs.ts';
import { namedBot, ok, parse, type RouteDeps, type SyncRoute, scopeOf } from './route.ts';

const logInput = z.strictObject({
  localId: hostId.optional(),
  kind: kindInput.optional(),
  object: z.string().max(80).optional(),
  batch: z.string().max(80).optional(),
  status: z.enum(['success', 'failed', 'pending', 'ambiguous']).optional(),
  direction: z.enum(['to_crm', 'from_crm']).optional(),
  before: z.string().max(80).optional(),
  limit: limitInput.default(100),
  format: z.enum(['json', 'jsonl']).default('json'),
});
const linksInput = z.strictObject({
  kind: kindInput.optional(),
  state: z.enum(['new', 'active', 'ambiguous', 'remote_deleted', 'merged', 'unlinked', 'failed']).optional(),
  localId: hostId.optional(),
  hasProblem: z.literal('true').optional(),
  after: z
    .string()
    .max(400)
    .regex(/^.+\/[\w-]+$/s, 'the `next` of the page before')
    .optional(),
  limit: limitInput.default(100),
});
const linkInput = z.strictObject({
  kind: kindInput,
  localId: hostId,
  recordId: z.string().regex(/^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/, 'a Salesforce Id'),
});
const parentInput = z.strictObject({
  object: z.string().regex(/^[A-Za-z]\w{0,79}$/),
  name: z.string().min(1).max(255),
  recordId: linkInput.shape.recordId,
});
const unlinkInput = linkInput.omit({ recordId: true });
const retryInput = z.union([
  z.strictObject({ kind: kindInput, localIds: z.array(hostId).min(1).max(1_000) }),
  z.strictObject({ failed: z.literal(true), kind: kindInput.optional() }),
]);
const restoreInput = z.strictObject({ field: z.string().max(200).optional() });
const batchInput = z.strictObject({
  kind: kindInput,
  size: z.number().int().min(1).max(10_000).optional(),
  startAt: z.iso.datetime({ offset: true }).optional(),
  only: z.enum(['all', 'failed']).optional(),
});

/** What operators look at and decide: links, log, retries, batches. */
export function deskRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const { sync, store, openOrg, onChange } = deps;
  const { desk, batches } = sync;
  const read = { key: 'operator', permission: 'READ_LOGS' } as const;
  const write = { key: 'operator', permission: 'MANAGE_MAPPINGS' } as const;
  const base = '/api/bots/{bot}/sync';

  const control = (what: 'pause' | 'resume' | 'cancel', summary: string): SyncRoute => ({
    ...write,
    method: 'POST',
    path: `${base}/batches/{id}/${what}`,
    summary,
    async handle(request) {
      const bot = await namedBot(deps, request);
      const status = await batches[what](bot, request.params.id ?? '');
      onChange(bot);
      return ok(status);
    },
  });

  return [
    {
      ...read,
      method: 'GET',
      path: `${base}/logs`,
      query: logInput,
      summary: 'The sync log with before and after, reason, winner and calls; `format=jsonl` exports it.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { format, limit, ...filter } = parse(logInput, request.query);
        const rows = await store.log.find(bot, { ...filter, limit });
        if (format === 'jsonl')
          return {
            status: 200,
            body: rows.map((row) => `${JSON.stringify(toWire(row))}\n`).join(''),
            contentType: 'application/jsonl',
          };
        return ok({ logs: rows.map(toWire), ...(rows.length === limit ? { next: rows.at(-1)?.id } : {}) });
      },
    },
    {
      ...write,
      method: 'POST',
      path: `${base}/logs/{id}/restore`,
      input: restoreInput,
      summary: 'Puts the value that lost a conflict back.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { field } = parse(restoreInput, request.body ?? {});
        const row = await desk.restore(
          bot,
          request.params.id ?? '',
          (kind, id, fields) => sync.hosts.put(bot, kind, [{ id, fields }]),
          field,
        );
        return ok({ restored: true, kind: row.kind, localId: row.localId });
      },
    },
    {
      ...read,
      method: 'GET',
      path: `${base}/status`,
      summary: 'How the sync stands: links by state, what waits, and every problem with its cure.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        // Also of a connection that needs a new login: that is when people look.
        const { orgId } = await deps.connectionStatus(bot);
        return ok(await syncStatus(deps, orgId === undefined ? await scopeOf(deps, bot) : { bot, orgId }));
      },
    },
    {
      ...read,
      method: 'GET',
      path: `${base}/links`,
      query: linksInput,
      summary: 'Links with state and problem.',
      async handle(request) {
        const scope = await scopeOf(deps, await namedBot(deps, request));
        const { limit, kind, after, hasProblem, ...filter } = parse(linksInput, request.query);
        const links = await store.links.list(
          { ...scope, ...definedOnly({ kind }) },
          { limit, ...definedOnly({ ...filter, after: toPlace(after), hasProblem: hasProblem && true }) },
        );
        const last = links.at(-1);
        return ok({
          links: links.map(toWireLink),
          ...(last && links.length === limit ? { next: `${last.localId}/${last.id}` } : {}),
        });
      },
    },
    {
      ...write,
      method: 'POST',
      path: `${base}/links`,
      input: linkInput,
      summary: 'Links a host record to a Salesforce record by hand.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { kind, localId, recordId } = parse(linkInput, request.body);
        const link = await desk.link(bot, await openOrg(bot, request.signal), kind, localId, recordId);
        onChange(bot);
        return ok(toWireLink(link));
      },
    },
    {
      ...write,
      method: 'POST',
      path: `${base}/parents`,
      input: parentInput,
      summary: 'Says which account a company name means.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { object, name, recordId } = parse(parentInput, request.body);
        return ok(toWireLink(await desk.linkParent(bot, await openOrg(bot, request.signal), object, name, recordId)));
      },
    },
    {
      ...write,
      method: 'POST',
      path: `${base}/unlink`,
      input: unlinkInput,
      summary: 'Ends a link; both records stay.',
      async handle(request) {
        const scope = await scopeOf(deps, await namedBot(deps, request));
        const { kind, localId } = parse(unlinkInput, request.body);
        return ok(toWireLink(await desk.unlink(scope.bot, scope.orgId, kind, localId)));
      },
    },
    {
      ...write,
      method: 'POST',
      path: `${base}/retry`,
      input: retryInput,
      summary: 'Tries records again now: the named ones, or all with a problem.',
      async handle(request) {
        const scope = await scopeOf(deps, await namedBot(deps, request));
        const input = parse(retryInput, request.body);
        const count =
          'failed' in input
            ? await desk.retryFailed(scope.bot, scope.orgId, input.kind)
            : await desk.retry(scope.bot, scope.orgId, input.kind, input.localIds);
        onChange(scope.bot);
        return ok({ retried: count });
      },
    },
    {
      ...write,
      method: 'POST',
      path: `${base}/batches`,
      input: batchInput,
      summary: 'Syncs everything of a kind, now or at a time.',
      async handle(request) {
        const scope = await scopeOf(deps, await namedBot(deps, request));
        const { kind, size, startAt, only } = parse(batchInput, request.body);
        const status = await batches.start(scope.bot, scope.orgId, kind, {
          ...definedOnly({ size, only }),
          ...(startAt === undefined ? {} : { startAt: Date.parse(startAt) }),
        });
        onChange(scope.bot);
        return ok(status, 202);
      },
    },
    {
      ...read,
      method: 'GET',
      path: `${base}/batches`,
      summary: 'Batches, newest first.',
      handle: async (request) => ok({ batches: await batches.list(await namedBot(deps, request)) }),
    },
    {
      ...read,
      method: 'GET',
      path: `${base}/batches/{id}`,
      summary: 'One batch and its progress.',
      handle: async (request) => ok(await batches.status(await namedBot(deps, request), request.params.id ?? '')),
    },
    control('pause', 'Stops after the chunk under way.'),
    control('resume', 'Goes on where it stopped.'),
    control('cancel', 'Ends it; what was done stays.'),
  ];
}

function toWire({
  id,
  kind,
  localId,
  object,
  sfId,
  operation,
  direction,
  status,
  changes,
  reason,
  calls,
  error,
  batch,
  at,
}: LogRow): Record<string, unknown> {
  return {
    id,
    kind,
    localId,
    object,
    recordId: sfId,
    operation,
    direction,
    status,
    changes,
    reason,
    calls,
    error,
    batch,
    at: new Date(at).toISOString(),
  };
}

function toWireLink({
  kind,
  localId,
  object,
  sfId,
  state,
  error,
  dirty,
  done,
  nextAt,
  attempts,
  reason,
}: Link): Record<string, unknown> {
  return {
    kind,
    localId,
    object,
    recordId: sfId,
    state,
    problem: error,
    isWaiting: dirty > done,
    attempts,
    reason,
    ...(nextAt > 0 ? { nextTryAt: new Date(nextAt).toISOString() } : {}),
  };
}

/** A company's name may hold a slash; an id holds none. */
function toPlace(after: string | undefined): Pick<Link, 'localId' | 'id'> | undefined {
  if (after === undefined) return undefined;
  const at = after.lastIndexOf('/');
  return { localId: after.slice(0, at), id: after.slice(at + 1) };
}

/** Optional keys that are undefined are left out: the ports take them absent. */
function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The entries that were undefined are gone.
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
