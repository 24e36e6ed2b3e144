import type { Scope } from '../../domain/link.ts';
import { KINDS } from '../../domain/mapping.ts';
import { LARGE_RUN, type StreamRow } from '../../ports/streams.ts';
import type { SyncStore } from '../../ports/sync-store.ts';
import { mappingOf } from '../remote/target.ts';

/** So few are left of a run that its end is heard. */
const FEW = 200;

const canFall = ({ state }: StreamRow): boolean => state === 'live' || state === 'waiting';

/**
 * Each write of ours comes back as an event, and Salesforce counts it among the deliveries of the org's day: 10,000 creates use up the
 * whole of it where 10,000 are allowed. So a channel falls silent for a large run, and begins anew after it, with a poll for what others
 * changed meanwhile. Answers the channels that begin or end their silence.
 */
export async function turnedSilent(
  store: SyncStore,
  scope: Scope,
  rows: readonly StreamRow[],
): Promise<ReadonlyMap<string, 'silent' | 'waiting'>> {
  const turned = new Map<string, 'silent' | 'waiting'>();
  for (const kind of KINDS) {
    const { object } = await mappingOf(store, scope.bot, kind);
    const among = rows.filter(({ objects }) => objects.some((one) => one.toLowerCase() === object.toLowerCase()));
    if (among.length === 0) continue;
    const held = await store.links.countHeld({ ...scope, kind, object }, LARGE_RUN + 1);
    for (const row of among) {
      if (canFall(row) && held > LARGE_RUN) turned.set(row.channel, 'silent');
      if (row.state === 'silent' && held <= FEW) turned.set(row.channel, 'waiting');
    }
  }
  return turned;
}
