import type { App } from './app.ts';

/**
 * Housekeeping of a process that stays: what a crash left behind is finished by whoever runs next, soon after the start but
 * off its critical path, and again later; values of records go when their time is over.
 */
export function keepRecovering({ retention, apiUse, clocks, log, now, config }: App): () => void {
  const recover = () =>
    retention.recover().then(
      (count) => count > 0 && log.info('finished what a crash had left', { count }),
      (error: unknown) => log.error('recovery failed', { cause: String(error) }),
    );
  const tidy = () =>
    retention.tidy(now() - config.retentionMs).then(
      ({ rows, proposals }) => rows + proposals > 0 && log.info('values past their time are gone', { rows, proposals }),
      (error: unknown) => log.error('tidying failed', { cause: String(error) }),
    );
  const beat = () =>
    clocks.beat().catch((error: unknown) => log.error('clocks were not compared', { cause: String(error) }));
  const noteUse = () =>
    apiUse.note().catch((error: unknown) => log.error('API use was not noted', { cause: String(error) }));
  const timers = [
    setInterval(() => void noteUse(), 300_000),
    setTimeout(() => void beat(), 1_000),
    setInterval(() => void beat(), 30_000),
    setTimeout(() => void recover(), 1_000),
    setInterval(() => void recover(), 30_000),
    setTimeout(() => void tidy(), 20_000),
    setInterval(() => void tidy(), 3_600_000),
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
