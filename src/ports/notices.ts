/** What somebody should know and can cure: derived from what is so now, never stored, told in the console and by one webhook. */

export const NOTICE_KINDS = [
  'audit_broken',
  'reconnect_needed',
  'breaker_open',
  'budget_near',
  'schema_drift',
  'sync_problem',
  'webhook_failing',
  'approval_waits',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Names bots, actions, counts and codes; never a value of a record, nor a word of a model or a visitor. */
export interface StandingNotice {
  /** The same as long as it stands. */
  readonly id: string;
  readonly kind: NoticeKind;
  /** Null where it concerns the whole installation. */
  readonly bot: string | null;
  readonly level: 'warn' | 'bad';
  readonly text: string;
  readonly count: number;
  /** When the first of them is over, ms. */
  readonly until?: number | undefined;
  readonly cure: { readonly label: string; readonly path: string };
  /** Another one is worth another message. */
  readonly mark: string;
}

/** In whose form a message is sent. */
export const SHAPES = ['gatehouse', 'slack', 'teams'] as const;
export type Shape = (typeof SHAPES)[number];

export interface NoticeWebhook {
  readonly state: 'on' | 'off';
  /** All that is ever shown of the address: incoming webhooks hold their secret in it. */
  readonly host: string;
  readonly lastFour: string;
  readonly shape: Shape;
  readonly kinds: readonly NoticeKind[];
  readonly setBy: string;
  readonly setAt: number;
  readonly lastSentAt: number | null;
  readonly failingSince: number | null;
  readonly problem: string | null;
}

export interface WebhookInput {
  /** Left out: the address that is there. */
  readonly url?: string | undefined;
  readonly shape: Shape;
  readonly kinds: readonly NoticeKind[];
}

export interface Notices {
  /** What stands now, the worst first. */
  list(): Promise<readonly StandingNotice[]>;
  webhook(): Promise<NoticeWebhook | undefined>;
  /** Switches it on. Answers the signing secret of a new address, this once. */
  setWebhook(
    input: WebhookInput,
    by: { readonly principal: string; readonly channel: string },
  ): Promise<{ readonly secret?: string }>;
  removeWebhook(by: { readonly principal: string; readonly channel: string }): Promise<boolean>;
  /** Sends a message that says that it is a test; answers why it was not taken, if it was not. */
  test(): Promise<string | undefined>;
  /** Tells what began, changed or ended since the last message of its kind; answers how many messages were taken. */
  tell(): Promise<number>;
}
