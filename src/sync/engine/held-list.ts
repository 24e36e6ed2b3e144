import { GatehouseError } from '../../domain/errors.ts';
import { KINDS, type Kind } from '../../domain/mapping.ts';
import type { SyncDeps, SyncOrg, WaitingList } from '../../ports/sync.ts';
import { ofTarget, openTarget } from '../remote/target.ts';

/** Lists what is new of each held kind; what stands on a list already, or was declined as it is, asks nobody again. */
export async function askForHeld(deps: SyncDeps, bot: string, org: SyncOrg): Promise<void> {
  if (deps.heldSync === undefined) return;
  for (const kind of KINDS) {
    const target = await openTarget(deps, bot, org, kind);
    if (target.refusal || !target.held) continue;
    if (await deps.store.asked.hasNew(ofTarget(target), deps.now())) await deps.heldSync(bot, kind, 'ask');
  }
}

/** Why a kind is held, naming the list that waits. Without a list, or if none can be made now, the reason alone. */
export async function heldWithList(
  { heldSync }: Pick<SyncDeps, 'heldSync'>,
  bot: string,
  kind: Kind,
  held: GatehouseError,
  how: 'look' | 'ask' | 'press',
): Promise<GatehouseError> {
  const list = await heldSync?.(bot, kind, how).catch((error: unknown) => {
    if (error instanceof GatehouseError) return undefined;
    throw error;
  });
  return list === undefined ? held : withList(held, list);
}

function withList(held: GatehouseError, { count, proposal, link }: WaitingList): GatehouseError {
  return new GatehouseError(
    held.code,
    `${held.message} ${count === 1 ? 'One record waits' : `${count} records wait`} for the proposal ${proposal}.`,
    {
      next: `An operator approves or declines it: ${link}. Or an operator changes the policy. What changes meanwhile waits, and nothing is lost.`,
      retryAfterMs: 10_000,
    },
  );
}
