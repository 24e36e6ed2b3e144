import type { Fact } from './fact.ts';
import { events } from './facts/events.ts';
import { many } from './facts/many.ts';
import { metadata } from './facts/metadata.ts';
import { records } from './facts/records.ts';
import { signIn } from './facts/sign-in.ts';

/** Everything that is marked as a guess, as common belief or as not known in what we know of Salesforce's wire. */
export const FACTS: readonly Fact[] = [...signIn, ...records, ...many, ...events, ...metadata];
