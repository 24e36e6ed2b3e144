import { z } from 'zod';
import { isWithin } from '../../../permissions/catalog.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { OUTCOME_EVENTS, OUTCOME_NAMES, type Outcome, outcomeOf } from '../../domain/decision-outcome.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { momentInput, readSpan } from '../../domain/moment.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';

const HOUR_MS = 3_600_000;
const BUCKETS = { hour: HOUR_MS, day: 24 * HOUR_MS } as const;
const MOST_BUCKETS = 400;
/** Longer times are by the day where nobody says otherwise. */
const BY_HOUR_MS = 3 * BUCKETS.day;

const counts = Object.fromEntries(OUTCOME_NAMES.map((name) => [name, z.int()])) as Record<Outcome, z.ZodInt>; // by their names
const name = z.string().min(1).max(100).optional();

/** What the audit holds, counted; nothing is kept for it but the use of the API by the hour. */
export function chartsRoute({ store, apiUse, now }: HttpDeps) {
  return defineRoute({
    method: 'GET',
    path: '/api/charts',
    summary: 'Calls by outcome, refusals by cause, confirmations and API use over a time; buckets begin at `from`',
    who: ['operator'],
    permission: 'READ_LOGS',
    isNarrowed: true,
    query: z.strictObject({
      from: momentInput.default('24h'),
      to: momentInput.optional(),
      bucket: z.enum(['hour', 'day']).optional(),
      bot: name,
      action: name,
    }),
    answer: z.strictObject({
      from: momentAnswer,
      to: momentAnswer,
      bucket: z.enum(['hour', 'day']),
      buckets: z.array(z.strictObject({ at: momentAnswer, ...counts })),
      refusals: z.array(z.strictObject({ code: z.string(), count: z.int() })),
      waits: z.strictObject({ count: z.int(), medianMs: z.number().nullable() }).describe('Of decisions by people'),
      api: z.array(
        z.strictObject({
          bot: z.string(),
          samples: z.array(z.strictObject({ at: momentAnswer, used: z.int(), max: z.int() })),
        }),
      ),
    }),
    async handle({ caller: { operator }, query: { bot, action, ...asked } }) {
      const { since = 0, until = now() } = readSpan({ since: asked.from, until: asked.to }, now());
      const bucket = asked.bucket ?? (until - since > BY_HOUR_MS ? 'day' : 'hour');
      const bucketMs = BUCKETS[bucket];
      const many = Math.ceil((until - since) / bucketMs);
      if (many < 1 || many > MOST_BUCKETS) throw noSuchTime(many);
      const filter = { bot, bots: operator.bots, action, since, until, after: await store.audit.startOf(since) };
      const [tally, refusals, waits, bots] = await Promise.all([
        store.audit.tally({ ...filter, events: OUTCOME_EVENTS, bucketMs }),
        store.audit.refusals(filter),
        store.audit.waits(filter),
        store.bots.list(),
      ]);
      const shown = bots.filter(({ name }) => (bot === undefined || name === bot) && isWithin(operator, name));
      return {
        json: {
          from: isoTime(since),
          to: isoTime(until),
          bucket,
          buckets: Array.from({ length: many }, (_, at) => ({
            at: isoTime(since + at * bucketMs),
            ...countsOf(tally.filter((row) => row.bucket === at)),
          })),
          refusals,
          waits: { count: waits.length, medianMs: medianOf(waits) },
          api: await Promise.all(
            shown.map(async (one) => ({
              bot: one.name,
              samples: (await apiUse.of(one.name, since, until)).map(({ at, ...use }) => ({ at: isoTime(at), ...use })),
            })),
          ),
        },
      };
    },
  });
}

function countsOf(rows: readonly { readonly event: string; readonly count: number }[]): Record<Outcome, number> {
  const sums = Object.fromEntries(OUTCOME_NAMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>; // by their names
  for (const { event, count } of rows) {
    const outcome = outcomeOf(event);
    if (outcome !== null) sums[outcome] += count;
  }
  return sums;
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

function noSuchTime(many: number): GatehouseError {
  return new GatehouseError('invalid_input', many < 1 ? 'This time ends before it begins.' : 'This time is too long.', {
    next: `Give from and to at most ${MOST_BUCKETS} buckets apart, or bucket=day.`,
    fields: [{ name: 'from', problem: many < 1 ? 'is not before to' : 'lies too far back' }],
  });
}
