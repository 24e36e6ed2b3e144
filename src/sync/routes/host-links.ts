import { z } from 'zod';
import { candidateAnswer, momentAnswer, problemAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { Kind } from '../../domain/mapping.ts';
import { type Caller, defineRoute } from '../../ports/route.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { mappingOf, openTarget } from '../remote/target.ts';
import { linkAnswer } from './answers.ts';
import { missing, parsePart, type RouteDeps, scopeOf } from './deps.ts';
import { hostId } from './inputs.ts';

/** Whom the host app acts for: a word for the log and the audit, which nobody is asked to prove. */
const user = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u, 'a name or id on one line');
const linkInput = z.strictObject({
  recordId: z.string().regex(/^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/, 'a Salesforce Id'),
  user,
});
const unlinkInput = z.strictObject({ user });

const hostLinkAnswer = linkAnswer
  .pick({ object: true, recordId: true, state: true, isWaiting: true })
  .extend({
    url: z.string().optional(),
    problem: problemAnswer.pick({ code: true, message: true, next: true }).nullable(),
    candidates: z.array(candidateAnswer.extend({ url: z.string().optional() })).optional(),
    lastSyncAt: momentAnswer.optional(),
  })
  .meta({ id: 'HostLink' });

interface Asked {
  readonly caller: Extract<Caller, { kind: 'host' }>;
  readonly params: { readonly id: string };
  readonly signal: AbortSignal;
}

/** What a host app shows and decides on its own page of a person or case (V4). An operator can close it for a bot. */
export function hostLinkRoutes(deps: RouteDeps) {
  return [
    ...routesOf(deps, 'party', '/api/parties/{id}/salesforce'),
    ...routesOf(deps, 'case', '/api/cases/{id}/salesforce'),
  ];
}

function routesOf(deps: RouteDeps, kind: Kind, path: `/api/${'parties' | 'cases'}/{id}/salesforce`) {
  const { sync, openOrg, onChange, policyOf, audit } = deps;
  const what = kind === 'party' ? 'person' : 'case';

  async function allowed({ caller: { bot }, params }: Asked): Promise<string> {
    const id = parsePart(hostId, params.id, 'id');
    if ((await policyOf(bot))?.host?.links === false)
      throw new GatehouseError('off', 'The host app may not see or set Salesforce records for this bot.', {
        next: 'An operator can open it (host.links in the policy), or do it there: gatehouse link.',
      });
    return id;
  }

  async function open(call: Asked): Promise<string> {
    const id = await allowed(call);
    if (!(await sync.hosts.get(call.caller.bot, kind, id))) throw missing(kind, id);
    return id;
  }

  const show = async ({ caller, signal }: Asked, id: string) => ({
    json: await linkOf(deps, caller.bot, kind, id, signal),
  });

  return [
    defineRoute({
      method: 'GET',
      path,
      who: ['host'],
      summary: `Which Salesforce record a ${what} is linked to, and how that stands.`,
      answer: hostLinkAnswer,
      handle: async (call) => show(call, await open(call)),
    }),
    defineRoute({
      method: 'PUT',
      path,
      who: ['host'],
      body: linkInput,
      summary: `Links a ${what} to a Salesforce record, for a user whom the host app names; one that was told as found is made by it.`,
      answer: hostLinkAnswer,
      async handle(call) {
        const { bot, principal } = call.caller;
        const { recordId, user } = call.body;
        const id = await allowed(call);
        const org = await openOrg(bot, call.signal);
        const { refusal } = await openTarget(deps, bot, org, kind);
        if (refusal) throw refusal;
        const by = { principal, user };
        const link = (await sync.hosts.get(bot, kind, id))
          ? await sync.manualLinks.link(bot, org, kind, id, recordId, { by })
          : await sync.adopt({ bot, org, kind, localId: id, recordId, by });
        await audit({
          bot,
          principal,
          action: 'salesforce-link',
          event: 'linked',
          object: link.object,
          recordId: link.sfId,
          detail: { kind, id, user },
        });
        onChange(bot);
        return show(call, id);
      },
    }),
    defineRoute({
      method: 'DELETE',
      path,
      who: ['host'],
      query: unlinkInput,
      summary: `Ends the link of a ${what}, for a user whom the host app names (?user=); both records stay.`,
      answer: hostLinkAnswer,
      async handle(call) {
        const { bot, principal } = call.caller;
        const { user } = call.query;
        const id = await open(call);
        const { orgId } = await scopeOf(deps, bot);
        const before = await findLink(deps, { bot, orgId }, kind, id);
        const link = await sync.manualLinks.unlink(bot, orgId, kind, id, { principal, user });
        await audit({
          bot,
          principal,
          action: 'salesforce-link',
          event: 'unlinked',
          object: link.object,
          recordId: before?.sfId ?? null,
          detail: { kind, id, user },
        });
        return show(call, id);
      },
    }),
  ];
}

async function findLink({ store }: RouteDeps, scope: { bot: string; orgId: string }, kind: Kind, id: string) {
  const { object } = await mappingOf(store, scope.bot, kind);
  const [link] = await store.links.byLocal(scope, object, [id]);
  return link;
}

async function linkOf(deps: RouteDeps, bot: string, kind: Kind, id: string, signal: AbortSignal) {
  const scope = await scopeOf(deps, bot);
  const link = await findLink(deps, scope, kind, id);
  const [last] = await deps.store.log.find(bot, { localId: id, kind, status: 'success', limit: 1 });
  // One that needs a new login has links all the same, and no addresses.
  const org = await deps.openOrg(bot, signal).catch(() => undefined);
  const urlOf = (recordId: string) => (org === undefined ? {} : { url: org.recordUrl(recordId) });
  const { lookup, ...mapping } = await mappingOf(deps.store, bot, kind);
  const { object } = link ?? mapping;
  // Kept since they were found: what policy closed meanwhile is not told from there.
  const { isOpen } = openedBy(await deps.policyOf(bot));
  const isNamed = isOpen(object, 'Name');
  const isHidden = lookup !== null && !isOpen(object, lookup.remote);
  const candidates = isHidden
    ? undefined
    : link?.error?.candidates?.map(({ id, ...known }) => ({
        id,
        ...(isNamed ? known : { name: id }),
        ...urlOf(id),
      }));
  return {
    object,
    recordId: link?.sfId ?? null,
    ...(link?.sfId ? urlOf(link.sfId) : {}),
    state: link?.state ?? 'new',
    isWaiting: link === undefined || isWaiting(link),
    problem: problemOf(link),
    candidates,
    ...(last === undefined ? {} : { lastSyncAt: new Date(last.at).toISOString() }),
  };
}

const isWaiting = ({ state, dirty, done }: Link): boolean => state !== 'unlinked' && dirty > done;

function problemOf(link: Link | undefined) {
  if (!link?.error) return null;
  const { code, message, next } = link.error;
  return { code, message, next };
}
