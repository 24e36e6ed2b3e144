import { randomUUID } from 'node:crypto';
import { verifyDaily } from '../audit/verdict.ts';
import type { App } from './app.ts';

/**
 * Housekeeping of a process that stays: what a crash left behind is finished by whoever runs next, soon after the start but
 * off its critical path, and again later; values of records go when their time is over.
 */
export function keepRecovering(app: App): () => void {
  const { retention, apiUse, clocks, notices, audit, store, sync, orgDeploy, log, now } = app;
  const recover = () =>
    retention.recover().then(
      (count) => count > 0 && log.info('finished what a crash had left', { count }),
      (error: unknown) => log.error('recovery failed', { cause: String(error) }),
    );
  const tidy = () =>
    destroyOld(app).then(
      ({ rows, proposals }) => rows + proposals > 0 && log.info('values past their time are gone', { rows, proposals }),
      (error: unknown) => log.error('tidying failed', { cause: String(error) }),
    );
  const beat = () =>
    clocks.beat().catch((error: unknown) => log.error('clocks were not compared', { cause: String(error) }));
  const noteUse = () =>
    apiUse.note().catch((error: unknown) => log.error('API use was not noted', { cause: String(error) }));
  const tell = () =>
    notices.tell().then(
      (count) => count > 0 && log.info('notices were sent', { count }),
      (error: unknown) => log.warn('notices wait', { cause: String(error) }),
    );
  const look = () =>
    verifyDaily(store.values, audit, { now, newId: randomUUID }).then(
      (verdict) => verdict?.ok === false && log.error('the audit does not hold', { ...verdict }),
      (error: unknown) => log.error('the audit was not verified', { cause: String(error) }),
    );
  const drift = () =>
    sync()
      .then(({ lookForDrift }) => lookForDrift())
      .catch((error: unknown) => log.warn('what the orgs changed was not looked at', { cause: String(error) }));
  const deploys = () =>
    store.deployments
      .open()
      // Its code is loaded where there is something to look at.
      .then(async ({ length }) => length > 0 && (await orgDeploy()).tidy())
      .catch((error: unknown) => log.warn('deployments to orgs were not looked at', { cause: String(error) }));
  const timers = [
    setTimeout(() => void deploys(), 3_000),
    setInterval(() => void deploys(), 30_000),
    setInterval(() => void noteUse(), 300_000),
    setTimeout(() => void beat(), 1_000),
    setInterval(() => void beat(), 30_000),
    setTimeout(() => void recover(), 1_000),
    setInterval(() => void recover(), 30_000),
    setTimeout(() => void tidy(), 20_000),
    setInterval(() => void tidy(), 3_600_000),
    setInterval(() => void tell(), 30_000),
    setTimeout(() => void look(), 60_000),
    setInterval(() => void look(), 3_600_000),
    setTimeout(() => void drift(), 90_000),
    setInterval(() => void drift(), 3_600_000),
  ];
  for (const timer of timers) timer.unref();
  // Every promise of ours has somebody who waits for it; one of a library that has not must not end a process that serves others.
  const note = (cause: unknown) =>
    log.error('a failure that nobody waited for', { cause: cause instanceof Error ? cause.stack : String(cause) });
  process.on('unhandledRejection', note);
  return () => {
    process.off('unhandledRejection', note);
    for (const timer of timers) clearTimeout(timer);
  };
}

/**
 * What is past its time: values first, then whole rows. A machine whose clock is a year ahead would destroy what everybody keeps: so the
 * clock must have stood the looks of others, and where Salesforce's is behind it, that one counts.
 */
export async function destroyOld({ clocks, store, connections, retention, config }: App) {
  await clocks.beat();
  const ours = clocks.trusted();
  if (ours === undefined) return { rows: 0, proposals: 0 };
  const standing = (await store.connections.list()).filter(({ state }) => state === 'connected');
  const ahead = await Promise.all(standing.map((row) => connections.clockOffset(row)));
  const at = ours + Math.min(0, ...ahead);
  const gone = await retention.tidy(at - config.retentionMs);
  await store.clearPast({ now: at, historyBefore: at - config.historyMs });
  return gone;
}
