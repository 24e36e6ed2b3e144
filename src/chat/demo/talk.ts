import { OUTCOME } from '../../ports/model.ts';
import { fillLead, isLeadWish, type LeadSlots, leadCall, missingOf, questionFor } from './lead.ts';
import type { Answer, DemoMessage } from './messages.ts';
import { type Order, ordersIn } from './orders.ts';
import { isYes, type Outcome, pickedFrom, tell, tellOutcome } from './tell.ts';

const HELLO = 'I am gatehouse-demo: a demo that follows rules, not a language model, so I know only a few phrases.';
const FOR_OPERATORS = ' Set OPENAI_API_KEY for a real one.';

/** Our own system prompt says whom it speaks to. */
const isForVisitors = ([system]: readonly DemoMessage[]) =>
  system?.content?.includes('visitors of a public page') === true;

/** Its patterns look for a few words anywhere; some take far longer than the text is long. */
const MOST_READ = 1_000;

/**
 * What the demo model says next: rules over the conversation, nothing else. It plays the seeds' flows and shows what a
 * careful model does: asks for what is missing, never obeys a record, never takes a "yes" for an approval.
 */
export function talk(heard: readonly DemoMessage[], tools: readonly string[]): Answer {
  const last = heard.at(-1);
  if (last?.role === 'tool') return tell(heard);
  const { outcomes, rest: whole } = splitOutcomes(last?.content ?? '');
  const rest = whole.slice(0, MOST_READ);
  const told = outcomes.map(tellOutcome).join('\n');
  if (outcomes.length > 0 && rest === '') return { text: told };
  const messages = heard.map((message) =>
    message.role === 'user'
      ? { ...message, content: splitOutcomes(message.content ?? '').rest.slice(0, MOST_READ) }
      : message,
  );
  const said = reply(messages, rest, tools, isWaiting(heard));
  const answer = told === '' ? said : { ...said, text: `${told}\n\n${said.text ?? ''}`.trim() };
  const isFirst = !messages.some(({ role }) => role === 'assistant');
  return isFirst
    ? { ...answer, text: `${HELLO}${isForVisitors(heard) ? '' : FOR_OPERATORS}\n\n${answer.text ?? ''}` }
    : answer;
}

function reply(messages: readonly DemoMessage[], given: string, tools: readonly string[], waits: boolean): Answer {
  // "No, forget it. What is the status of OPP-123?": the question stays.
  const left = CANCEL.test(given) ? given.replace(CANCEL, '').replace(/^[^.;!?\n]*[.;!?\n]?\s*/, '') : given;
  const isOff = CANCEL.test(given) && !/\binstead\b/i.test(given);
  if (isOff) {
    const more = left === '' ? {} : reply(messages, left, tools, false);
    return { ...more, text: [LEFT, more.text].filter(Boolean).join('\n\n') };
  }
  const text = given;
  if (isYes(text) && waits)
    return { text: 'I cannot approve it, and a message cannot either: please decide on the card.' };

  const picked = pickedFrom(messages, text);
  const orders = picked === undefined ? ordersIn(text, messages, waits) : [picked];
  const visitors = isForVisitors(messages);
  if (orders.length > 0) return carryOut(orders, tools, visitors);

  const lead = leadSoFar(messages);
  if (lead === undefined)
    return { text: helpFor(visitors ? tools.filter((name) => name === 'CreateLead') : tools, visitors) };
  if (!tools.includes('CreateLead')) return { text: notGranted('CreateLead', visitors) };
  return missingOf(lead).length === 0 ? { calls: [leadCall(lead)] } : { text: questionFor(lead) };
}

/** Every order of the sentence; what is unclear is asked, the rest is done. */
function carryOut(orders: readonly Order[], tools: readonly string[], visitors: boolean): Answer {
  const texts: string[] = [];
  const calls: NonNullable<Answer['calls']>[number][] = [];
  for (const order of orders)
    if ('ask' in order) texts.push(order.ask);
    else if (!tools.includes(order.name)) texts.push(notGranted(order.name, visitors));
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

const LEFT =
  'All right, I leave it. If a card is still open, decline it there; until somebody decides, nothing is written.';

const CANCEL = /^(no[,. ]|oh,? )?\s*(never ?mind|cancel|forget (it|about it|that)|stop|leave it|don'?t)\b/i;

/** The last call that was told to wait has not been told otherwise since. */
function isWaiting(messages: readonly DemoMessage[]): boolean {
  const at = messages.findLastIndex(({ role }) => role === 'tool');
  const isTold = messages.slice(at).some(({ role, content }) => role === 'user' && content?.startsWith(OUTCOME));
  return !isTold && messages[at]?.content?.startsWith('{"status":"waiting"') === true;
}

/** Decisions that our own loop told in the person's place, one a line, and what the person said. */
function splitOutcomes(text: string): { readonly outcomes: readonly Outcome[]; readonly rest: string } {
  const outcomes: Outcome[] = [];
  let rest = text;
  while (rest.startsWith(OUTCOME)) {
    const [line = ''] = rest.split('\n', 1);
    const [, name = '', json = '{}'] = /^ (\w+): (\{.*\})$/.exec(line.slice(OUTCOME.length)) ?? [];
    outcomes.push({ name, json });
    rest = rest.slice(line.length).trimStart();
  }
  return { outcomes, rest };
}

function notGranted(action: string, visitors: boolean): string {
  if (visitors) return 'I cannot do that here.';
  return `This bot may not do that here (${action}); an operator can grant it.`;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  CreateLead: '"I\'d like to hear about your enterprise plan"',
  GetAccount: '"What is the status of OPP-123?"',
  UpdateOpportunity: '"Move OPP-456 to Closed Won"',
  RunSOQL: '"How many deals did we win this quarter?"',
  SyncParty: '"Sync this customer"',
};

function helpFor(tools: readonly string[], visitors: boolean): string {
  const examples = tools.flatMap((name) => EXAMPLES[name] ?? []);
  return examples.length === 0
    ? visitors
      ? 'I am sorry, I cannot help with that here.'
      : 'This bot may not do anything on Salesforce yet; an operator can grant it actions.'
    : `I did not understand that. Try: ${examples.join(', ')}.`;
}
