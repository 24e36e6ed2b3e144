import type { FieldValue } from '../../domain/action.ts';
import type { Direction } from '../../domain/mapping.ts';

/**
 * Three-way merge of one field. Values are in the rule's folded form; undefined means that side has nothing to say
 * (the host never named the field, a value map leaves it out). Pure: who is right depends on nothing but what is passed in.
 */
export interface FieldCase {
  readonly direction: Direction;
  readonly tie: 'salesforce' | 'host';
  readonly local: FieldValue | undefined;
  /** A person wrote it, as against a default that fills a gap. */
  readonly isSaid: boolean;
  readonly remote: FieldValue | undefined;
  /** Last agreed value; undefined before the first agreement. */
  readonly base: FieldValue | undefined;
  /** Every value we ever sent and never saw acknowledged: one of them in the record is our own push, not a remote edit. */
  readonly intents: readonly FieldValue[];
  /** Milliseconds on Salesforce's clock. */
  readonly localAt: number;
  readonly remoteAt: number;
}

export interface FieldVerdict {
  readonly action: 'none' | 'push' | 'pull';
  /** What both sides agreed on last, after this look at them. A push moves it only once it is acknowledged. */
  readonly base: FieldValue | undefined;
  /** Both sides changed it; the other value lost. */
  readonly winner: 'host' | 'salesforce' | undefined;
  /** One of our own earlier pushes was found in the record. */
  readonly hasLanded: boolean;
}

export function mergeField(field: FieldCase): FieldVerdict {
  const { direction, local, remote, isSaid } = field;
  if (remote === undefined) return { action: 'none', base: field.base, winner: undefined, hasLanded: false };
  const hasLanded = field.intents.includes(remote);
  const base = hasLanded ? remote : field.base;
  const none: FieldVerdict = { action: 'none', base, winner: undefined, hasLanded };
  const push: FieldVerdict = { ...none, action: 'push' };
  const pull: FieldVerdict = { ...none, action: 'pull', base: remote };

  if (local === remote) return { ...none, base: remote };
  if (direction === 'from_crm') {
    // What only Salesforce says fills an empty field of the host again.
    if (remote === base && (local !== null || remote === null)) return none;
    // A field that was always empty there says nothing about what the host knows.
    if (remote === null && (base === undefined || local === undefined)) return { ...none, base: null };
    return local === undefined || local === null || local === base ? pull : { ...pull, winner: 'salesforce' };
  }
  if (local === undefined) {
    // Nothing said here yet: what stands there is where we begin.
    if (direction === 'to_crm' || remote === null) return { ...none, base: remote };
    return remote === base ? none : pull;
  }
  if (base === undefined) {
    if (remote === null) return push;
    if (direction === 'to_crm') return isSaid ? push : none;
    if (!isSaid) return pull;
    return decide(field, push, pull);
  }
  if (local === base) return direction === 'to_crm' ? none : pull;
  if (remote === base || direction === 'to_crm') return push;
  return decide(field, push, pull);
}

/** Last write wins, in whole seconds because Salesforce stamps no finer; a draw goes to the configured side. */
function decide({ localAt, remoteAt, tie }: FieldCase, push: FieldVerdict, pull: FieldVerdict): FieldVerdict {
  const lead = Math.floor(localAt / 1000) - Math.floor(remoteAt / 1000);
  const isHost = lead === 0 ? tie === 'host' : lead > 0;
  return isHost ? { ...push, winner: 'host' } : { ...pull, winner: 'salesforce' };
}
