import type { App } from '../app.ts';

/** What a crash left behind is finished by whoever runs next: soon after the start, off its critical path, and again later. */
export function keepRecovering({ gate, log }: App): () => void {
  const recover = () =>
    gate.recover().then(
      (count) => count > 0 && log.info('finished what a crash had left', { count }),
      (error: unknown) => log.error('recovery failed', { cause: String(error) }),
    );
  const first = setTimeout(() => void recover(), 1_000);
  const later = setInterval(() => void recover(), 30_000);
  for (const timer of [first, later]) timer.unref();
  return () => {
    clearTimeout(first);
    clearInterval(later);
  };
}
