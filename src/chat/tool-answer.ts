import { type GatehouseError, toErrorBody } from '../domain/errors.ts';
import { outcomeWords } from '../domain/outcome-words.ts';
import type { Envelope } from '../domain/proposal.ts';
import type { ListedAction } from '../ports/gate.ts';
import type { ToolCall } from '../ports/model.ts';
import type { Entry } from './conversation.ts';
import type { Receipt } from './events.ts';

/** How a call ended, in two readings: JSON for the model, words for the person. */

export type Outcome = { readonly envelope: Envelope } | { readonly error: GatehouseError };
export type ToolEntry = Extract<Entry, { role: 'tool' }>;

export interface AnswerOptions {
  readonly action: ListedAction | undefined;
  /** Visitors of a public bot see no record ids and links. */
  readonly isPublic: boolean;
  /** What the bot stood under before the call was made or looked at. */
  readonly under: string;
  /** A person decided it. */
  readonly proposal?: string;
}

export function toToolEntry(call: Pick<ToolCall, 'id' | 'name'>, outcome: Outcome, options: AnswerOptions): ToolEntry {
  const receipt = toReceipt(call.name, outcome, options);
  return {
    role: 'tool',
    call: call.id,
    name: call.name,
    text: forModel(outcome, options.isPublic),
    words: forPerson(call.name, outcome, options.action),
    isFailed: 'error' in outcome,
    receipt,
    under: options.under,
  };
}

/**
 * A stored answer as it may be told now: under another policy, other grants, another org or Salesforce user nothing of the record is left, to model
 * and person alike. How it went stays, so that no write is asked for twice.
 */
export function asOpen(entry: Entry, under: string): Entry {
  if ((entry.role !== 'tool' && entry.role !== 'outcome') || entry.under === under) return entry;
  const { receipt, name } = entry;
  const bare = {
    ...entry,
    text: JSON.stringify({ ...howItWent(entry.text), note: CLOSED_SINCE }),
    receipt: receipt && {
      action: receipt.action,
      title: receipt.title,
      status: receipt.status,
      words: 'What it holds is not shown: the policy of this bot or its connection was changed since.',
      proposal: receipt.proposal,
      changes: [],
    },
  };
  return bare.role === 'tool' ? { ...bare, words: receipt?.title ?? name } : bare;
}

const CLOSED_SINCE =
  'The policy of this bot or its connection to Salesforce was changed since this was answered, so it is not told again. Call again only to read; a write that is done or waiting is not repeated.';

function howItWent(text: string): object {
  const { status, proposal, error } = JSON.parse(text); // written by `forModel`
  return {
    status: error === undefined ? status : 'failed',
    ...(proposal === undefined
      ? {}
      : { proposal: { id: proposal.id, state: proposal.state, action: proposal.action } }),
  };
}

/** Longest answer that a model is given, characters: some 6,000 tokens. */
const MOST_ANSWER = 24_000;

/** Record text stays inside JSON strings, so it can never pass for a sentence of ours. */
function forModel(outcome: Outcome, isPublic: boolean): string {
  const { body, next } =
    'error' in outcome
      ? { body: toErrorBody(outcome.error), next: undefined }
      : { body: outcome.envelope, next: nextStep(outcome.envelope) };
  const whole = next === undefined ? body : { ...body, next };
  const text = JSON.stringify(isPublic ? withoutAddresses(whole) : whole);
  if (text.length <= MOST_ANSWER) return text;
  return JSON.stringify({
    ...('envelope' in outcome ? { status: outcome.envelope.status } : {}),
    cut: text.slice(0, MOST_ANSWER),
    note: `The answer has ${text.length} characters; this is its beginning. Ask for fewer rows or fields.`,
  });
}

/** A model repeats what it reads: addresses of records are nothing for visitors. */
function withoutAddresses(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAddresses);
  if (typeof value !== 'object' || value === null) return value;
  const shown = Object.entries(value).filter(([key]) => key !== 'url' && key !== 'link');
  return Object.fromEntries(shown.map(([key, inner]) => [key, withoutAddresses(inner)]));
}

function nextStep(envelope: Envelope): string | undefined {
  const { model } = outcomeWords(envelope);
  if (envelope.status === 'waiting')
    return 'Nothing is written yet. The person sees a card and decides there. You cannot approve; repeating the call does not help.';
  return envelope.status === 'unknown' ? `${model} Say that it is being checked.` : model;
}

function forPerson(name: string, outcome: Outcome, action: ListedAction | undefined): string {
  const title = action?.title ?? name;
  if ('error' in outcome) return `${title}: ${outcome.error.message}`;
  switch (outcome.envelope.status) {
    case 'done':
      return outcome.envelope.result?.dryRun === true ? `${title}: dry run, nothing was written` : title;
    case 'waiting':
      return `${title}: needs your decision`;
    default:
      return `${title}: ${outcome.envelope.status}`;
  }
}

/** For writes, and for whatever a person was asked about. */
function toReceipt(name: string, outcome: Outcome, options: AnswerOptions): Receipt | undefined {
  const { action, isPublic, proposal } = options;
  const isWrite = action !== undefined && action.risk !== 'read';
  const status = 'error' in outcome ? 'failed' : outcome.envelope.status;
  if (status === 'waiting' || (proposal === undefined && (!isWrite || status === 'failed'))) return undefined;
  const result = 'envelope' in outcome ? (outcome.envelope.result ?? {}) : {};
  const record = Object.fromEntries(
    ['id', 'name', 'url'].flatMap((key) => (typeof result[key] === 'string' ? [[key, result[key]]] : [])),
  );
  return {
    action: name,
    title: action?.title ?? name,
    status,
    words:
      'error' in outcome
        ? outcome.error.message
        : result.alreadyDone === true
          ? 'It was so already; nothing had to be written.'
          : // What a record holds now is nothing for visitors.
            outcomeWords(isPublic && status === 'conflict' ? { status } : outcome.envelope).person,
    proposal,
    ...(isPublic || Object.keys(record).length === 0 ? {} : { record }),
    changes: isPublic ? [] : changesOf(result.changes),
  };
}

function changesOf(changes: unknown): Receipt['changes'] {
  if (!Array.isArray(changes)) return [];
  return changes.flatMap((change: unknown) =>
    typeof change === 'object' && change !== null && 'field' in change
      ? [{ before: null, after: null, ...change, field: String(change.field) }]
      : [],
  );
}
