import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import { postponed } from '../../domain/link-transitions.ts';
import { isSystemic, troubleOf } from '../remote/trouble.ts';
import { countFailed } from './change-set.ts';
import type { Pass } from './pass.ts';

/**
 * Work of one transaction on many records. Where it fails for a reason that nobody foresaw, each is tried alone, and the one
 * that fails alone waits with its reason: one record never stops the others.
 */
export async function eachAlone<T>(
  pass: Pass,
  links: readonly Link[],
  work: (some: readonly Link[]) => Promise<T>,
): Promise<readonly T[]> {
  try {
    return [await work(links)];
  } catch (thrown) {
    if (isSystemic(thrown) || links.length === 0) throw thrown;
    if (links.length === 1) {
      await postpone(pass, links, unforeseen(thrown));
      return [];
    }
    const done: T[] = [];
    for (const link of links) done.push(...(await eachAlone(pass, [link], work)));
    return done;
  }
}

export const unforeseen = (thrown: unknown): NonNullable<Link['error']> =>
  troubleOf('The record could not be worked on', thrown);

/** Somebody edits faster than we read: later. */
export async function giveUp(pass: Pass, links: readonly Link[]): Promise<void> {
  if (links.length === 0) return;
  const error = new GatehouseError('conflict', 'The record kept changing while it was synced.', {
    next: 'Nothing to do: it is tried again in a moment.',
    retryable: true,
  });
  await postpone(pass, links, toErrorBody(error).error);
}

export async function postpone(pass: Pass, links: readonly Link[], error: NonNullable<Link['error']>): Promise<void> {
  const { store, now } = pass.deps;
  await store.atomically(async (inside) => {
    const standing = await inside.links.lock(links);
    const after = standing.map((link) => postponed(link, error, now()));
    await inside.links.save(after);
    await countFailed(inside, standing, after);
    const news = standing.filter((link) => link.error?.message !== error.message);
    await inside.log.add(
      news.map((link) => pass.logRow(link, { operation: 'none', direction: 'to_crm', status: 'pending', error })),
    );
  });
  for (const link of links) pass.note({ link, error });
}
