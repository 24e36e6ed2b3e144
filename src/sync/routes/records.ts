import { z } from 'zod';
import { inTurns } from '../../domain/breath.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Kind } from '../../domain/mapping.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { HostInput } from '../host/hosts.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { toMessage } from '../webhooks/deliver.ts';
import { boundedRow } from '../webhooks/subscribed-records.ts';
import { caseAnswer, deletedAnswer, messageAnswer, partyAnswer } from './answers.ts';
import { missing, parsePart, type RouteDeps } from './deps.ts';
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
  toWireCase,
} from './inputs.ts';

const pageInput = z.strictObject({ after: z.string().max(128).default(''), limit: limitInput.default(100) });
const feedInput = z.strictObject({ after: z.coerce.number().int().min(0).default(0), limit: limitInput.default(100) });

const nextAnswer = z.string().optional().describe('`after` of the next page');

/** Of a hundred fields each, or as many people: a few milliseconds. */
const RECORDS_A_TURN = 20;

/** The host app's records, and what Salesforce changed in them. */
export function recordRoutes(deps: RouteDeps) {
  const { sync, store } = deps;

  async function read(kind: Kind, bot: string, named: string): Promise<HostRecord> {
    const id = parsePart(hostId, named, 'id');
    const record = await sync.hosts.get(bot, kind, id);
    if (!record) throw missing(kind, id);
    return record;
  }

  async function list(kind: Kind, bot: string, { after, limit }: z.output<typeof pageInput>) {
    const records = await sync.hosts.page(bot, kind, after, limit);
    return {
      live: records.filter((record) => record.deletedAt === null),
      next: records.length === limit ? records.at(-1)?.id : undefined,
    };
  }

  /** The number of the first change after this one where none was found; undefined: there is none yet. */
  async function beyond(bot: string, after: number): Promise<number | undefined> {
    const head = await store.feed.head(bot);
    if (after > head) throw notReached();
    if (after === head) return undefined;
    // Added since, or all of it is gone.
    const [row] = await store.feed.after(bot, after, 1);
    return row?.seq ?? head + 1;
  }

  async function remove(kind: Kind, bot: string, named: string) {
    const id = parsePart(hostId, named, 'id');
    if (!(await sync.hosts.remove(bot, kind, id))) throw missing(kind, id);
    return { json: { deleted: true as const } };
  }

  /** People first: a case that names them finds them. */
  async function putCases(
    bot: string,
    inputs: readonly { readonly caseRecord: HostInput; readonly people: readonly HostInput[] }[],
  ) {
    const people = inputs.flatMap((input) => input.people);
    await sync.hosts.putUnknown(bot, 'party', people);
    const cases = inputs.map((input) => input.caseRecord);
    return sync.hosts.put(bot, 'case', cases);
  }

  return [
    defineRoute({
      method: 'PUT',
      path: '/api/parties/{id}',
      who: ['host'],
      body: partyInput,
      summary: 'Tells about one person. Fields that are not named stay; null clears.',
      answer: partyAnswer,
      async handle({ caller, params, body }) {
        const [record] = await sync.hosts.put(caller.bot, 'party', [toPartyInput(idOf(params.id, body), body)]);
        // One came in.
        return { json: toWire(record!) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/parties/{id}',
      who: ['host'],
      summary: 'One person as we know them.',
      answer: partyAnswer,
      handle: async ({ caller, params }) => ({ json: toWire(await read('party', caller.bot, params.id)) }),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/parties/{id}',
      who: ['host'],
      summary: 'The person is gone at the host; the mapping says what becomes of the contact.',
      answer: deletedAnswer,
      handle: ({ caller, params }) => remove('party', caller.bot, params.id),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/parties',
      who: ['host'],
      query: pageInput,
      summary: 'People, page by page.',
      answer: z.strictObject({ parties: z.array(partyAnswer), next: nextAnswer }),
      async handle({ caller, query }) {
        const { live, next } = await list('party', caller.bot, query);
        return { json: { parties: await inTurns(live, RECORDS_A_TURN, toWire), next } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/parties',
      who: ['host'],
      body: partyListInput,
      summary: 'Tells about up to 1,000 people.',
      answer: z.strictObject({ parties: z.array(partyAnswer) }),
      async handle({ caller, body }) {
        const inputs = await inTurns(body.parties, RECORDS_A_TURN, (party) => toPartyInput(party.externalId, party));
        const records = await sync.hosts.put(caller.bot, 'party', inputs);
        return { json: { parties: await inTurns(records, RECORDS_A_TURN, toWire) } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/cases/{id}',
      who: ['host'],
      body: caseInput,
      summary: 'Tells about one case; people it names and nobody knows are added.',
      answer: caseAnswer,
      async handle({ caller, params, body }) {
        const [record] = await putCases(caller.bot, [toCaseInput(idOf(params.id, body), body)]);
        // One came in.
        return { json: toWireCase(record!) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/cases/{id}',
      who: ['host'],
      summary: 'One case as we know it.',
      answer: caseAnswer,
      handle: async ({ caller, params }) => ({ json: toWireCase(await read('case', caller.bot, params.id)) }),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/cases/{id}',
      who: ['host'],
      summary: 'The case is gone at the host.',
      answer: deletedAnswer,
      handle: ({ caller, params }) => remove('case', caller.bot, params.id),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/cases',
      who: ['host'],
      query: pageInput,
      summary: 'Cases, page by page.',
      answer: z.strictObject({ cases: z.array(caseAnswer), next: nextAnswer }),
      async handle({ caller, query }) {
        const { live, next } = await list('case', caller.bot, query);
        return { json: { cases: await inTurns(live, RECORDS_A_TURN, toWireCase), next } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/cases',
      who: ['host'],
      body: caseListInput,
      summary: 'Tells about up to 1,000 cases.',
      answer: z.strictObject({ cases: z.array(caseAnswer) }),
      async handle({ caller, body }) {
        const inputs = await inTurns(body.cases, RECORDS_A_TURN, (one) => toCaseInput(one.externalId, one));
        const records = await putCases(caller.bot, inputs);
        return { json: { cases: await inTurns(records, RECORDS_A_TURN, toWireCase) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/changes',
      who: ['host'],
      query: feedInput,
      summary: 'What Salesforce changed, after a number, in order.',
      answer: z.strictObject({ changes: z.array(messageAnswer), next: z.int() }),
      async handle({ caller: { bot }, query: { after, limit } }) {
        const rows = await store.feed.after(bot, after, limit);
        const first = rows[0]?.seq ?? (await beyond(bot, after));
        // Who begins anew, at 0, begins with what is there.
        if (after > 0 && first !== undefined && first > after + 1) throw pastKeeping(first - 1);
        const opened = openedBy(await deps.policyOf(bot));
        const changes = rows.map((row) => toMessage(boundedRow(row, opened)));
        return { json: { changes, next: rows.at(-1)?.seq ?? after } };
      },
    }),
  ];
}

function pastKeeping(last: number): GatehouseError {
  const lost = `Changes up to number ${last} are no longer kept.`;
  return new GatehouseError('conflict', lost, {
    next: `Read every person and every case once, page by page, then go on from after=${last}.`,
    fields: [{ name: 'after', problem: `is before ${last}` }],
  });
}

/** A database of before, put back: what it tells from here on has numbers that were given already. */
function notReached(): GatehouseError {
  return new GatehouseError('conflict', 'The feed has not reached this number: it was put back to an earlier state.', {
    next: 'Forget the numbers kept of it, read it from its beginning (after=0), and go on from there.',
    fields: [{ name: 'after', problem: 'is above the last number of the feed' }],
  });
}

function idOf(named: string, { externalId }: { readonly externalId?: string | undefined }): string {
  const id = parsePart(hostId, named, 'id');
  if (externalId === undefined || externalId === id) return id;
  throw new GatehouseError('invalid_input', 'The body is of another record than the path.', {
    next: 'Leave externalId out, or send the record to its own path.',
    fields: [{ name: 'externalId', problem: 'is another id than the path names' }],
  });
}
