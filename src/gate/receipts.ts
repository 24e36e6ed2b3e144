import { minutesToDecide } from '../../permissions/decide.ts';
import type { Confirm } from '../confirm/confirm.ts';
import { PLACE_MS } from '../confirm/confirm.ts';
import { formFull } from '../confirm/refusals.ts';
import { createSeenReads } from '../confirm/seen-reads.ts';
import type { Sign } from '../confirm/sign.ts';
import { isPassing, plainPreview, UNDECIDED_BY_ANYBODY, unjudged } from '../confirm/visitors.ts';
import type { Action } from '../domain/action.ts';
import { canonicalJson, digestOf } from '../domain/canonical-json.ts';
import { GatehouseError, toErrorBody, toGatehouseError } from '../domain/errors.ts';
import {
  callerOf,
  decidedByPolicy,
  digestOfCall,
  type Envelope,
  newProposal,
  type Proposal,
} from '../domain/proposal.ts';
import { countIn } from '../policy/judge.ts';
import { botNamed, type Permitted, permitted, readerOf } from '../policy/permit.ts';
import type { Call, HeldRequests } from '../ports/gate.ts';
import type { Log } from '../ports/log.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { evaluate } from './evaluate.ts';
import type { Notices } from './notices.ts';
import { parseArgs } from './parse-args.ts';
import { createReadLog } from './read-log.ts';
import { dedupeKeyOf, isInWindow, isSameWish, keyReused, wishOf } from './repeats.ts';

/**
 * Requests of visitors of a public bot. One is held durably, the visitor is thanked, and only then anything is looked up: what
 * the org holds cannot show in the answer (P6), and an org that is away loses nothing. Whoever is asked is an operator.
 */
export interface Receipts {
  receive(bot: BotRow, c: Call): Promise<Envelope>;
  /** An approver means to say yes: judged in the org of now first, where it was not. Answers whether there is anything to decide. */
  prepare(id: string): Promise<void>;
  /** Judges what could not be judged when it came. Answers how many were. */
  catchUp(): Promise<number>;
  held(bot: string): Promise<HeldRequests>;
}

export interface ReceiptDeps {
  readonly context: ContextDeps;
  readonly actions: readonly Action[];
  readonly store: Store;
  readonly confirm: Confirm;
  readonly newId: () => string;
  readonly now: () => number;
  readonly log: Log;
  readonly sign: Sign;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly tell: Notices['tell'];
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_BYTES = 8_192;
/** A visitor's thanks come after the judgement, or after this time. */
const JUDGED_WITHIN_MS = 2_000;
const PAGE = 1_000;
/** What one stranger may leave within an hour, and all who come from one address: a twentieth, and a fifth of the form. */
const [OF_ONE_VISITOR, OF_ONE_ADDRESS] = [20, 5];

export function createReceipts(deps: ReceiptDeps): Receipts {
  const { store, confirm, now, log } = deps;

  /** Counts a request when it comes. One beyond the visitor's own limit does not count for the bot's limit. */
  async function counted(
    bot: BotRow,
    { action, actionPolicy }: Permitted,
    c: Call,
  ): Promise<NonNullable<Proposal['visitor']>> {
    const who = [c.principal, c.session?.indexValue ?? null, c.channel === 'chat' ? null : (c.conversation ?? null)];
    const id = digestOf(['visitor', bot.name, ...who]);
    const key = `requests:${bot.name}:${action.name}`;
    // 4,096 counters at most: two visitors who share one reach the limit a little earlier.
    const ownRequests = await countIn(deps, `${key}:${id.slice(0, 3)}`, 1);
    const limits = actionPolicy.rules.map((rule) => rule.if.visitorRunsThisHourAtLeast ?? Infinity);
    const isOverOwn = ownRequests >= Math.min(...limits);
    return { id, ownRequests, requests: await countIn(deps, key, isOverOwn ? 0 : 1) };
  }

  /** The form is everybody's: one stranger, or one address under many names, is turned away before it is full for the others. */
  async function checkShare(
    bot: BotRow,
    action: Action,
    from: string,
    { ownRequests }: NonNullable<Proposal['visitor']>,
  ): Promise<void> {
    const { maxHeld } = bot.policy.proposals;
    const place = digestOf(['from', bot.name, from]).slice(0, 3);
    const fromThere = await countIn(deps, `requests:${bot.name}:${action.name}:from:${place}`, 1);
    if (ownRequests >= Math.ceil(maxHeld / OF_ONE_VISITOR) || fromThere >= Math.ceil(maxHeld / OF_ONE_ADDRESS))
      throw formFull();
  }

  async function receive(bot: BotRow, c: Call): Promise<Envelope> {
    const permit = permitted(deps.actions, bot, c.action);
    const { action, actionPolicy } = permit;
    if (actionPolicy.decision === 'deny') throw notOffered(action);
    const { args, input, extra } = parseArgs(permit, bot.policy, c.args);
    if (Buffer.byteLength(canonicalJson(args)) > MOST_BYTES) throw tooLong(action);
    const visitor = await counted(bot, permit, c);
    if (c.from !== undefined) await checkShare(bot, action, c.from, visitor);
    const maxHeld = roomOf(bot, c.from !== undefined);
    if ((await store.proposals.countPlaces(bot.name, now() - PLACE_MS)) >= maxHeld) throw formFull();
    const digest = digestOfCall(bot.name, action, args);
    const asked = { bot: bot.name, args, digest };
    // It belongs to no org yet.
    const dedupeKey = dedupeKeyOf(bot, null, c, wishOf(action, asked));
    const thanks = { status: 'done', result: action.receipt as Record<string, unknown> } as const; // an object schema
    if (await isRepeated(action, c, dedupeKey, asked)) return thanks;
    await checkValues(bot, action, c, { input, extra });

    const at = now();
    const minutes = minutesToDecide(bot.policy, action.name, { assurance: 'session', isReceipt: true });
    const proposal = newProposal(bot, c, {
      id: deps.newId(),
      orgId: null,
      userId: null,
      action: action.name,
      args,
      digest,
      dedupeKey,
      preview: plainPreview({ action: action.name, args }),
      reasons: [],
      assurance: 'session',
      clientDecline: 'ends',
      visitor,
      state: 'received',
      createdAt: at,
      expiresAt: at + minutes * MINUTE_MS,
    });
    const { isNew, proposal: held } = await confirm.create(
      proposal,
      {
        // Nobody has judged it yet.
        ...{ event: 'received', channel: c.channel, assurance: null },
      },
      { ...bot.policy.proposals, maxHeld },
    );
    if (isNew) await unheard(held);
    return thanks;
  }

  /** Drawn anew every hour: whoever fills the form cannot tell by one place more or less what became of a request. */
  function roomOf(bot: BotRow, isStranger: boolean): number {
    const { maxHeld } = bot.policy.proposals;
    // The last places are kept for people whom the host vouches for.
    const kept = isStranger ? Math.floor(maxHeld / 10) : 0;
    const draw = Number.parseInt(deps.sign(`form ${bot.name} ${Math.floor(now() / 3_600_000)}`).slice(0, 8), 16);
    return maxHeld - kept - (draw % (Math.floor(maxHeld / 10) + 1));
  }

  /** Identical arguments within the window are one wish (A4), whatever became of it. */
  async function isRepeated(
    action: Action,
    c: Call,
    dedupeKey: string,
    asked: Parameters<typeof isSameWish>[2],
  ): Promise<boolean> {
    const known = await store.proposals.byDedupeKey(dedupeKey);
    if (known === undefined) return false;
    if (!isSameWish(action, known, asked)) throw keyReused();
    if (isInWindow(c, known.createdAt, now())) return true;
    await store.proposals.release(known.id);
    return false;
  }

  /** Refuses values that no record could hold: describe says so, to everybody alike. An org that is away refuses nothing. */
  async function checkValues(
    bot: BotRow,
    action: Action,
    c: Call,
    { input, extra }: Pick<ReturnType<typeof parseArgs>, 'input' | 'extra'>,
  ): Promise<void> {
    if (action.check === undefined) return;
    try {
      const { context } = await contextFor(
        deps.context,
        bot,
        c,
        extra,
        c.signal ?? new AbortController().signal,
        createReadLog(now),
      );
      const { describe, check } = context.salesforce;
      await action.check(input, { salesforce: { describe, check }, extra });
    } catch (thrown) {
      if (thrown instanceof GatehouseError && thrown.code === 'invalid_input') throw thrown;
    }
  }

  async function unheard(held: Proposal): Promise<void> {
    const { id } = held;
    const over = new AbortController();
    const judging = judgeHeld(id)
      .then((next) => void next?.().catch((error: unknown) => failed(id, error)))
      .catch((error: unknown) => {
        failed(id, error);
        return deps.tell(held, 'waiting');
      })
      .finally(() => over.abort());
    await Promise.race([judging, deps.sleep(JUDGED_WITHIN_MS, over.signal)]);
  }

  const failed = (id: string, error: unknown) =>
    log.warn('a request of a visitor could not be worked on; it is held', { proposal: id, error: String(error) });

  /** Asks the org and the policy of now. Answers the run, where policy lets it run by itself. */
  async function judgeHeld(id: string, isDecidedByPerson = false): Promise<(() => Promise<unknown>) | undefined> {
    const proposal = await confirm.refresh(id);
    if (proposal === undefined || proposal.state !== 'received') return undefined;
    const bot = await botNamed(store, proposal.bot);
    const signal = new AbortController().signal;
    const seen = createSeenReads(deps.now);
    try {
      const permit = permitted(deps.actions, bot, proposal.action);
      const parsed = parseArgs(permit, bot.policy, proposal.args);
      const { run, preview, verdict } = await evaluate(
        deps,
        bot,
        permit,
        callerOf(proposal),
        parsed,
        signal,
        proposal.visitor,
        createReadLog(now),
        seen,
      );
      const judged = {
        preview,
        orgId: run.orgId,
        userId: run.userId,
        policyRevision: bot.policyRevision,
        assurance: verdict.assurance,
        error: null,
      };
      const detail = { reasons: verdict.reasons };
      if (verdict.decision === 'auto' && !isDecidedByPerson) {
        const decided = decidedByPolicy(preview, 'gate', now());
        const audit = { event: 'permitted', decision: 'auto', detail };
        const isOurs = await confirm.step(proposal, 'approved', { ...judged, ...decided, reasons: [] }, audit);
        return isOurs ? () => confirm.execute(id, { signal, seen }) : undefined;
      }
      // The visitor was thanked already, so a denial waits too: an operator declines it, or opens the policy.
      await confirm.step(
        proposal,
        'pending',
        { ...judged, reasons: verdict.reasons },
        { event: 'proposed', decision: verdict.decision, detail },
      );
    } catch (thrown) {
      const error = toGatehouseError(thrown, deps.newId);
      if (isPassing(error)) throw error;
      // Only a person can mend this, such as a value that the org refuses.
      const wrong = (error.fields ?? []).map(({ name, problem }) => `${name} ${problem}.`);
      const told = {
        reasons: [error.message, ...wrong],
        error: toErrorBody(error),
        ...(await readerOf(store, bot.name)),
      };
      await confirm.step(proposal, 'pending', told, { event: 'proposed', detail: { code: error.code } });
    }
    return undefined;
  }

  return {
    receive,

    async prepare(id) {
      const proposal = await confirm.refresh(id);
      if (proposal === undefined || proposal.visitor === null || !UNDECIDED_BY_ANYBODY.includes(proposal.state)) return;
      const isOfNow = proposal.orgId !== null && proposal.orgId === (await readerOf(store, proposal.bot)).orgId;
      if (proposal.state === 'pending' && isOfNow) return;
      if (proposal.state !== 'received') {
        const expiresAt = Math.max(proposal.expiresAt, now() + DAY_MS);
        const begun = { ...unjudged(proposal), expiresAt, settledAt: null };
        if (!(await confirm.step(proposal, 'received', begun, { event: 'held_again' }))) return;
      }
      await judgeHeld(id, true);
    },

    async catchUp() {
      let done = 0;
      const waiting = await store.proposals.list({ states: ['received'], limit: PAGE });
      const isAway = new Set<string>();
      for (const { id, bot } of waiting.reverse()) {
        if (isAway.has(bot)) continue;
        try {
          const run = await judgeHeld(id);
          done += 1;
          await run?.();
        } catch (error) {
          if (error instanceof GatehouseError && !['permission_denied', 'off'].includes(error.code)) isAway.add(bot);
        }
      }
      return done;
    },

    async held(bot) {
      const { received, pending, expired } = await store.proposals.countHeld(bot);
      const late =
        expired === 0 ? [] : await store.proposals.list({ bot, isOpen: true, states: ['expired'], limit: 5 });
      return {
        notLookedUp: received,
        waiting: pending,
        undecided: { count: expired, examples: late.map(({ id }) => id) },
      };
    },
  };
}

function notOffered({ name }: Action): GatehouseError {
  return new GatehouseError('permission_denied', `Policy denies ${name} for this bot.`, {
    next: 'Tell the user that this is not possible here.',
  });
}

function tooLong({ name }: Action): GatehouseError {
  return new GatehouseError('invalid_input', `${name} cannot take so much text.`, {
    next: `Say it in fewer words: ${MOST_BYTES / 1024} kB in all are the most.`,
    fields: [{ name: '(arguments)', problem: `are longer than ${MOST_BYTES / 1024} kB` }],
  });
}
