import { z } from 'zod';
import { holds, isWithin, type Rights } from '../../../permissions/catalog.ts';
import { kindAnswer, momentAnswer } from '../../domain/answers.ts';
import type { Proposal } from '../../domain/proposal.ts';
import { toId18 } from '../../domain/salesforce-id.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { createRateLimit } from '../rate-limit.ts';
import { setter } from './by-operator.ts';

const MOST_BOTS = 200;
const MOST_SHOWN = 10;
const MOST_WAITING = 1_000;

const bot = z.string();
const hit = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('bot'), bot }),
  z.strictObject({ what: z.literal('proposal'), id: z.string(), bot, action: z.string(), state: z.string() }),
  z.strictObject({ what: z.literal('entry'), seq: z.int(), bot: bot.nullable(), action: z.string(), at: momentAnswer }),
  z.strictObject({ what: z.literal('entries'), recordId: z.string() }).describe('The log knows this Salesforce record'),
  z.strictObject({
    what: z.literal('record'),
    bot,
    kind: kindAnswer,
    localId: z.string(),
    object: z.string(),
    recordId: z.string().nullable(),
    label: z.string().optional().describe('What people call it; for READ_VALUES alone'),
  }),
]);

/** One question over everything that is kept here. The words are no part of an address: they may name a person. */
export function searchRoute(deps: HttpDeps) {
  const { store, now } = deps;
  const limit = createRateLimit({ most: 60, windowMs: 60_000, now });
  return defineRoute({
    method: 'POST',
    path: '/api/search',
    summary:
      'Bots by name, proposals by id, log entries by number, records by the host’s or Salesforce’s id; for READ_VALUES also people and cases by words, which is an audit row',
    who: ['operator'],
    permission: 'READ_LOGS',
    isNarrowed: true,
    body: z.strictObject({ q: z.string().trim().min(1).max(200) }),
    answer: z.strictObject({
      hits: z.array(hit),
      byWords: z.boolean().describe('Values of people and cases were looked through too'),
    }),
    async handle({ caller, body: { q } }) {
      limit.consume(caller.principal);
      const { operator } = caller;
      const named = (await store.bots.list()).map(({ name }) => name).filter((name) => isWithin(operator, name));
      const id18 = toId18(q);
      const sfId = 'id' in id18 ? id18.id : undefined;
      // One letter stands in every record.
      const seesValues = holds(operator, 'READ_VALUES') && q.length >= 2;
      const search = { words: q, sfId, seesValues };
      const [proposals, entries, records] = await Promise.all([
        proposalsFor(deps, q, sfId, operator),
        entriesFor(deps, q, sfId, operator),
        deps.findRecords(named.slice(0, MOST_BOTS), search),
      ]);
      if (seesValues)
        await deps.audit.record({
          ...setter(caller),
          action: 'search',
          event: 'searched',
          detail: { found: records.length },
        });
      const bots = named.filter((name) => name.toLowerCase().includes(q.toLowerCase())).slice(0, MOST_SHOWN);
      return {
        json: {
          hits: [
            ...bots.map((name) => ({ what: 'bot' as const, bot: name })),
            ...proposals.map(({ id, bot: of, action, state }) => ({
              what: 'proposal' as const,
              id,
              bot: of,
              action,
              state,
            })),
            ...entries,
            ...records.map((record) => ({ what: 'record' as const, ...record })),
          ],
          byWords: seesValues,
        },
      };
    },
  });
}

/** By its id, or what waits about a record. */
async function proposalsFor(
  { store }: HttpDeps,
  q: string,
  sfId: string | undefined,
  rights: Rights,
): Promise<readonly Proposal[]> {
  const byId = /^[0-9a-f]{32}$/i.test(q) ? await store.proposals.get(q.toLowerCase()) : undefined;
  if (byId !== undefined || sfId === undefined) return byId !== undefined && isWithin(rights, byId.bot) ? [byId] : [];
  const open = await store.proposals.list({ isOpen: true, bots: rights.bots, limit: MOST_WAITING });
  return open.filter(({ preview }) => preview?.target?.id === sfId).slice(0, MOST_SHOWN);
}

async function entriesFor({ store }: HttpDeps, q: string, sfId: string | undefined, rights: Rights) {
  const seq = /^#?([1-9]\d{0,14})$/.exec(q)?.[1];
  const row = seq === undefined ? undefined : await store.audit.get(Number(seq));
  const known = sfId === undefined ? [] : await store.audit.find({ recordId: sfId, bots: rights.bots, limit: 1 });
  return [
    ...(row === undefined || !isWithin(rights, row.bot)
      ? []
      : [{ what: 'entry' as const, seq: row.seq, bot: row.bot, action: row.action, at: isoTime(row.at) }]),
    ...known.map(() => ({ what: 'entries' as const, recordId: sfId ?? '' })),
  ];
}
