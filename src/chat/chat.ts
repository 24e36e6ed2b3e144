import type { ProposalView } from '../confirm/proposal.ts';
import type { ChatEvent, Receipt } from './events.ts';

/**
 * Our own chat: people talk, the bot acts through the gate, the person decides. A conversation lives in the store, so that a
 * card can be answered after a restart, and one turn at a time runs in it.
 *
 * `say`, `answer` and `resume` refuse by throwing a GatehouseError at the first step of the iteration, before anything
 * happened: `not_found` (no such conversation of this owner), `conflict` (a turn is running, or the card is decided), `invalid_input`,
 * `permission_denied` (the card needs a signed-in approver). Whatever goes wrong later is an `error` event, and `done` ends it.
 */
export interface Chat {
  /** Who answers; every surface says so when it is a demo or when the org is simulated. */
  readonly about: About;
  /** `owner` names the person for good, e.g. `user:ID`, `visitor:RANDOM`, `terminal:NAME`. The session is the host's signed one. */
  open(bot: string, owner: string, session?: { readonly indexValue: string }): Promise<Conversation>;
  /** One turn. What was decided elsewhere since the last one comes first. Aborting ends it cleanly. */
  say(conversation: string, owner: string, text: string, signal?: AbortSignal): AsyncIterable<ChatEvent>;
  /** The person's own button or key, assurance `client`: never called for anything that a model or a typed text said. */
  answer(
    conversation: string,
    owner: string,
    proposal: string,
    answer: CardAnswer,
    signal?: AbortSignal,
  ): AsyncIterable<ChatEvent>;
  /** Goes on after a decision at another place (console, command line); ends at once when there is none. */
  resume(conversation: string, owner: string, signal?: AbortSignal): AsyncIterable<ChatEvent>;
  /** Everything said so far, and the open cards. Another's conversation is `not_found`. */
  read(conversation: string, owner: string): Promise<Transcript>;
}

export interface About {
  readonly model: string;
  readonly isDemo: boolean;
  readonly isSimulated: boolean;
}

export interface CardAnswer {
  readonly answer: 'approve' | 'reject';
  /** One of the proposal's choices, where it has any. */
  readonly choice?: string;
}

export interface Conversation {
  readonly id: string;
  readonly bot: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly updatedAt: number;
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
