/** `/_sim/bulk`: what may happen to bulk jobs, on request. */
import { BadControl, onlyKeys, optionalNumber, optionalText } from '../control/input.ts';
import type { Org } from '../org.ts';
import { changeTroubles, forgetJob, shownJob, troublesOf } from './jobs.ts';

type Body = Readonly<Record<string, unknown>>;

const verbs: Readonly<Record<string, (org: Org, body: Body) => void>> = {
  finish: (org) => changeTroubles(org, { isHurried: true }),
  fail: (org, body) =>
    changeTroubles(org, {
      failAfter: optionalNumber(body.after, 'after') ?? 0,
      failWith: optionalText(body.message, 'message') ?? 'InternalServerError',
    }),
  lock: (org, body) => changeTroubles(org, { locks: optionalNumber(body.rows, 'rows') ?? 1 }),
  forget(org) {
    for (const job of org.facts('bulkJob')) forgetJob(org, job);
  },
  allowance: (org, body) =>
    changeTroubles(org, {
      batches: optionalNumber(body.batches, 'batches') ?? 0,
      queryJobs: optionalNumber(body.queryJobs, 'queryJobs') ?? 0,
    }),
};

export function bulkControl(org: Org, body: Body | undefined): unknown {
  if (body) {
    onlyKeys(body, ['do', 'after', 'message', 'rows', 'batches', 'queryJobs']);
    const verb = typeof body.do === 'string' && Object.hasOwn(verbs, body.do) ? verbs[body.do] : undefined;
    if (!verb) throw new BadControl(`do is one of ${Object.keys(verbs).join(', ')}.`);
    verb(org, body);
  }
  const { batches, queryJobs } = troublesOf(org);
  return { batches, queryJobs, jobs: org.facts('bulkJob').map((job) => shownJob(job, 'read')) };
}
