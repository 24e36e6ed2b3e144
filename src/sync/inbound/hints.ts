import type { SyncDeps, SyncOrg } from '../../ports/sync.ts';
import { EVENTS_PER_READ, useInbox } from './inbox.ts';

/** So many reads at once, then one every ten seconds: below 10,000 a day, whoever sends messages and however many. */
const AT_ONCE = 30;
const EVERY_MS = 10_000;

/**
 * Every event makes us read, and reads cost API calls: whoever knows the secret address could use the day's up. What comes
 * faster waits, and is looked at together.
 */
export function createHints(deps: SyncDeps) {
  const { now } = deps;
  const allowances = new Map<string, { left: number; at: number }>();

  function allowanceOf(bot: string): { left: number; at: number } {
    const before = allowances.get(bot) ?? { left: AT_ONCE, at: now() };
    // A clock that was set back gives nothing and takes nothing.
    const gained = Math.max(0, Math.floor((now() - before.at) / EVERY_MS));
    const at = now() < before.at ? now() : before.at + gained * EVERY_MS;
    const allowance = { left: Math.min(AT_ONCE, before.left + gained), at };
    allowances.set(bot, allowance);
    return allowance;
  }

  return {
    async use(bot: string, org: SyncOrg): Promise<void> {
      const allowance = allowanceOf(bot);
      if (allowance.left <= 0) return;
      // A flood of them is paid for afterwards, so that the rate holds on average.
      allowance.left -= Math.ceil((await useInbox(deps, bot, org)) / EVENTS_PER_READ);
    },
  };
}
