/** The API allowance: a rolling day, one count for all users. */

import { troublesOf } from '../bulk/jobs.ts';
import { deliveredToday, liveClients } from '../events/bus.ts';
import type { Usage } from '../facts.ts';
import type { Org } from '../org.ts';
import type { Schema } from '../schema/object.ts';
import { otherLimits } from './limit-figures.ts';

const dayMs = 24 * 60 * 60 * 1000;

export function usageOf(org: Org): Usage {
  const usage = org.fact('usage', 'org') ?? { since: org.now(), used: 0, apiCalls: 0, oauthCalls: 0 };
  return org.now() - usage.since >= dayMs ? { ...usage, since: org.now(), used: 0 } : usage;
}

export function countCall(org: Org, kind: 'api' | 'oauth', isCharged: boolean): Usage {
  const usage = usageOf(org);
  const next: Usage = {
    ...usage,
    used: usage.used + (isCharged ? 1 : 0),
    apiCalls: usage.apiCalls + (kind === 'api' ? 1 : 0),
    oauthCalls: usage.oauthCalls + (kind === 'oauth' ? 1 : 0),
  };
  org.keep('usage', 'org', next);
  return next;
}

/** The header counts the call that it answers, which is written down only afterwards. */
export function limitInfo(org: Org): string {
  const { apiMax } = org.settings;
  return `api-usage=${Math.min(usageOf(org).used + 1, apiMax)}/${apiMax}`;
}

export function limits(org: Org): unknown {
  const max = org.settings.apiMax;
  const rest = Object.entries(otherLimits).map(([name, Max]) => [name, { Max, Remaining: Max }]);
  const all = {
    DailyApiRequests: { Max: max, Remaining: Math.max(0, max - usageOf(org).used) },
    PermissionSets: { Max: 1500, Remaining: 1498, CreateCustom: { Max: 1000, Remaining: 998 } },
    ...Object.fromEntries(rest),
    DailyDeliveredPlatformEvents: left(org.settings.deliveries, deliveredToday(org)),
    DailyBulkApiBatches: left(org.settings.bulkBatches, troublesOf(org).batches),
    DailyBulkV2QueryJobs: left(10_000, troublesOf(org).queryJobs),
    StreamingApiConcurrentClients: left(org.settings.cometdClients, liveClients(org).length),
  };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function left(Max: number, used: number): { Max: number; Remaining: number } {
  return { Max, Remaining: Math.max(0, Max - used) };
}

export function recordCounts(org: Org, schema: Schema, asked: readonly string[]): unknown {
  const wanted = asked.map((name) => name.trim().toLowerCase()).filter(Boolean);
  const objects = schema.objects.filter(({ name }) => wanted.length === 0 || wanted.includes(name.toLowerCase()));
  const counted = objects.map(({ name }) => ({
    count: [...org.table(name).all()].filter((row) => !row.IsDeleted).length,
    name,
  }));
  return { sObjects: counted };
}
