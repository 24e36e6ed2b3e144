import type { Preview } from './action.ts';
import { digestOf } from './canonical-json.ts';
import type { ErrorBody } from './errors.ts';
import type { ReadAs } from './read-as.ts';
import { quoted } from './safe-text.ts';
import type { Session } from './session.ts';

/** One exact action waiting for, or past, a human's decision. Its life is a small state machine moved by compare-and-set. */

export type ProposalState =
  /** What a visitor was thanked for, not judged yet, or not in the org of now. */
  | 'received'
  | 'pending'
  | 'approved'
  | 'rejected'
  | 'expired'
  | 'superseded'
  | 'executing'
  | 'done'
  | 'failed'
  | 'conflict'
  | 'unknown';

/** Where each state may go. Everything not listed is refused by the store's compare-and-set. */
export const MOVES: Readonly<Record<ProposalState, readonly ProposalState[]>> = {
  received: ['approved', 'pending', 'failed', 'rejected', 'expired', 'conflict'],
  // To itself: a no in the client leaves it to a signed-in person.
  pending: ['pending', 'approved', 'rejected', 'expired', 'superseded', 'conflict', 'received'],
  approved: ['executing', 'expired', 'failed', 'conflict'],
  executing: ['done', 'failed', 'conflict', 'unknown', 'approved', 'pending', 'received'],
  unknown: ['approved', 'done', 'failed', 'conflict'],
  rejected: [],
  // Only what a visitor was thanked for: it is not lost because nobody looked in time.
  expired: ['approved', 'rejected', 'received', 'conflict'],
  superseded: [],
  done: [],
  failed: [],
  conflict: [],
};

/** Clocks of machines that share a store differ by less than this. */
export const CLOCK_SKEW_MS = 5 * 60_000;

type Times = Pick<Proposal, 'createdAt' | 'expiresAt'>;

/**
 * Its time is over; by `graceMs` later for what had begun in time. A clock that went back must not lengthen a life: what was made
 * in the future is over too.
 */
export function isOver({ createdAt, expiresAt }: Times, now: number, graceMs = 0): boolean {
  return now >= expiresAt + graceMs || isFromFuture({ createdAt }, now);
}

/** Its maker's clock is minutes ahead of ours, or ours went back: no time of it can be judged here. */
export function isFromFuture({ createdAt }: Pick<Times, 'createdAt'>, now: number): boolean {
  return now < createdAt - CLOCK_SKEW_MS;
}

/** How sure we are that a human of the owner said yes: `client` = somebody at the chat client, `session` = a signed-in approver. */
export type Assurance = 'client' | 'session';

/** A write recorded before it is sent, so that a crash can be read back instead of repeated. */
export interface RecordedWrite {
  /** `invoke`: code of the org, named in `object`; `after` is what was sent and what came of it. */
  readonly kind: 'create' | 'update' | 'remove' | 'invoke';
  readonly object: string;
  /** Known for updates at once, for creates when the answer came. */
  readonly id: string | null;
  /** External-id value that names this create in the org, where the org has our field. */
  readonly mark: string | null;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  /** By the clock of the process that wrote it down. */
  readonly at: number;
  /** By the org's clock, as it was known then: what the write made is no older. Rows of earlier versions lack it. */
  readonly orgAt?: number | undefined;
  readonly state: 'sent' | 'done' | 'failed';
  /** Of records that are written all or none: the place of their first one. Until it is done, `after` holds `{ from: place }` for an Id. */
  readonly graph?: number;
}

/** Who was thanked for a request, and how many came before it in its hour. */
export interface Visitor {
  /** The same for all requests of one visitor; names nobody. */
  readonly id: string;
  /** Requests to the bot for this action, in the past hour. */
  readonly requests: number;
  /** Those of this visitor. */
  readonly ownRequests: number;
}

export interface Proposal extends ReadAs {
  /** 128 random bits, hexadecimal. */
  readonly id: string;
  readonly bot: string;
  /** The org it was judged in; it runs in no other. Null where none was asked yet. */
  readonly orgId: string | null;
  /** The Salesforce user whom it was read as. */
  readonly userId: string | null;
  readonly principal: string;
  readonly conversation: string | null;
  readonly action: string;
  /** Parsed arguments, exactly as they will run. */
  readonly args: Readonly<Record<string, unknown>>;
  /** SHA-256 over bot, action and canonical arguments. */
  readonly digest: string;
  /** One live proposal per value; null once the window is over. */
  readonly dedupeKey: string | null;
  readonly preview: Preview | null;
  readonly reasons: readonly string[];
  readonly assurance: Assurance;
  /** What a no in a client's form does: ends it, leaves it to a signed-in person, or has left it to one already. */
  readonly clientDecline: 'ends' | 'waits' | 'declined';
  readonly policyRevision: number;
  /** Set where a visitor was thanked for it (P6): such a request is never lost. */
  readonly visitor: Visitor | null;
  readonly session: Session | null;
  readonly state: ProposalState;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decidedBy: string | null;
  readonly decidedVia: string | null;
  readonly decidedAt: number | null;
  readonly choice: string | null;
  /** Which running process holds it while `executing`, and until when it may. */
  readonly runner: string | null;
  readonly leaseUntil: number | null;
  readonly effects: readonly RecordedWrite[];
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly error: ErrorBody | null;
  readonly settledAt: number | null;
  /** Signed by us over everything that decides what is written; `effectsSeal` over what was recorded of the writes. */
  readonly seal: string | null;
  readonly effectsSeal: string | null;
}

/** Names whoever asked, for what runs in their name. */
export function callerOf({ principal, conversation, session }: Proposal): {
  readonly principal: string;
  readonly conversation?: string | undefined;
  readonly session?: Session | undefined;
} {
  return { principal, ...(conversation === null ? {} : { conversation }), ...(session === null ? {} : { session }) };
}

/** The same for the same call, whoever makes it. Under another revision of a declared action it is another call. */
export function digestOfCall(
  bot: string,
  { name, revision }: { readonly name: string; readonly revision?: number },
  args: Proposal['args'],
): string {
  return digestOf({ bot, action: revision === undefined ? name : `${name}@${revision}`, args });
}

/** A proposal as it begins: what was asked, and nothing that came of it yet. */
export function newProposal(
  bot: { readonly name: string; readonly policyRevision: number },
  caller: ReturnType<typeof callerOf>,
  asked: Omit<Proposal, 'bot' | 'principal' | 'conversation' | 'session' | 'policyRevision' | keyof typeof UNTOUCHED> &
    Partial<Pick<Proposal, keyof typeof UNTOUCHED>>,
): Proposal {
  return {
    ...UNTOUCHED,
    bot: bot.name,
    principal: caller.principal,
    conversation: caller.conversation ?? null,
    session: caller.session ?? null,
    policyRevision: bot.policyRevision,
    ...asked,
  };
}

const UNTOUCHED = {
  visitor: null,
  decidedBy: null,
  decidedVia: null,
  decidedAt: null,
  choice: null,
  runner: null,
  leaseUntil: null,
  effects: [],
  result: null,
  error: null,
  settledAt: null,
  seal: null,
  effectsSeal: null,
} as const satisfies Partial<Proposal>;

/** Who decided what policy let run by itself. */
export const BY_POLICY = 'policy';

/** A yes of policy: of several choices it takes the first. */
export function decidedByPolicy(
  preview: Preview | null,
  decidedVia: string,
  decidedAt: number,
): Pick<Proposal, 'decidedBy' | 'decidedVia' | 'decidedAt' | 'choice'> {
  return { decidedBy: BY_POLICY, decidedVia, decidedAt, choice: preview?.choices?.[0]?.id ?? null };
}

/** Whether somebody may still decide it: what a visitor was thanked for, also late. */
export function isOpen({ state, visitor }: Pick<Proposal, 'state' | 'visitor'>): boolean {
  return state === 'pending' || state === 'received' || (state === 'expired' && visitor !== null);
}

/** What a person is asked. A yes to the bare name of a look-up would be a yes to whatever it was asked with. */
export function summaryOf({ action, args, preview }: Pick<Proposal, 'action' | 'args' | 'preview'>): string {
  if (preview !== null) return preview.summary;
  const given = Object.entries(args).map(
    ([name, value]) =>
      `${name} ${typeof value === 'string' ? quoted(value, Number.POSITIVE_INFINITY) : JSON.stringify(value)}`,
  );
  return given.length === 0 ? action : `${action} with ${given.join(', ')}`;
}

/** A client said no, and a signed-in person may still say yes. */
export function isDeclinedInClient({ state, clientDecline }: Pick<Proposal, 'state' | 'clientDecline'>): boolean {
  return state === 'pending' && clientDecline === 'declined';
}

/** Why a person declined it, in their words; `isTold`: policy let the model read them when they were written. */
export interface Decline {
  readonly reason: string;
  readonly isTold: boolean;
}

/** Characters of a reason. */
export const MOST_REASON = 500;

/** What came of a no that had a reason stands where the result of a yes would. */
export function declineOf({ state, result }: Pick<Proposal, 'state' | 'result'>): Decline | undefined {
  const { reason, isTold } = state === 'rejected' ? (result ?? {}) : {};
  return typeof reason === 'string' ? { reason, isTold: isTold === true } : undefined;
}

/** What is left of a proposal once nothing of records and people may be kept: that it was, who decided, and how it ended. */
export const BLANK = {
  args: {},
  preview: null,
  session: null,
  effects: [],
  result: null,
  error: null,
} as const satisfies Partial<Proposal>;

/** What a model, an approver or a CLI sees of it. */
export interface ProposalView {
  readonly id: string;
  readonly state: ProposalState;
  readonly action: string;
  /** What the approval must prove; `session` cannot be given by elicitation. */
  readonly assurance: Assurance;
  readonly summary: string;
  readonly changes: Preview['changes'];
  readonly reasons: readonly string[];
  readonly warnings?: readonly string[];
  readonly choices?: Preview['choices'];
  readonly query?: Preview['query'];
  readonly target?: Preview['target'];
  /** The client said no, and policy leaves the decision to a signed-in person. */
  readonly declinedInClient?: true;
  /** Why it ended as it did, where it is a conflict or not known. */
  readonly problem?: { readonly message: string; readonly next: string };
  /** Why a person declined it, quoted; where policy lets the model read it. */
  readonly declineReason?: string;
  /** Where a human decides. Opening it needs a sign-in; it holds no secret. */
  readonly link: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

/** The built-in tool by which a model sees how a proposal went. */
export const GET_PROPOSAL = 'GetProposal';

/** The one shape of every tool's structured result. Waiting, declined, expired, conflict and unknown are outcomes, not errors. */
export interface Envelope {
  readonly status: 'done' | 'waiting' | 'declined' | 'expired' | 'conflict' | 'unknown';
  readonly result?: Readonly<Record<string, unknown>>;
  readonly proposal?: ProposalView | undefined;
}
