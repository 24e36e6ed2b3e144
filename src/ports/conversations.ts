/** One conversation of our own chat. */
export interface ConversationRow {
  readonly id: string;
  readonly bot: string;
  readonly owner: string;
  /** The account key that the host signed. */
  readonly session: string | null;
  /** What was known of that account at the start, JSON text. */
  readonly context: string | null;
  /** The org it was read in, and the Salesforce user whom it was read as. */
  readonly orgId: string | null;
  readonly userId: string | null;
  /** Proposals that a person has not decided yet, with the calls they belong to, JSON text. */
  readonly cards: string;
  /** Who runs a turn in it, and until when that may be. */
  readonly turn: string | null;
  readonly turnUntil: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface MessageRow {
  readonly conversation: string;
  /** From 1. */
  readonly seq: number;
  readonly at: number;
  /** JSON text. */
  readonly message: string;
}

export interface ConversationStore {
  create(row: ConversationRow): Promise<void>;
  get(id: string): Promise<ConversationRow | undefined>;
  /** Ascending. */
  messages(id: string): Promise<MessageRow[]>;
  /** Compare-and-set: true if the turn was still `from` and now is `turn`. */
  takeTurn(id: string, from: string | null, turn: string, until: number): Promise<boolean>;
  /** Nothing, if somebody else has it by now. */
  endTurn(id: string, turn: string): Promise<void>;
  /** Appends, and replaces the cards where given, while `turn` still holds it; false when it does not. */
  append(id: string, turn: string, at: number, messages: readonly string[], cards?: string): Promise<boolean>;
}
