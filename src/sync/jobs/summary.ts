import type { Standing } from '../../domain/link.ts';
import { KINDS, type Kind } from '../../domain/mapping.ts';
import type { ConnectionStatus } from '../../ports/salesforce.ts';
import type { InboundKind, SyncStore } from '../../ports/sync-store.ts';
import { logIdAt, toUuid } from '../host/log-ids.ts';
import { type ShownHours, shownHours } from '../remote/quiet-hours.ts';
import { mappingOf } from '../remote/target.ts';

/** How a bot's sync stands at a glance, without a call to Salesforce. */
export interface SyncSummary extends Standing {
  /** Records of the host app that have never been in Salesforce. */
  readonly ready: readonly { readonly kind: Kind; readonly count: number; readonly first: string }[];
  readonly lastGood?: Done;
  readonly lastFailed?: Done;
  readonly lastEventAt?: string;
  /** When the address for outbound messages that works now was made, and when one last came to it. */
  readonly addressSince?: string;
  readonly addressUsedAt?: string;
  /** The same of the token for Flow callouts. */
  readonly flowSince?: string;
  readonly flowUsedAt?: string;
  readonly quietHours?: ShownHours;
}

interface Done {
  readonly id: string;
  readonly at: string;
}

/** Older ones tell nothing of how it stands now, and would be looked for through the whole log. */
const LOOKED_BACK_MS = 30 * 86_400_000;

export async function syncSummary(
  { store, now }: { readonly store: SyncStore; readonly now: () => number },
  bot: string,
  { orgId, lastEventAt }: Pick<ConnectionStatus, 'orgId' | 'lastEventAt'>,
): Promise<SyncSummary> {
  const last = async (status: 'success' | 'failed') => {
    const [row] = await store.log.find(bot, { status, from: logIdAt(now() - LOOKED_BACK_MS), limit: 1 });
    return row && { id: toUuid(row.id), at: iso(row.at) };
  };
  const ready = async (kind: Kind) => {
    const { object } = await mappingOf(store, bot, kind);
    // A bot that was never connected has no links: all of its records wait.
    const { count, first } = await store.hosts.unsynced({ bot, orgId: orgId ?? '' }, kind, object);
    return first === null ? [] : [{ kind, count, first }];
  };
  const [standing, lists, lastGood, lastFailed, tokens, quietHours] = await Promise.all([
    orgId === undefined ? { inStep: 0, waits: 0, needsYou: 0 } : store.links.standing({ bot, orgId }),
    Promise.all(KINDS.map(ready)),
    last('success'),
    last('failed'),
    store.tokens.list(bot),
    shownHours({ store, now }, bot),
  ]);
  const goodNow = (kind: InboundKind) => tokens.find((one) => one.kind === kind && one.expiresAt === null);
  const address = goodNow('address');
  const flow = goodNow('flow');
  return {
    ...standing,
    ready: lists.flat(),
    ...(lastGood ? { lastGood } : {}),
    ...(lastFailed ? { lastFailed } : {}),
    ...(lastEventAt ? { lastEventAt } : {}),
    ...(address ? { addressSince: iso(address.createdAt) } : {}),
    ...(address?.usedAt ? { addressUsedAt: iso(address.usedAt) } : {}),
    ...(flow ? { flowSince: iso(flow.createdAt) } : {}),
    ...(flow?.usedAt ? { flowUsedAt: iso(flow.usedAt) } : {}),
    ...(quietHours ? { quietHours } : {}),
  };
}

const iso = (at: number): string => new Date(at).toISOString();
