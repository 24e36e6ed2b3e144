import type { BatchRun, SyncStore } from '../../ports/sync-store.ts';

/**
 * Cancels a batch and frees what is left of it; false where it is in none of these states. It is paused until the last link is
 * free: whoever dies meanwhile leaves a batch that can be cancelled again, and no record that waits for nobody.
 */
export async function endBatch(
  { batches, links }: Pick<SyncStore, 'batches' | 'links'>,
  { id, total, done }: BatchRun,
  from: readonly BatchRun['state'][],
  end: { readonly note?: string; readonly at: number },
): Promise<boolean> {
  const note = end.note === undefined ? {} : { note: end.note };
  if (!(await batches.move(id, from, { ...note, state: 'paused' }))) return false;
  const left = await links.countBatch(id);
  await batches.progress(id, { done: Math.max(done, total - left) });
  await links.delist(id);
  return batches.move(id, ['paused'], { ...note, state: 'cancelled', finishedAt: end.at });
}
