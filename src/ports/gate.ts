import type { z } from 'zod';
import type { Rights } from '../../permissions/catalog.ts';
import type { HeldKind, HeldRecord, Preview, Risk } from '../domain/action.ts';
import type { Assurance, Envelope, Proposal, ProposalState } from '../domain/proposal.ts';
import type { Session } from '../domain/session.ts';
import type { BotRow } from './store.ts';

/** The one road of every call, as the doors see it. */
export interface Gate {
  /** What this bot may call now, in a fixed order: granted, listed by policy, bot not off. */
  actions(bot: string): Promise<readonly ListedAction[]>;
  /** Find, permit, parse, decide, confirm, run, check the answer, audit. Throws GatehouseError. */
  call(call: Call): Promise<Envelope>;
  /** What a given call would meet now, or under a policy, grants and declared actions that nobody saved, and why; nothing runs or counts. */
  dryRun(
    call: Call,
    as?: Partial<Pick<BotRow, 'policy' | 'grants' | 'declared'>>,
  ): Promise<{
    readonly decision: 'auto' | 'confirm' | 'deny';
    readonly assurance: Assurance;
    readonly reasons: readonly string[];
    readonly preview: Preview | null;
  }>;
  /**
   * Where a proposal stands. Another bot's id is `not_found`, and so is another customer's or another person's at the chat.
   * Ends early when `signal` aborts or `waitMs` is over.
   */
  proposal(id: string, viewer: Viewer, wait?: { waitMs: number; signal?: AbortSignal | undefined }): Promise<Envelope>;
  /** The account that a chat session is about, with every field that policy opens (O9). The key comes signed from the host. */
  accountContext(
    bot: string,
    session: { readonly indexValue: string },
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>>;
}

/** What waits for a person, and the person's answer. */
export interface Approvals {
  /** For the house and its terminal: newest first. */
  list(filter: {
    bot?: string | undefined;
    bots?: readonly string[] | undefined;
    pending?: boolean | undefined;
    limit?: number | undefined;
    action?: string | undefined;
    states?: readonly ProposalState[] | undefined;
    /** Only those that a person, or nobody, decided: what policy let run is left out. */
    isForPeople?: boolean | undefined;
    /** Those that come after this one. */
    before?: string | undefined;
    /** Whose time is over first, instead of the newest. */
    isByExpiry?: boolean | undefined;
  }): Promise<readonly Proposal[]>;
  /** For the house and its terminal: one proposal with everything that is stored; `not_found` when there is none. */
  inspect(id: string): Promise<{ readonly proposal: Proposal; readonly envelope: Envelope }>;
  /** For operators: one proposal with what this one may see of it. A look at values of what has ended is an audit row. */
  look(
    id: string,
    looker: Looker,
  ): Promise<{
    readonly proposal: Proposal;
    readonly envelope: Envelope;
    /** Of a list of sync: every record. */
    readonly records: readonly HeldRecord[] | undefined;
    readonly isMasked: boolean;
  }>;
  /** The same of a list, which tells of each what it is about. */
  lookAll(filter: Parameters<Approvals['list']>[0], rights: Rights): Promise<readonly Proposal[]>;
  /** A human's answer. Only doors that have proven a human may call it. Approving runs the stored arguments, once. */
  decide(id: string, decision: HumanDecision): Promise<Envelope>;
  /** What an approver's edit would do, to be shown before it is approved; `seen` ties the approval to what was shown. */
  previewEdit(
    id: string,
    values: Readonly<Record<string, unknown>>,
    of?: Pick<HumanDecision, 'bot' | 'bots'>,
  ): Promise<EditPreview>;
  /** An operator asks to take a write back, by its audit row: a proposal like any other, for a signed-in approver. */
  undo(audit: number, by: string, channel?: 'cli' | 'rest' | 'console'): Promise<Envelope>;
  /** The list of a kind that policy holds, as it waits for a person; `ask` makes one of what is new, `press` whatever was replaced lately. */
  heldSync(
    bot: string,
    kind: HeldKind,
    how: 'look' | 'ask' | 'press',
  ): Promise<{ readonly proposal: string; readonly count: number; readonly link: string } | undefined>;
  /** For the house and its terminal: every record of such a list; undefined where the proposal is none. */
  heldRecords(id: string): Promise<readonly HeldRecord[] | undefined>;
  /** Requests of visitors that wait for somebody. */
  heldRequests(bot: string): Promise<HeldRequests>;
  /** Proposals that somebody else than us wrote into: those that can still be met, and the newest that ended by it. None of them ran. */
  changedOutside(): Promise<readonly Pick<Proposal, 'id' | 'bot' | 'action' | 'state'>[]>;
}

/** What ends by itself or must go: crashes, connections that are left, values past their time, people who are forgotten. */
export interface Retention {
  /** What a crash left behind is finished or read back. Cheap when there is nothing. */
  recover(): Promise<number>;
  /** The bot was disconnected: what waits for a yes ends. Answers how many. */
  leave(bot: string): Promise<number>;
  /** Removes personal data from audit rows and ended proposals older than `before` (ms); the chain stays. */
  tidy(before: number): Promise<{ readonly rows: number; readonly proposals: number }>;
  /** Everything kept of one person (an Id, an email) outside Salesforce is blanked; the audit chain still proves the rest. */
  erase(subject: string, by: string): Promise<{ readonly proposals: number; readonly rows: number }>;
}

/** Who looks at a proposal: what one key's customers wait for is nobody else's to know. */
export type Viewer = Pick<Call, 'bot' | 'principal' | 'session' | 'prove'> & Partial<Pick<Call, 'channel'>>;

/** An operator who looks at a proposal. */
export interface Looker {
  readonly rights: Rights;
  readonly principal: string;
  readonly channel: 'rest' | 'cli' | 'console';
}

/** What visitors were thanked for and nobody has decided. */
export interface HeldRequests {
  /** Nothing was looked up for these yet: the org could not be asked. */
  readonly notLookedUp: number;
  /** Asked, and in time. */
  readonly waiting: number;
  /** Past their time; each can still be written or declined. */
  readonly undecided: { readonly count: number; readonly examples: readonly string[] };
}

export interface EditPreview extends Pick<Proposal, 'preview' | 'reasons' | 'assurance'> {
  readonly values: Readonly<Record<string, unknown>>;
  /** The exact change: arguments, record and values before it. */
  readonly seen: string;
}

export interface Call {
  readonly bot: string;
  /** Who asks, for audit and idempotency: `agent:KEYID`, `operator:NAME`, `local`. */
  readonly principal: string;
  readonly channel: 'mcp' | 'rest' | 'cli' | 'chat' | 'console' | 'sync' | 'playground';
  readonly action: string;
  readonly args: unknown;
  readonly conversation?: string | undefined;
  /** The caller's own idempotency key; replaces the window of identical arguments. */
  readonly key?: string | undefined;
  readonly session?: Session | undefined;
  /** Where a caller comes from of whom nothing else is known, digested: counted and not kept. */
  readonly from?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Throws once who asks may ask no more: its key, sign-in or session has ended. Asked after every wait, before anything is told. */
  readonly prove?: (() => Promise<unknown>) | undefined;
  /** It ends at its preview: reads that policy lets run do so, nothing is written, nothing waits for a person, nothing counts. */
  readonly isTrial?: boolean | undefined;
  /** Told once, when the call has ended, how it was judged and what that took. */
  readonly judged?: ((judgement: Judgement) => void) | undefined;
}

export interface Judgement {
  /** Undefined where it was refused before policy was asked. */
  readonly decision?: 'auto' | 'confirm' | 'deny' | undefined;
  readonly reasons: readonly string[];
  readonly policyRevision: number;
  /** Requests to Salesforce for look and judgement; a write that follows counts its own. */
  readonly calls: number;
}

export interface ListedAction {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly risk: Risk;
  readonly idempotent: boolean;
  /** May come back as waiting for a person. */
  readonly mayAsk: boolean;
  /** Strict, with the bot's exposed fields. */
  readonly input: z.ZodObject;
  /** The envelope around the action's output; loose, only `status` required. */
  readonly output: z.ZodObject;
}

export interface HumanDecision {
  readonly answer: 'approve' | 'reject';
  readonly by: string;
  readonly via: 'console' | 'cli' | 'elicitation' | 'chat';
  readonly assurance: Assurance;
  /** One of the preview's choices, where it has any. */
  readonly choice?: string | undefined;
  /** Why it is declined: kept with the decision, shown to people, and to the model where policy says `tellReason`. */
  readonly reason?: string | undefined;
  /** The approver's edits of argument values (C5 of the gate: re-validated, new digest, both kept). */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  /** What the approver was shown of these edits; without it, or where it is no longer that, nothing is decided. */
  readonly seen?: string | undefined;
  /** Where given, the decision counts only for this bot's proposals. */
  readonly bot?: string | undefined;
  /** Those that the role of an operator is for. */
  readonly bots?: readonly string[] | undefined;
}
