import { z } from 'zod';
import { GatehouseError, StillUnderWay } from '../../domain/errors.ts';
import { type Link, problemKind } from '../../domain/link.ts';
import { maskedCandidate, maskedProblem, maskedText } from '../../domain/masked.ts';
import { defineRoute } from '../../ports/route.ts';
import { type SyncStatus, syncStatus } from '../jobs/status.ts';
import { linkAnswer, statusAnswer } from './answers.ts';
import { by, type HostDeed, noteOf, type RouteDeps, scopeOf } from './deps.ts';
import { definedOnly, hostId, kindInput, limitInput } from './inputs.ts';
import { seesValues } from './values.ts';

/** `kind` of a problem in the status. */
const problemInput = z.string().regex(/^[0-9a-f]{16}$/, 'the `kind` of a problem in the status');
const linksInput = z.strictObject({
  kind: kindInput.optional(),
  state: z.enum(['new', 'active', 'ambiguous', 'remote_deleted', 'merged', 'unlinked', 'failed']).optional(),
  localId: hostId.optional(),
  hasProblem: z.literal('true').optional(),
  problem: problemInput.optional(),
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
const parentOf = {
  object: z.string().regex(/^[A-Za-z]\w{0,79}$/),
  name: z.string().min(1).max(255),
};
const parentInput = z.union(
  [
    z.strictObject({ ...parentOf, recordId: linkInput.shape.recordId }),
    z.strictObject({ ...parentOf, create: z.literal(true) }),
    z.strictObject({ ...parentOf, leaveOut: z.literal(true) }),
  ],
  { error: '{"object", "name"} with "recordId", "create": true or "leaveOut": true' },
);
const takingInput = linkInput.extend({
  insteadOf: hostId.optional().describe('Whose record it was so far: that one is unlinked'),
});
const unlinkInput = linkInput.omit({ recordId: true });
const retryInput = z.union(
  [
    z.strictObject({ kind: kindInput, localIds: z.array(hostId).min(1).max(1_000) }),
    z.strictObject({ failed: z.literal(true), kind: kindInput.optional(), problem: problemInput.optional() }),
  ],
  { error: 'either {"kind", "localIds"}, or {"failed": true} with or without "kind" and "problem"' },
);

/** How the sync stands, and what a human decides about single records. */
export function linkRoutes(deps: RouteDeps) {
  const {
    sync: { manualLinks },
    store,
    openOrg,
    onChange,
    requireBot,
    audit,
  } = deps;
  const read = { who: ['operator'], permission: 'READ_LOGS' } as const;
  const write = { who: ['operator'], permission: 'MANAGE_MAPPINGS' } as const;
  const base = '/api/bots/{bot}/sync';
  const note = (
    caller: Parameters<typeof by>[0],
    bot: string,
    event: string,
    object: string,
    recordId: string | null,
    detail: HostDeed['detail'],
  ) => audit({ ...by(caller), bot, action: 'salesforce-link', event, object, recordId, detail });

  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: `${base}/status`,
      summary: 'How the sync stands: links by state, what waits, and every problem with its cure.',
      answer: statusAnswer,
      async handle({ params, caller }) {
        const bot = await requireBot(params.bot);
        // Also of a connection that needs a new login: that is when people look.
        const { orgId } = await deps.connectionStatus(bot);
        const scope = orgId === undefined ? await scopeOf(deps, bot) : { bot, orgId };
        const found = await syncStatus(deps, scope);
        const status = { ...found, problems: [...(await deps.problemsAround(bot)), ...found.problems] };
        return { json: seesValues(caller) ? status : maskedStatus(status) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: `${base}/links`,
      query: linksInput,
      summary: 'Links with state and problem.',
      answer: z.strictObject({ links: z.array(linkAnswer), next: z.string().optional() }),
      async handle({ params, query: { limit, kind, after, hasProblem, problem, ...filter }, caller }) {
        const scope = await scopeOf(deps, await requireBot(params.bot));
        const links = await store.links.list(
          { ...scope, ...definedOnly({ kind }) },
          {
            limit,
            ...definedOnly({
              ...filter,
              after: toPlace(after),
              hasProblem: hasProblem !== undefined || problem !== undefined ? true : undefined,
            }),
          },
        );
        const last = links.at(-1);
        const next = last && links.length === limit ? { next: `${last.localId}/${last.id}` } : {};
        const meant = links.filter(({ error }) => problem === undefined || (error && problemKind(error) === problem));
        return { json: { links: meant.map((link) => shownLink(link, caller)), ...next } };
      },
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: `${base}/links`,
      body: takingInput,
      summary: 'Links a host record to a Salesforce record by hand, also in place of another one.',
      answer: linkAnswer,
      async handle({ params, caller, body: { kind, localId, recordId, insteadOf }, signal }) {
        const bot = await requireBot(params.bot);
        const link = await manualLinks.link(bot, await openOrg(bot, signal), kind, localId, recordId, { insteadOf });
        const detail = { kind, id: localId, ...definedOnly({ insteadOf }) };
        await note(caller, bot, 'linked', link.object, link.sfId, detail);
        onChange(bot);
        return { json: toWireLink(link) };
      },
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: `${base}/parents`,
      body: parentInput,
      summary: 'Says which account a company name means: one that is there, a new one, or none.',
      answer: linkAnswer,
      async handle({ params, caller, body: { object, name, ...rest }, signal }) {
        const bot = await requireBot(params.bot);
        const choice = 'recordId' in rest ? { recordId: rest.recordId } : 'create' in rest ? 'create' : 'leave out';
        const noted = (event: string, recordId: string | null, detail: object = {}) =>
          note(caller, bot, event, object, recordId, { kind: 'parent', ...detail });
        const org = await openOrg(bot, signal);
        let isSent = false;
        const permitted = async () => {
          await noted('permitted', null);
          isSent = true;
        };
        const link = await manualLinks
          .linkParent(bot, org, object, name, choice, permitted)
          .catch(async (error: unknown) => {
            const event = error instanceof StillUnderWay ? 'unknown' : 'refused';
            await noted(event, null, { code: error instanceof GatehouseError ? error.code : 'internal' });
            throw error;
          });
        await noted(isSent ? 'created' : link.sfId === null ? 'unlinked' : 'linked', link.sfId);
        onChange(bot);
        return { json: toWireLink(link) };
      },
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: `${base}/unlink`,
      body: unlinkInput,
      summary: 'Ends a link; both records stay.',
      answer: linkAnswer,
      async handle({ params, caller, body: { kind, localId } }) {
        const { bot, orgId } = await scopeOf(deps, await requireBot(params.bot));
        const link = await manualLinks.unlink(bot, orgId, kind, localId);
        await note(caller, bot, 'unlinked', link.object, null, { kind, id: localId });
        return { json: toWireLink(link) };
      },
    }),
    defineRoute({
      ...write,
      method: 'POST',
      path: `${base}/retry`,
      body: retryInput,
      summary: 'Tries records again now: the named ones, or all with a problem.',
      answer: z.strictObject({ retried: z.int() }),
      async handle({ params, caller, body }) {
        const scope = await scopeOf(deps, await requireBot(params.bot));
        const retried =
          'failed' in body
            ? await manualLinks.retryFailed(scope.bot, scope.orgId, body.kind, body.problem)
            : await manualLinks.retry(scope.bot, scope.orgId, body.kind, body.localIds);
        const { localIds, ...asked } = 'failed' in body ? { ...body, localIds: undefined } : body;
        await noteOf(deps)(caller, scope.bot, 'retried', {
          ...asked,
          ...(localIds ? { ids: localIds.slice(0, 20) } : {}),
          retried,
        });
        onChange(scope.bot);
        return { json: { retried } };
      },
    }),
  ];
}

/** A link as this operator may see it. */
export function shownLink(link: Link, caller: Parameters<typeof seesValues>[0]) {
  const shown = toWireLink(link);
  if (seesValues(caller)) return shown;
  const { problem, waitsFor } = shown;
  return {
    ...shown,
    reason: maskedText(shown.reason),
    problem: problem && maskedProblem(problem),
    ...(waitsFor
      ? {
          waitsFor: waitsFor.map((one) => ({
            ...one,
            name: maskedText(`"${one.name}"`),
            message: maskedText(one.message),
          })),
        }
      : {}),
  };
}

function maskedStatus({ problems, ...status }: SyncStatus): SyncStatus {
  return {
    ...status,
    problems: problems.map(({ quote: _, company: __, examples, message, next, ...problem }) => ({
      ...problem,
      message: maskedText(message),
      next: maskedText(next),
      examples: examples.map(({ candidates, ...one }) => ({
        ...one,
        ...(candidates ? { candidates: candidates.map(maskedCandidate) } : {}),
      })),
    })),
  };
}

export function toWireLink({
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
  waitsFor,
}: Link) {
  const isWaiting = state !== 'unlinked' && dirty > done;
  return {
    kind,
    localId,
    object,
    recordId: sfId,
    state,
    problem: error,
    ...(waitsFor ? { waitsFor } : {}),
    isWaiting,
    attempts,
    reason,
    ...(isWaiting && nextAt > 0 ? { nextTryAt: new Date(nextAt).toISOString() } : {}),
  };
}

/** A company's name may hold a slash; an id holds none. */
function toPlace(after: string | undefined): Pick<Link, 'localId' | 'id'> | undefined {
  if (after === undefined) return undefined;
  const at = after.lastIndexOf('/');
  return { localId: after.slice(0, at), id: after.slice(at + 1) };
}
