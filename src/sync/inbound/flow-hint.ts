/**
 * What a Flow's HTTP callout says: which record to look at, and by what a repeat is known. Whatever else it sends is not believed:
 * anybody who may edit a flow could make it up.
 */
export interface FlowHint {
  readonly orgId: string;
  readonly object: string;
  readonly recordId: string;
  /** The same on every repeat; `at` tells two changes apart where there is none. */
  readonly eventId?: string | null | undefined;
  readonly at?: string | null | undefined;
}

/** With the record it names: a made-up callout with the id of a real one to come must not swallow that one. */
export const keyOf = ({ eventId, at, object, recordId }: FlowHint): string =>
  `flow:${object}:${recordId}:${eventId ?? `at ${at}`}`;
