import { z } from 'zod';
import { GatehouseError } from '../../domain/errors.ts';
import type { Kind } from '../../domain/mapping.ts';
import type { HostInput } from '../host/hosts.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { toMessage } from '../webhooks/deliver.ts';
import { boundedRow } from '../webhooks/told.ts';
import {
  caseInput,
  caseListInput,
  hostId,
  limitInput,
  partyInput,
  partyListInput,
  toCaseInput,
  toPartyInput,
  toWire,
} from './inputs.ts';
import { missing, ok, parse, type RouteAnswer, type RouteDeps, type RouteRequest, type SyncRoute } from './route.ts';

/** The host app's records, and what Salesforce changed in them. */
export function recordRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const { sync, store } = deps;
  const pageInput = z.strictObject({ after: z.string().max(128).default(''), limit: limitInput.default(100) });
  const feedInput = z.strictObject({
    after: z.coerce.number().int().min(0).default(0),
    limit: limitInput.default(100),
  });

  async function read(kind: Kind, { bot, params }: RouteRequest): Promise<RouteAnswer> {
    const id = parse(hostId, params.id, 'id');
    const record = await sync.hosts.get(bot, kind, id);
    if (!record) throw missing(kind, id);
    return ok(toWire(record));
  }

  async function list(kind: Kind, { bot, query }: RouteRequest): Promise<RouteAnswer> {
    const { after, limit } = parse(pageInput, query);
    const records = await sync.hosts.page(bot, kind, after, limit);
    const next = records.length === limit ? records.at(-1)?.id : undefined;
    const live = records.filter((record) => record.deletedAt === null).map(toWire);
    return ok({ [kind === 'party' ? 'parties' : 'cases']: live, ...(next === undefined ? {} : { next }) });
  }

  async function remove(kind: Kind, { bot, params }: RouteRequest): Promise<RouteAnswer> {
    const id = parse(hostId, params.id, 'id');
    if (!(await sync.hosts.remove(bot, kind, id))) throw missing(kind, id);
    return ok({ deleted: true });
  }

  /** People first: a case that names them finds them. */
  async function putCases(
    bot: string,
    inputs: readonly { readonly matter: HostInput; readonly people: readonly HostInput[] }[],
  ) {
    await sync.hosts.putUnknown(
      bot,
      'party',
      inputs.flatMap((input) => input.people),
    );
    return sync.hosts.put(
      bot,
      'case',
      inputs.map((input) => input.matter),
    );
  }

  return [
    {
      method: 'PUT',
      path: '/api/parties/{id}',
      key: 'host',
      input: partyInput,
      summary: 'Tells about one person. Fields that are not named stay; null clears.',
      async handle({ bot, params, body }) {
        const input = parse(partyInput, body);
        const [record] = await sync.hosts.put(bot, 'party', [toPartyInput(idOf(params, input), input)]);
        return ok(record && toWire(record));
      },
    },
    {
      method: 'GET',
      path: '/api/parties/{id}',
      key: 'host',
      summary: 'One person as we know them.',
      handle: (request) => read('party', request),
    },
    {
      method: 'DELETE',
      path: '/api/parties/{id}',
      key: 'host',
      summary: 'The person is gone at the host; the mapping says what becomes of the contact.',
      handle: (request) => remove('party', request),
    },
    {
      method: 'GET',
      path: '/api/parties',
      key: 'host',
      query: pageInput,
      summary: 'People, page by page.',
      handle: (request) => list('party', request),
    },
    {
      method: 'PUT',
      path: '/api/parties',
      key: 'host',
      input: partyListInput,
      summary: 'Tells about up to 1,000 people.',
      async handle({ bot, body }) {
        const { parties } = parse(partyListInput, body);
        return ok({
          parties: (
            await sync.hosts.put(
              bot,
              'party',
              parties.map((party) => toPartyInput(party.externalId, party)),
            )
          ).map(toWire),
        });
      },
    },
    {
      method: 'PUT',
      path: '/api/cases/{id}',
      key: 'host',
      input: caseInput,
      summary: 'Tells about one case; people it names and nobody knows are added.',
      async handle({ bot, params, body }) {
        const input = parse(caseInput, body);
        const [record] = await putCases(bot, [toCaseInput(idOf(params, input), input)]);
        return ok(record && toWire(record));
      },
    },
    {
      method: 'GET',
      path: '/api/cases/{id}',
      key: 'host',
      summary: 'One case as we know it.',
      handle: (request) => read('case', request),
    },
    {
      method: 'DELETE',
      path: '/api/cases/{id}',
      key: 'host',
      summary: 'The case is gone at the host.',
      handle: (request) => remove('case', request),
    },
    {
      method: 'GET',
      path: '/api/cases',
      key: 'host',
      query: pageInput,
      summary: 'Cases, page by page.',
      handle: (request) => list('case', request),
    },
    {
      method: 'PUT',
      path: '/api/cases',
      key: 'host',
      input: caseListInput,
      summary: 'Tells about up to 1,000 cases.',
      async handle({ bot, body }) {
        const { cases } = parse(caseListInput, body);
        return ok({
          cases: (
            await putCases(
              bot,
              cases.map((matter) => toCaseInput(matter.externalId, matter)),
            )
          ).map(toWire),
        });
      },
    },
    {
      method: 'GET',
      path: '/api/changes',
      key: 'host',
      query: feedInput,
      summary: 'What Salesforce changed, after a number, in order.',
      async handle({ bot, query }) {
        const { after, limit } = parse(feedInput, query);
        const rows = await store.feed.after(bot, after, limit);
        const opened = openedBy(await deps.policyOf(bot));
        return ok({ changes: rows.map((row) => toMessage(boundedRow(row, opened))), next: rows.at(-1)?.seq ?? after });
      },
    },
  ];
}

function idOf(params: RouteRequest['params'], { externalId }: { readonly externalId?: string | undefined }): string {
  const id = parse(hostId, params.id, 'id');
  if (externalId === undefined || externalId === id) return id;
  throw new GatehouseError('invalid_input', 'The body is of another record than the path.', {
    next: 'Leave externalId out, or send the record to its own path.',
    fields: [{ name: 'externalId', problem: 'is another id than the path names' }],
  });
}
