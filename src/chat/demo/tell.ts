import type { ErrorBody } from '../../domain/errors.ts';
import type { Envelope } from '../../domain/proposal.ts';
import type { Answer, DemoCall, DemoMessage } from './messages.ts';
import type { Order } from './orders.ts';

/** Results in words. What a record says is only ever quoted. */

type Result = Partial<Envelope> & Partial<ErrorBody>;
type Row = Readonly<Record<string, unknown>>;

export function tell(messages: readonly DemoMessage[]): Answer {
  const from = messages.findLastIndex(({ role }) => role === 'assistant');
  const calls = messages[from]?.tool_calls ?? [];
  const ends = messages.slice(from + 1).map(({ tool_call_id, content }) => ({
    call: calls.find(({ id }) => id === tool_call_id),
    result: JSON.parse(content ?? '{}') as Result, // written by our own loop
  }));
  const repairs = ends.flatMap(({ call, result }) => repaired(messages, call, result) ?? []);
  if (repairs.length > 0)
    return { text: 'The query was refused; I repair it as the refusal says.\n\n', calls: repairs };
  const isSimulated = messages[0]?.content?.includes('The org is simulated') === true;
  const wrote = ends.some(({ result }) => result.status === 'done' && result.result?.url !== undefined);
  const words = ends.map(({ call, result }) => sentence(call, result));
  return { text: [...words, ...(wrote && isSimulated ? ['(This is a simulated org.)'] : [])].join('\n') };
}

/** A decision that was made after the talk had gone on. */
export interface Outcome {
  readonly name: string;
  readonly json: string;
}

export function tellOutcome({ name, json }: Outcome): string {
  return sentence({ id: '', function: { name, arguments: '{}' } }, JSON.parse(json) as Result); // written by our own loop
}

/** The call ended at its preview, at the playground. */
function tried({ would = 'be received', summary }: Row): string {
  const what = summary === undefined ? '.' : `: ${summary}`;
  return `Dry run: nothing was written. It would ${would}${what}`;
}

const NOT_DONE: Readonly<Partial<Record<Envelope['status'], string>>> = {
  waiting: 'It waits for a decision on the card; nothing is written until then.',
  declined: 'All right, it was declined and nothing was written. Tell me if you want something else instead.',
  expired: 'Nobody decided in time, so nothing was written. Tell me if you still want it.',
  conflict:
    'The record changed meanwhile, so nothing was written. Tell me if you still want it, and I propose it again.',
  unknown: 'Salesforce did not say whether it was written; it is being checked. Please do not repeat it.',
};

function sentence(call: DemoCall | undefined, { status, result = {}, error }: Result): string {
  if (error !== undefined) return problem(error);
  if (result.dryRun === true) return tried(result);
  if (status !== 'done') return NOT_DONE[status ?? 'unknown'] ?? '';
  switch (call?.function.name) {
    case 'CreateLead':
      if (result.existing === true) return `You are known to us already, so I used that record: ${result.url}`;
      if (result.url === undefined) return 'Thank you, your request is with our team; somebody will get in touch.';
      return `The lead ${quote(result.name)} ${result.alreadyDone ? 'was created already' : 'is created'}: ${result.url}`;
    case 'UpdateOpportunity':
      return `${quote(result.name)} is updated: ${rowsOf(result.changes).map(arrow).join(', ') || 'it was so already'}. ${result.url}`;
    case 'GetAccount':
      return aboutAccount(result);
    case 'RunSOQL':
      return aboutRows(result);
    case 'SyncParty':
    case 'SyncCase':
      return result.operation === 'none'
        ? `It was in step already: ${result.url}`
        : `It is in step now (${result.operation}, ${String(result.direction).replaceAll('_', ' ')}): ${result.url}`;
    default:
      return 'Done.';
  }
}

function problem({ message, candidates = [], fields = [], next }: ErrorBody['error']): string {
  if (candidates.length > 0)
    return [
      `${message} Which one do you mean?`,
      ...candidates.map(({ name, hint }, at) => `${at + 1}. ${quote(name)}${hint ? ` (${quote(hint)})` : ''}`),
    ].join('\n');
  if (fields.length > 0) return `${message} ${fields.map(({ name, problem: why }) => `${name} ${why}`).join('; ')}.`;
  return /^(Tell|Ask) the user/.test(next) ? message : `${message} ${next}`;
}

function aboutAccount({ account, opportunity, ...lists }: Row): string {
  const of = account as Row; // GetAccount always has one
  const parts = [
    ...(opportunity === undefined ? [] : [`${deal(opportunity as Row)}, account ${quote(of.Name)}.`]),
    ...(opportunity === undefined
      ? [
          `${quote(of.Name)}: ${[of.Industry, of.Type, of.BillingCity].filter(Boolean).map(quote).join(', ')}.${of.url === undefined ? '' : ` ${of.url}`}`,
        ]
      : []),
  ];
  for (const [name, list] of Object.entries(lists))
    parts.push(
      `${name}: ${
        rowsOf(list)
          .map((row) => quote(row.Name ?? row.Subject))
          .join(', ') || 'none'
      }`,
    );
  return parts.join('\n');
}

function deal({ Name, StageName, Amount, CloseDate, NextStep }: Row): string {
  const amount = typeof Amount === 'number' ? `, amount ${Amount.toLocaleString('en')}` : '';
  const next = NextStep === undefined ? '' : `, next step ${quote(NextStep)}`;
  return `${quote(Name)} is at ${quote(StageName)}${amount}, closes ${CloseDate}${next}`;
}

function aboutRows({ rows, total, nextCursor }: Row): string {
  const all = rowsOf(rows);
  if (all.length === 1 && Object.keys(all[0] ?? {}).join() === 'count') return `That is ${total}.`;
  if (all.length === 0) return 'Nothing was found.';
  const lines = all.slice(0, 10).map((row) => `- ${Object.values(row).map(quote).join(', ')}`);
  return [...lines, ...(all.length > 10 || nextCursor ? [`… ${total} in all.`] : [])].join('\n');
}

function arrow({ field, before, after }: Row): string {
  return `${field} ${before === null ? 'empty' : quote(before)} → ${after === null ? 'empty' : quote(after)}`;
}

function quote(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'empty';
  return JSON.stringify(value.length > 120 ? `${value.slice(0, 119)}…` : value);
}

function rowsOf(value: unknown): Row[] {
  return Array.isArray(value) ? (value as Row[]) : [];
}

/** What a refusal's code says to change in the query. Tried once. */
const REPAIRS: Readonly<Record<string, (soql: string) => string>> = {
  count_star: (soql) => soql.replace(/count\s*\(\s*\*\s*\)/gi, 'COUNT()'),
  select_star: (soql) => soql.replace(/select\s+\*/i, 'SELECT Id, Name'),
  double_quotes: (soql) => soql.replaceAll('"', "'"),
  double_equals: (soql) => soql.replaceAll('==', '='),
  semicolon: (soql) => soql.replace(/;.*$/s, ''),
  back_ticks: (soql) => soql.replaceAll('`', ''),
};

function repaired(messages: readonly DemoMessage[], call: DemoCall | undefined, { error }: Result) {
  if (error?.code !== 'query_refused' || call === undefined) return undefined;
  const code = /\((\w+), position/.exec(error.message)?.[1] ?? '';
  const { soql = '' } = JSON.parse(call.function.arguments) as { soql?: string };
  const better = REPAIRS[code]?.(soql);
  const said = messages.flatMap(({ tool_calls: calls = [] }) => calls.map((made) => made.function.arguments));
  if (better === undefined || said.includes(JSON.stringify({ soql: better }))) return undefined;
  return [{ name: 'RunSOQL', args: { soql: better } }];
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth'];

/** "The second one", "2", "the one in Oslo": which of the candidates that were just listed is meant. */
export function pickedFrom(messages: readonly DemoMessage[], text: string): Order | undefined {
  const asked = messages.at(-2);
  const answer = messages.at(-3);
  if (asked?.role !== 'assistant' || !asked.content?.includes('Which one do you mean?') || answer?.role !== 'tool')
    return undefined;
  const { error } = JSON.parse(answer.content ?? '{}') as Result;
  const candidates = error?.candidates ?? [];
  const words = text.toLowerCase();
  const number =
    Number(/^\D{0,12}([1-5])\b/.exec(words)?.[1] ?? 0) || ORDINALS.findIndex((one) => words.includes(one)) + 1;
  const named = candidates.filter(({ hint = '' }) =>
    hint
      .toLowerCase()
      .split(/[ ,&]+/)
      .some((word) => word.length > 3 && words.includes(word)),
  );
  const chosen = candidates[number - 1] ?? (named.length === 1 ? named[0] : undefined);
  const made = messages.flatMap(({ tool_calls: calls = [] }) => calls).find(({ id }) => id === answer.tool_call_id);
  if (chosen === undefined || made === undefined) return undefined;
  const { name: _, reference: __, key: ___, opportunity: ____, ...rest } = JSON.parse(made.function.arguments) as Row;
  return { name: made.function.name, args: { ...rest, id: chosen.id } };
}

export function isYes(text: string): boolean {
  return /^\s*(yes|yep|ok(ay)?|sure|approved?|go ahead|do it|confirm(ed)?|i approve|correct)\b/i.test(text);
}
