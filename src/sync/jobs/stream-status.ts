import type { Stream } from '../../ports/streams.ts';
import type { SyncProblem } from './problem.ts';

/** How one channel of the org's event stream stands. */
export interface StreamStatus {
  readonly channel: string;
  /** Several on a custom channel, with commas between. */
  readonly object: string;
  /** `refused`: changes of this object come by polling, until somebody does what `next` says. */
  readonly state: Stream['state'];
  readonly since: string;
  readonly lastEventAt?: string;
  readonly lastReplayId?: string;
  /** When events were last known to be missing; a poll brought what they told. */
  readonly lastGapAt?: string;
  /** Events that came today (UTC): the org allows so many to all subscribers together. */
  readonly deliveredToday: number;
  readonly message?: string;
  readonly next?: string;
  /** Salesforce's words. */
  readonly quote?: string;
}

const SILENT =
  'More than 2,000 records are on their way to Salesforce: it would tell each of them back, and count it. Heard again once they are there; changes of others come by polling.';

export function toStreamStatus(stream: Stream, now: number): StreamStatus {
  const { channel, objects, state, since, lastEventAt, replayId, lastGapAt, day, delivered, error } = stream;
  return {
    ...{ channel, object: objects.join(', '), state, since: iso(since) },
    ...(lastEventAt === null ? {} : { lastEventAt: iso(lastEventAt) }),
    ...(replayId === null ? {} : { lastReplayId: replayId }),
    ...(lastGapAt === null ? {} : { lastGapAt: iso(lastGapAt) }),
    deliveredToday: day === iso(now).slice(0, 10) ? delivered : 0,
    ...(error ? { message: error.message, next: error.next } : {}),
    ...(state === 'silent' ? { message: SILENT } : {}),
    ...(error?.salesforce ? { quote: error.salesforce.quote } : {}),
  };
}

/** An object that nobody selected is polled, as it was before there were streams: that is no problem. */
export function streamProblems(streams: readonly Stream[]): readonly SyncProblem[] {
  const met = streams.filter(({ state }) => state === 'refused' || state === 'paused');
  const problems = met.flatMap(({ error }) => (error && error.code !== 'not_found' ? [error] : []));
  // A limit is the whole org's, and said once.
  const different = problems.filter(({ message }, at) => problems.findIndex((one) => one.message === message) === at);
  return different.map(({ code, message, next, salesforce }) => ({
    ...{ code, message, next, count: 0, examples: [] },
    ...(salesforce ? { quote: salesforce.quote } : {}),
  }));
}

const iso = (at: number): string => new Date(at).toISOString();
