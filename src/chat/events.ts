import type { ErrorBody } from '../domain/errors.ts';
import type { Envelope, ProposalView } from '../domain/proposal.ts';

/** What happens during a turn, in order. The terminal and the HTTP stream read the same events. */
export type ChatEvent =
  /** A piece of the model's words. */
  | { readonly type: 'text'; readonly delta: string }
  /** The model thinks before it speaks; what it thinks is not shown. */
  | { readonly type: 'thinking' }
  /** A step: once `started`, then once `done` or `failed`, under the same id. `words` are ours, for people. */
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly name: string;
      readonly phase: 'started' | 'done' | 'failed';
      readonly words: string;
    }
  /** A card: nothing is written until a person decides it. The turn ends with it. */
  | { readonly type: 'proposal'; readonly proposal: ProposalView }
  /** What became of a write, decided by a person or by policy. */
  | { readonly type: 'receipt'; readonly receipt: Receipt }
  /** Always the last event. */
  | { readonly type: 'done'; readonly reason: DoneReason; readonly usage: Usage }
  /** The turn could not go on; `done` still follows. */
  | { readonly type: 'error'; readonly error: ErrorBody['error'] };

/** `waiting`: cards are open. `stopped`: the person left or pressed stop. `failed`: see the error before it. */
export type DoneReason = 'answered' | 'waiting' | 'stopped' | 'failed';

export interface Usage {
  readonly rounds: number;
  readonly calls: number;
  /** As the endpoint counted, or estimated where it does not count. */
  readonly tokens: number;
}

/** Record text in here is data of strangers: show it as text, never as markup. */
export interface Receipt {
  readonly action: string;
  readonly title: string;
  readonly status: Envelope['status'] | 'failed';
  /** One sentence in our words. */
  readonly words: string;
  /** The proposal that a person decided, where one did. */
  readonly proposal?: string | undefined;
  /** Not there for visitors of a public bot. */
  readonly record?: { readonly id?: string; readonly name?: string; readonly url?: string };
  readonly changes: readonly { readonly field: string; readonly before: unknown; readonly after: unknown }[];
}
