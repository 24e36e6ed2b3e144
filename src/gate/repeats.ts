import type { Audit } from '../audit/audit.ts';
import type { Confirm } from '../confirm/confirm.ts';
import { stillHeld } from '../confirm/read-back.ts';
import type { Action, Preview } from '../domain/action.ts';
import { digestOf } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { digestOfCall, type Envelope, type Proposal } from '../domain/proposal.ts';
import { isSameReader } from '../domain/read-as.ts';
import { isSameSession, sessionParts } from '../domain/session.ts';
import { foldedName } from '../domain/stored-value/text.ts';
import { readerOf } from '../policy/permit.ts';
import type { Call } from '../ports/gate.ts';
import type { BotRow, Store } from '../ports/store.ts';
import type { ContextDeps } from './call-context.ts';
import type { Deliver } from './deliver.ts';

/** One wish has one effect, however often it is called (A4), and a newer wish replaces the one that waits. */
export interface Repeats {
  /** The answer to a call that was made before, or undefined when it is a new wish. */
  earlier(
    bot: BotRow,
    action: Action,
    c: Call,
    dedupeKey: string,
    asked: Asked,
    signal: AbortSignal,
  ): Promise<Envelope | undefined>;
  /** How the identical call ended that somebody made at the same moment. */
  sameMoment(held: Proposal, action: Action, c: Call, signal: AbortSignal): Promise<Envelope>;
  /** Earlier wishes of the same caller for the same record. */
  replacedBy(bot: BotRow, action: Action, c: Call, preview: Preview | null): Promise<readonly Proposal[]>;
}

export interface RepeatDeps extends Pick<ContextDeps, 'openOrg' | 'requestTimeoutMs' | 'now'> {
  readonly store: Pick<Store, 'connections' | 'proposals'>;
  readonly confirm: Pick<Confirm, 'refresh' | 'settled'>;
  readonly audit: Pick<Audit, 'prove'>;
  readonly deliver: Deliver;
}

const MINUTE_MS = 60_000;
/** Identical arguments within this time are one wish (A4). */
const WINDOW_MS = 10 * MINUTE_MS;
/** A caller's own key holds this long. */
const KEY_WINDOW_MS = 24 * 60 * MINUTE_MS;

export function createRepeats({ store, confirm, audit, deliver, openOrg, requestTimeoutMs, now }: RepeatDeps): Repeats {
  const settled = async ({ id, state }: Proposal, signal: AbortSignal) => {
    // It stands still for as long as no head can be kept: that is told, and not waited for.
    if (state === 'approved') await audit.prove();
    return confirm.settled(id, requestTimeoutMs * 3, signal);
  };
  const doneAlready = ({ result, ...envelope }: Envelope): Envelope =>
    result === undefined ? envelope : { ...envelope, result: { ...result, alreadyDone: true } };

  return {
    async earlier(bot, action, c, dedupeKey, asked, signal) {
      const known = await store.proposals.byDedupeKey(dedupeKey);
      const earlier = known === undefined ? undefined : await confirm.refresh(known.id);
      if (earlier === undefined || earlier.dedupeKey !== dedupeKey) return undefined;
      if (!isSameWish(action, earlier, asked)) throw keyReused();
      if (earlier.state === 'pending' || earlier.state === 'unknown') return deliver(earlier, c);
      const end = earlier.state === 'done' ? earlier : await settled(earlier, signal);
      if (end?.state !== 'done') return end && deliver(end, c);
      const isRecent = isInWindow(c, end.settledAt ?? 0, now());
      const isRead = action.risk === 'read';
      // The caller says itself that it is the same call: it ends as it ended, whatever others made of the record since.
      if (isRecent && !isRead && c.key !== undefined) return doneAlready(await deliver(end, c));
      // The same approved query gets the rows of minutes ago: asking a person again would only wear them out.
      // Another policy may close those rows, and another user may not see them: then the query is judged like a new one.
      const isAsThen = async () =>
        end.policyRevision === bot.policyRevision && isSameReader(end, await readerOf(store, bot.name));
      if (isRecent && isRead && (await isAsThen())) return deliver(end, c);
      // A run that found the record as wanted wrote nothing by which it could be told that it still is.
      const hasWritten = end.effects.length > 0 || end.preview?.target === undefined;
      if (
        isRecent &&
        !isRead &&
        !action.idempotent &&
        hasWritten &&
        (await stillHeld(await openOrg(bot, signal), end.effects))
      )
        return doneAlready(await deliver(end, c));
      await store.proposals.release(end.id);
      return undefined;
    },

    async sameMoment(held, action, c, signal) {
      const end = (await settled(held, signal)) ?? held;
      const envelope = await deliver(end, c);
      return end.state === 'done' && action.risk !== 'read' ? doneAlready(envelope) : envelope;
    },

    async replacedBy(bot, action, { principal, conversation = null, session }, preview) {
      const target = preview?.target?.id;
      if (target === undefined) return [];
      const wish = { bot: bot.name, action: action.name, principal, conversation, target };
      const older = await store.proposals.waitingFor(wish);
      return older.filter((proposal) => isSameSession(proposal.session, session));
    },
  };
}

/** Whether a call that came since is still the wish of then. */
export function isInWindow({ key }: Pick<Call, 'key'>, since: number, now: number): boolean {
  return now < since + (key === undefined ? WINDOW_MS : KEY_WINDOW_MS);
}

type Asked = Pick<Proposal, 'bot' | 'args' | 'digest'>;

/** What is wished, in whichever spelling: of each way to write a name that people read alike there would be one effect more. */
export function wishOf(action: Action, { bot, args }: Omit<Asked, 'digest'>): string {
  const folded = (action.readAlike ?? []).flatMap((key) =>
    typeof args[key] === 'string' ? [[key, foldedName(args[key])]] : [],
  );
  return digestOfCall(bot, action, { ...args, ...Object.fromEntries(folded) });
}

/** A person may have approved other values than were asked for; what was erased since has its digest alone. */
export const isSameWish = (action: Action, earlier: Asked, asked: Asked): boolean =>
  earlier.digest === asked.digest || wishOf(action, earlier) === wishOf(action, asked);

/** What makes two calls the same wish. What one org was asked answers nothing about another. */
export function dedupeKeyOf(bot: BotRow, orgId: string | null, c: Call, wish: string): string {
  // Each customer's session is a caller of its own, and each person's of it, also where one agent key carries them all.
  const caller = [bot.name, orgId, c.principal, ...sessionParts(c.session)];
  return c.key === undefined
    ? digestOf(['call', ...caller, c.conversation ?? null, wish])
    : digestOf(['key', ...caller, c.key]);
}

export function keyReused(): GatehouseError {
  return new GatehouseError('conflict', 'This idempotency key was used for other arguments.', {
    next: 'Use a new key for a new call; the same key only to repeat the same call.',
    fields: [{ name: 'key', problem: 'used for other arguments' }],
  });
}
