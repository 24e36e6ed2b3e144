import type { Paths } from '../../../http/api.ts';
import { Badge } from './states.tsx';

/** One row of the audit in words: what became of a call, and why. */

export type LogRow = Paths['/api/audit']['get']['responses'][200]['content']['application/json']['rows'][number];
export type Outcome = NonNullable<LogRow['outcome']>;

export const OUTCOME_WORDS = {
  done: ['good', 'Done'],
  asked: ['accent', 'Asked'],
  refused: ['bad', 'Refused'],
  failed: ['bad', 'Failed'],
  approved: ['good', 'Approved'],
  declined: ['warn', 'Declined'],
  expired: ['warn', 'Expired'],
  cancelled: ['', 'Caller left'],
} as const satisfies Record<Outcome, readonly [kind: string, words: string]>;
export const OUTCOME_NAMES = Object.keys(OUTCOME_WORDS) as Outcome[]; // its own keys

/** `policy_saved` is policy saved to a person. */
const plain = (event: string) => event.replaceAll('_', ' ');

export function OutcomeBadge({ row: { outcome, event } }: { readonly row: Pick<LogRow, 'outcome' | 'event'> }) {
  if (outcome === null) return <Badge>{plain(event)}</Badge>;
  const [kind, words] = OUTCOME_WORDS[outcome];
  // A failure is told apart: a conflict wrote nothing, of an unknown one nobody knows.
  return <Badge kind={kind}>{outcome === 'failed' ? plain(event) : words}</Badge>;
}

/** Why a call was refused, and what an operator does about it, by the code of the error. */
const CAUSES: ReadonlyMap<string, readonly [cause: string, cure: string]> = new Map([
  ['permission_denied', ['Not granted, or denied by policy', 'Grant the action, or change its rule.']],
  ['off', ['Switched off', 'Switch the action or the bot on again.']],
  ['invalid_input', ['Arguments were wrong', 'The model was told which; nothing to do, unless it repeats.']],
  ['query_refused', ['Query refused by the guard', 'Open the object or field in the policy, if it may be read.']],
  ['not_found', ['Nothing found', 'The record is not there, or this bot may not see it.']],
  ['ambiguous', ['Several records match', 'The model was told to ask which; make the key unique in Salesforce.']],
  ['duplicate', ['A look-alike is there', 'Use the record that is there, or let a person choose.']],
  ['validation_rule', ['A rule of the org refused it', 'The rule is Salesforce’s own: see the org’s setup.']],
  ['conflict', ['The record changed meanwhile', 'Nothing to do: the model was told to propose it anew.']],
  ['rate_limited', ['Too many calls', 'Wait, or raise the limit of the bot.']],
  ['limit_reached', ['API limit reached', 'It goes on by itself when Salesforce’s day is over.']],
  ['not_connected', ['Not connected', 'Connect the bot.']],
  ['reconnect_needed', ['Reconnect needed', 'Reconnect the bot.']],
  ['salesforce_error', ['Salesforce refused it', 'See the last failure on the connection.']],
  ['circuit_open', ['Calls are paused', 'Salesforce failed too often; it is tried again by itself.']],
  ['cancelled', ['The caller left before the answer', 'Nothing to do.']],
  ['salesforce_unavailable', ['Salesforce did not answer', 'It is tried again at the next call.']],
  [
    'store_unavailable',
    ['Gatehouse could not read or write its own state', 'Look at the database, the token store and the disk.'],
  ],
  ['internal', ['A failure of Gatehouse', 'See the log of the server.']],
]);

export const causeOf = (code: string) => CAUSES.get(code)?.[0] ?? plain(code);
export const cureOf = (code: string) => CAUSES.get(code)?.[1];

/** What the detail of a row holds, as far as it is of the kind that is asked for. */
export function detailOf({ detail }: Pick<LogRow, 'detail'>) {
  const text = (name: string) => (typeof detail[name] === 'string' ? detail[name] : undefined);
  const number = (name: string) => (typeof detail[name] === 'number' ? detail[name] : undefined);
  const texts = (name: string) =>
    Array.isArray(detail[name]) ? detail[name].filter((one) => typeof one === 'string') : [];
  return {
    code: text('code'),
    conversation: text('conversation'),
    ms: number('ms'),
    calls: number('calls'),
    rows: number('rows'),
    reasons: texts('reasons'),
    fields: texts('fields'),
    writes: Array.isArray(detail.writes) ? detail.writes.filter(isWrite) : [],
  };
}

interface Write {
  readonly object: string;
  readonly kind: string;
  readonly fields: readonly string[];
}

function isWrite(of: unknown): of is Write {
  return typeof of === 'object' && of !== null && 'object' in of && 'fields' in of && Array.isArray(of.fields);
}
