import { fillLead, isLeadWish, type LeadSlots, leadCall, missingOf, questionFor } from './lead.ts';
import { type Order, ordersIn } from './orders.ts';
import { isYes, pickedFrom, tell } from './tell.ts';

/**
 * What the demo model says next: rules over the conversation, nothing else. It plays the seeds' flows and shows what a
 * careful model does: asks for what is missing, never obeys a record, never takes a "yes" for an approval.
 */
export interface DemoMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content?: string | null;
  readonly tool_calls?: readonly DemoCall[];
  readonly tool_call_id?: string;
}

export interface DemoCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface Answer {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> }[];
}

const HELLO =
  'I am gatehouse-demo: a demo that follows rules, not a language model, so I know only a few phrases. Set OPENAI_API_KEY for a real one.\n\n';

export function talk(messages: readonly DemoMessage[], tools: readonly string[]): Answer {
  const last = messages.at(-1);
  if (last?.role === 'tool') return tell(messages);
  const answer = reply(messages, last?.content ?? '', tools);
  const isFirst = !messages.some(({ role }) => role === 'assistant');
  return isFirst ? { ...answer, text: `${HELLO}${answer.text ?? ''}` } : answer;
}

function reply(messages: readonly DemoMessage[], text: string, tools: readonly string[]): Answer {
  if (CANCEL.test(text) && !/\binstead\b/i.test(text))
    return {
      text: 'All right, I leave it. If a card is still open, decline it there; until somebody decides, nothing is written.',
    };
  if (isYes(text) && isWaiting(messages))
    return { text: 'I cannot approve it, and a message cannot either: please decide on the card.' };

  const picked = pickedFrom(messages, text);
  const orders = picked === undefined ? ordersIn(text, messages) : [picked];
  if (orders.length > 0) return carryOut(orders, tools);

  const lead = leadSoFar(messages);
  if (lead === undefined) return { text: helpFor(tools) };
  if (!tools.includes('CreateLead')) return { text: notGranted('CreateLead') };
  return missingOf(lead).length === 0 ? { calls: [leadCall(lead)] } : { text: questionFor(lead) };
}

/** Every order of the sentence; what is unclear is asked, the rest is done. */
function carryOut(orders: readonly Order[], tools: readonly string[]): Answer {
  const texts: string[] = [];
  const calls: NonNullable<Answer['calls']>[number][] = [];
  for (const order of orders)
    if ('ask' in order) texts.push(order.ask);
    else if (!tools.includes(order.name)) texts.push(notGranted(order.name));
    else calls.push(order);
  return {
    ...(texts.length === 0 ? {} : { text: texts.join(' ') }),
    ...(calls.length === 0 ? {} : { calls }),
  };
}

/** What was told of the lead, from the wish on; over once it was created or given up. */
function leadSoFar(messages: readonly DemoMessage[]): LeadSlots | undefined {
  let lead: LeadSlots | undefined;
  for (const { role, content, tool_calls: calls = [] } of messages) {
    const text = content ?? '';
    if (role === 'assistant' && calls.some((call) => call.function.name === 'CreateLead')) lead = undefined;
    if (role !== 'user') continue;
    if (CANCEL.test(text)) lead = undefined;
    else if (lead !== undefined) lead = fillLead(lead, text, true);
    else if (isLeadWish(text)) lead = fillLead({ description: text.slice(0, 200) }, text, false);
  }
  return lead;
}

const CANCEL = /^(no[,. ]|oh,? )?\s*(never ?mind|cancel|forget (it|about it|that)|stop|leave it|don'?t)\b/i;

/** The last call that was told to wait has not been told otherwise since. */
function isWaiting(messages: readonly DemoMessage[]): boolean {
  return messages.findLast(({ role }) => role === 'tool')?.content?.startsWith('{"status":"waiting"') === true;
}

function notGranted(action: string): string {
  return `This bot may not do that here (${action}); an operator can grant it.`;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  CreateLead: '"I\'d like to hear about your enterprise plan"',
  GetAccount: '"What is the status of OPP-123?"',
  UpdateOpportunity: '"Move OPP-456 to Closed Won"',
  RunSOQL: '"How many deals did we win this quarter?"',
  SyncParty: '"Sync this customer"',
};

function helpFor(tools: readonly string[]): string {
  const examples = tools.flatMap((name) => EXAMPLES[name] ?? []);
  return examples.length === 0
    ? 'This bot may not do anything on Salesforce yet; an operator can grant it actions.'
    : `I did not understand that. Try: ${examples.join(', ')}.`;
}
