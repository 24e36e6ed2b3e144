/** For whom the host vouches: the account, and the person where several share it. */
export interface Session {
  /** The account's value in the bot's index field. */
  readonly indexValue: string;
  /** The host app's own id of the person, where several of one account must not read each other's talk and rows. */
  readonly user?: string | undefined;
}

/** What of a session makes two callers; without a person it is as long as it was before there were any. */
export function sessionParts(session: Session | null | undefined): readonly (string | null)[] {
  return [session?.indexValue ?? null, ...(session?.user === undefined ? [] : [session.user])];
}

export function isSameSession(one: Session | null | undefined, other: Session | null | undefined): boolean {
  return one?.indexValue === other?.indexValue && one?.user === other?.user;
}
