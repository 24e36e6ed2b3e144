import type { Scope } from '../../domain/link.ts';
import type { BatchRun, SyncStore } from '../../ports/sync-store.ts';
import type { SyncProblem } from './problem.ts';

/** Batches of an org that the bot was connected to before: they run in that org or nowhere, so that nobody waits for them here. */

const isOpen = ({ state }: BatchRun): boolean => state === 'scheduled' || state === 'running' || state === 'paused';

/** Why an open batch does not go on; undefined where it is of the org that the bot is connected to. */
export function whyElsewhere(run: BatchRun, orgId: string | undefined): string | undefined {
  if (orgId === undefined || run.orgId === orgId || !isOpen(run)) return undefined;
  return `It is of the org ${run.orgId}, and the bot is connected to ${orgId} since: it does not run here. Cancel it, and set it up anew for this org.`;
}

export async function batchesElsewhere(
  { batches }: Pick<SyncStore, 'batches'>,
  { bot, orgId }: Scope,
): Promise<readonly SyncProblem[]> {
  const left = (await batches.list(bot, MOST)).filter((run) => whyElsewhere(run, orgId) !== undefined);
  const [first] = left;
  if (first === undefined) return [];
  const what = left.length === 1 ? 'One batch is' : `${left.length} batches are`;
  const ids = left.map(({ id }) => id);
  return [
    {
      code: 'conflict',
      message: `${what} of an org that this bot was connected to before (${first.orgId}), and will not run here: ${ids.slice(0, 5).join(', ')}.`,
      next: `Cancel it (the sync page of the console, or POST /api/bots/${bot}/sync/batches/${first.id}/cancel) and set it up anew for this org; connected to the former org again, it goes on there.`,
      count: left.length,
      examples: [],
    },
  ];
}

const MOST = 50;
