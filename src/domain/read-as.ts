/** Where and as whom something of Salesforce was read: what one user may see is told to nobody who reads as another. */
export interface ReadAs {
  readonly orgId: string | null;
  readonly userId: string | null;
}

/** As a connection reads, whatever state it is in. */
export function readAs(connection: ReadAs | undefined): ReadAs {
  return { orgId: connection?.orgId ?? null, userId: connection?.userId ?? null };
}

/** What nobody read, or nobody knows who, is no one's. */
export function isSameReader(one: ReadAs, other: ReadAs): boolean {
  return one.orgId !== null && one.userId !== null && one.orgId === other.orgId && one.userId === other.userId;
}

/** The same for the same reader: part of whatever remembers what was read. */
export function readerKey({ orgId, userId }: ReadAs): string {
  return `${orgId} ${userId}`;
}
