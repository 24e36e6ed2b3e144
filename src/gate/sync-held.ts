import { z } from 'zod';
import { policyFor } from '../../permissions/decide.ts';
import type { Confirm } from '../confirm/confirm.ts';
import { type Action, defineAction, type HeldKind, type HeldRecord, type Preview } from '../domain/action.ts';
import { digestOf } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Proposal } from '../domain/proposal.ts';
import { cleanShown } from '../domain/safe-text.ts';
import { countIn, judge } from '../policy/judge.ts';
import { botNamed } from '../policy/permit.ts';
import type { Approvals, Call } from '../ports/gate.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { type ContextDeps, contextFor, type Run } from './call-context.ts';
import type { Propose } from './propose.ts';
import { createReadLog } from './read-log.ts';

/**
 * What background sync, a batch or "sync now" may not write without a person's word: one list per bot and kind, frozen as it was
 * shown. Only sync asks for it and only operators decide it: it is in no bot's list, and no bot sees it.
 */

export const SYNC_HELD = 'SyncHeld';

export interface HeldSyncDeps {
  readonly context: ContextDeps;
  /** What writes the list once it is approved. */
  readonly action: Action;
  readonly actions: readonly Action[];
  readonly store: Pick<Store, 'bots' | 'proposals' | 'counters'>;
  readonly confirm: Pick<Confirm, 'refresh' | 'supersede'>;
  readonly link: (id: string) => string;
  readonly newId: () => string;
  readonly now: () => number;
  readonly propose: Propose;
}

/** A waiting list is replaced at most this often in an hour, so that a person can read one to its end. */
const MOST_REPLACED = 4;
/** A list that is full is decided before there is another. */
const MOST_LISTED = 1_000;

/** Writes what stands on an approved list. */
export function createSyncHeldAction(deps: {
  readonly actions: readonly Action[];
  readonly store: Pick<Store, 'bots' | 'connections'>;
}): Action {
  return defineAction({
    name: SYNC_HELD,
    title: 'Sync what waits',
    description: 'Writes the listed records of the host app to Salesforce. For operators.',
    permission: 'SYNC_PARTY',
    risk: 'write',
    idempotent: true,
    touches: {},
    input: z.strictObject({ kind: z.enum(['party', 'case']), records: z.array(z.custom<HeldRecord>()) }),
    output: z.object({
      sent: z.number(),
      linked: z.number().optional(),
      leftOut: z.array(z.string()),
      failed: z.array(z.object({ id: z.string(), message: z.string() })),
    }),
    preview: async ({ kind, records }) => previewOf(kind, records),
    async run({ kind, records }, { bot, sync }) {
      const row = await botNamed(deps.store, bot.name);
      const environment = (await deps.store.connections.get(bot.name))?.environment ?? 'production';
      const isDenied = deniedBy(deps.actions, row, kind, environment);
      const allowed = records.filter((record) => !isDenied(record));
      if (allowed.length === 0 && records.length > 0) throw closedSince();
      const pushed = await sync.pushHeld(kind, allowed);
      const denied = records.filter((record) => !allowed.includes(record)).map(({ id }) => id);
      const { sent, linked } = pushed;
      return {
        sent,
        ...(linked ? { linked } : {}),
        leftOut: [...pushed.leftOut, ...denied],
        failed: [...pushed.failed],
      };
    },
  });
}

export function createHeldSync(deps: HeldSyncDeps): Approvals['heldSync'] {
  const { action, store, confirm } = deps;

  async function heldSync(...[name, kind, how]: Parameters<Approvals['heldSync']>): ReturnType<Approvals['heldSync']> {
    const dedupeKey = digestOf([SYNC_HELD, name, kind]);
    const known = await store.proposals.byDedupeKey(dedupeKey);
    const last = known && (await confirm.refresh(known.id));
    const open = last !== undefined && OPEN.includes(last.state) ? last : undefined;
    if (how === 'look' || (open !== undefined && open.state !== 'pending')) return told(open);
    const isFull = open !== undefined && heldRecords(open).length >= MOST_LISTED;
    if (open !== undefined && how === 'ask' && (isFull || !(await mayReplace(name, kind)))) return told(open);
    const bot = await botNamed(store, name);
    const c: Call = { bot: name, principal: 'sync', channel: 'sync', action: SYNC_HELD, args: {} };
    const signal = new AbortController().signal;
    const reads = createReadLog(deps.now);
    const run = await contextFor(deps.context, bot, c, {}, signal, reads);
    const { sync } = run.context;
    const records = await sync.planHeld(kind, deniedBy(deps.actions, bot, kind, run.environment));
    const args = { kind, records };
    const digest = digestOf({
      bot: name,
      action: SYNC_HELD,
      kind,
      list: records.map(({ link, digest }) => [link, digest]),
    });
    // The same writes as on the open list: it stays, for whoever reads it.
    if (open !== undefined && open.digest === digest && open.orgId === run.orgId) {
      await sync.noteHeld(records, open.id);
      return told(open);
    }
    if (open !== undefined) {
      await countIn(deps, keyOf(name, kind), 1);
      await confirm.supersede([open]);
      const decided = await store.proposals.byDedupeKey(dedupeKey);
      // The list was decided just now: what is new goes on the next one.
      if (decided !== undefined) return told(decided);
      // The records of a replaced list go: a busy day makes many of them.
      await store.proposals.patch(open.id, 'superseded', { args: {} });
    } else if (last !== undefined) await store.proposals.release(last.id);
    if (records.length === 0) return undefined;
    const id = deps.newId();
    await sync.noteHeld(records, id);
    await deps.propose(bot, action, c, {
      ...{
        id,
        args,
        digest,
        dedupeKey,
        signal,
        reads,
        orgId: run.orgId,
        userId: run.userId,
        expiresAs: ACTION_OF[kind],
      },
      preview: cleanShown(previewOf(kind, records)),
      verdict: {
        decision: 'confirm',
        assurance: 'session',
        reasons: [`Policy has a person asked before ${ACTION_OF[kind]} writes.`],
        asks: ['decision'],
      },
    });
    return told(await store.proposals.byDedupeKey(dedupeKey));
  }

  /** Whether the list was replaced less than four times in the past hour. */
  async function mayReplace(bot: string, kind: HeldKind): Promise<boolean> {
    return (await countIn(deps, keyOf(bot, kind), 0)) + 1 < MOST_REPLACED;
  }

  function told(proposal: Proposal | undefined): Awaited<ReturnType<Approvals['heldSync']>> {
    if (proposal === undefined) return undefined;
    return { proposal: proposal.id, count: heldRecords(proposal).length, link: deps.link(proposal.id) };
  }

  return heldSync;
}

/** A rule that forbids a write forbids it on a list, too; how often the action ran is not looked at: a list is one wish. */
function deniedBy(
  actions: readonly Action[],
  bot: BotRow,
  kind: HeldKind,
  environment: Run['environment'],
): (record: HeldRecord) => boolean {
  const action = actions.find(({ name }) => name === ACTION_OF[kind]);
  const actionPolicy = policyFor(bot.policy, ACTION_OF[kind]);
  return (record) =>
    action === undefined || judge(bot, { action, actionPolicy }, previewOfOne(record), environment).decision === 'deny';
}

function closedSince(): GatehouseError {
  return new GatehouseError('conflict', 'The policy of this bot lets nothing of this list be written any more.', {
    next: 'Open it in the policy and approve the next list, if it is still wanted.',
  });
}

const OPEN: readonly Proposal['state'][] = ['pending', 'approved', 'executing', 'unknown'];
const ACTION_OF: Readonly<Record<HeldKind, string>> = { party: 'SyncParty', case: 'SyncCase' };
const keyOf = (bot: string, kind: HeldKind) => `replaced:${bot}:${kind}`;

/** What stands on a list; empty once it was blanked. */
function heldRecords({ args }: Pick<Proposal, 'args'>): readonly HeldRecord[] {
  // Sealed with the proposal, and written here alone.
  return (args.records ?? []) as readonly HeldRecord[];
}

/** Undefined for a proposal that is no list. */
export function listOf(proposal: Proposal): readonly HeldRecord[] | undefined {
  return proposal.action === SYNC_HELD ? heldRecords(proposal) : undefined;
}

function previewOf(kind: HeldKind, records: readonly HeldRecord[]): Preview {
  const of = (operation: HeldRecord['operation']) => records.filter((record) => record.operation === operation).length;
  const parts = [
    [of('create'), 'to create'],
    [of('update'), 'to update'],
    [of('delete'), 'to delete'],
  ].flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  const object = [...new Set(records.map((record) => record.object))].join(', ');
  const noun =
    kind === 'party' ? (records.length === 1 ? 'person' : 'people') : records.length === 1 ? 'case' : 'cases';
  return { summary: `Sync ${records.length} ${noun} to ${object}: ${parts.join(', ')}`, changes: [] };
}

function previewOfOne({ id, object, recordId, changes, warnings }: HeldRecord): Preview {
  return {
    summary: id,
    changes,
    ...(recordId === null ? {} : { target: { object, id: recordId, name: recordId, url: '' } }),
    warnings,
  };
}
