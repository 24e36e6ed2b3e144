import type { ProposalView } from '../domain/proposal.ts';
import type { ReadAs } from '../domain/read-as.ts';
import type { ConversationRow } from '../ports/conversations.ts';
import type { Kept, ToolCall } from '../ports/model.ts';
import type { Receipt } from './events.ts';

/** Who talks. `owner` names them for good, e.g. `user:ID`, `visitor:RANDOM`, `terminal:NAME`; the session is the host's signed one. */
export interface Person {
  readonly owner: string;
  readonly session?: { readonly indexValue: string } | undefined;
  /** Where a visitor comes from of whom nothing else is known, digested. */
  readonly from?: string | undefined;
}

export interface Conversation {
  readonly id: string;
  readonly bot: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What was said and done, as it is kept: only ever added to. */
export type Entry =
  | { readonly role: 'user'; readonly text: string }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly calls: readonly ToolCall[];
      readonly kept?: Kept | undefined;
    }
  /** What became of a proposal after the talk had moved past its call: ours, in the place of the person's words. */
  | {
      readonly role: 'outcome';
      readonly name: string;
      readonly text: string;
      readonly receipt?: Receipt | undefined;
      readonly under?: string | undefined;
    }
  | {
      readonly role: 'tool';
      /** The call that this is the one answer to. */
      readonly call: string;
      readonly name: string;
      /** What the model reads. */
      readonly text: string;
      /** What a person reads. */
      readonly words: string;
      readonly isFailed: boolean;
      readonly receipt?: Receipt | undefined;
      /** What the bot stood under when this was read: told again only while that is so. */
      readonly under?: string | undefined;
    };

/** A proposal that a person has not decided yet. */
export interface Card {
  readonly proposal: string;
  readonly call: string;
  readonly name: string;
  /** The talk went on meanwhile: its call was answered with "waiting", and the end will be told as a later look. */
  readonly isTold: boolean;
}

/** The one turn that may run in a conversation. What it adds is stored before anything else happens. */
export interface Turn {
  readonly conversation: Conversation;
  readonly session: { readonly indexValue: string } | undefined;
  readonly from: string | undefined;
  readonly context: string | undefined;
  /** Where and as whom `context` was read. */
  readonly reader: ReadAs;
  readonly entries: readonly Entry[];
  readonly cards: readonly Card[];
  /** When the last entry before this turn was written. */
  readonly lastAt: number;
  add(entries: readonly Entry[], cards?: readonly Card[]): Promise<void>;
  end(): Promise<void>;
}

export interface Loaded {
  readonly conversation: Conversation;
  readonly row: ConversationRow;
  readonly session: Turn['session'];
  readonly entries: readonly { readonly at: number; readonly entry: Entry }[];
  readonly cards: readonly Card[];
  readonly isBusy: boolean;
}

export interface Transcript {
  readonly conversation: Conversation;
  readonly entries: readonly TranscriptEntry[];
  /** Open cards, oldest first. One whose `state` is no longer `pending` was decided elsewhere: call `resume`. */
  readonly proposals: readonly ProposalView[];
  /** A turn is running in it now. */
  readonly isBusy: boolean;
  /** Something was decided elsewhere and the bot has not gone on yet. */
  readonly canResume: boolean;
}

export type TranscriptEntry = { readonly at: number } & (
  | { readonly kind: 'person'; readonly text: string }
  | { readonly kind: 'bot'; readonly text: string }
  | { readonly kind: 'step'; readonly name: string; readonly phase: 'done' | 'failed'; readonly words: string }
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
);
