/** Waiting for events: a held connect is woken by what this process does at once, and by others' writes at its next look. */
import type { Outgoing } from '../http.ts';
import type { Org } from '../org.ts';
import { busOf } from './bus.ts';

const lookEveryMs = { shared: 250, alone: 1000 };

export function createNews(org: Org, isShared: boolean) {
  const waiting = new Set<() => void>();
  let told = busOf(org).news;
  let isClosed = false;

  function wakeAll(): void {
    for (const wake of [...waiting]) wake();
  }

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      // A held client must not keep a finished program alive.
      timer.unref();
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  return {
    /** After a step of this process. */
    tell(): void {
      const { news } = busOf(org);
      if (news !== told) wakeAll();
      told = news;
    },
    /** Looks until there is an answer; the last look is told that the time is over. */
    async wait(signal: AbortSignal, look: (isOver: boolean) => Promise<Outgoing | undefined>): Promise<Outgoing> {
      const endsAt = Date.now() + org.settings.cometdHoldMs;
      const lookMs = isShared ? lookEveryMs.shared : lookEveryMs.alone;
      for (;;) {
        const left = Math.max(0, endsAt - Date.now());
        if (!isClosed && left > 0) await pause(Math.min(left, lookMs), signal);
        signal.throwIfAborted();
        if (isClosed) return { status: 503, headers: {}, text: '' };
        const answer = await look(Date.now() >= endsAt);
        if (answer) return answer;
      }
    },
    close(): void {
      isClosed = true;
      wakeAll();
    },
  };
}
