import type { DemoMessage } from './messages.ts';

/** Orders in a sentence: a call to make, or a question back. */
export type Order =
  | { readonly name: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly ask: string };

/** One pattern a row: what people write, and what it means. The first that fits a clause takes it. */
const TABLE: readonly (readonly [RegExp, (match: RegExpExecArray, clause: string) => Order])[] = [
  [/^(?:run |query:? ?)?(select\s.+)$/is, ([, soql = '']) => ({ name: 'RunSOQL', args: { soql } })],
  [
    /\bsync\b.*\b(?:customer|person|party|contact)\b\s*(?:id\s*)?([\w-]*\d[\w-]*)?/i,
    ([, partyId]) => (partyId ? { name: 'SyncParty', args: { partyId } } : { ask: ASK_PARTY }),
  ],
  [
    /\bsync\b.*\b(?:case|matter)\b\s*(?:id\s*)?([\w-]*\d[\w-]*)?/i,
    ([, caseId]) => (caseId ? { name: 'SyncCase', args: { caseId } } : { ask: ASK_CASE }),
  ],
  [
    /\bhow many\b.*\b(?:won|win)\b.*\b(this|last|next) (quarter|month|year|week)\b/i,
    ([, which = '', unit = '']) => count(`Opportunity WHERE IsWon = true AND CloseDate = ${which}_${unit}`),
  ],
  [/\bhow many\b.*\bopen (?:deals|opportunities)\b/i, () => count('Opportunity WHERE IsClosed = false')],
  [
    /\bhow many (accounts|contacts|leads|cases|opportunities|deals)\b/i,
    ([, many = '']) => count(OBJECTS.get(many.toLowerCase()) ?? 'Opportunity'),
  ],
  [
    /\b(?:list|show|biggest|largest|top)\b.*\b(?:deals|opportunities|pipeline)\b/i,
    () => ({
      name: 'RunSOQL',
      args: {
        soql: 'SELECT Name, StageName, Amount FROM Opportunity WHERE IsClosed = false ORDER BY Amount DESC LIMIT 5',
      },
    }),
  ],
];

const ASK_PARTY = 'Which customer? Please give me their id in your app.';
const ASK_CASE = 'Which case? Please give me its id in your app.';
const OBJECTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    accounts: 'Account',
    contacts: 'Contact',
    leads: 'Lead',
    cases: 'Case',
    opportunities: 'Opportunity',
    deals: 'Opportunity',
  }),
);
const DEAL = /\bOPP-\d+\b|\b006[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?\b/i;
const CHANGE = /\b(?:move|set|change|put|update|mark|advance|push|make|close|raise|lower|increase|reduce)\b/i;
const ACCOUNT =
  /\b(?:who is|who are|look up|tell me about|what do we know about|show(?: me)?|find|brief me on|open)\s+(?:the )?(?:account |customer |company )?["“]?([\p{L}\d][^"”?]*?)["”]?[?.!]*$/iu;

export function ordersIn(text: string, messages: readonly DemoMessage[], waits = false): Order[] {
  const asked = messages.findLast(({ role, content }) => role === 'assistant' && content)?.content ?? '';
  const id = /^\s*(?:it'?s |id )?([\w-]*\d[\w-]*)[.!]?\s*$/i.exec(text)?.[1];
  if (id !== undefined && asked.endsWith(ASK_PARTY)) return [{ name: 'SyncParty', args: { partyId: id } }];
  if (id !== undefined && asked.endsWith(ASK_CASE)) return [{ name: 'SyncCase', args: { caseId: id } }];

  const orders: Order[] = [];
  const changes = new Map<string, Record<string, unknown>>();
  /** Named before it was said what becomes of them: "OPP-1 and OPP-2 to Closed Won". */
  let open: string[] = [];
  let deal: string | undefined;
  let isChanging = false;
  const put = (target: string, change: Record<string, unknown>) => {
    const known = changes.get(target);
    if (known !== undefined) {
      Object.assign(known, change);
      return;
    }
    const key = target.startsWith('006') ? { id: target } : { reference: target.toUpperCase() };
    // A correction of what still waits keeps what it does not speak of.
    const before = DEAL.test(text) || !waits ? {} : waitingChange(messages, target);
    const args = { ...key, ...before, ...change };
    changes.set(target, args);
    orders.push({ name: 'UpdateOpportunity', args });
  };
  for (const clause of clausesOf(text)) {
    deal = DEAL.exec(clause)?.[0] ?? deal;
    const row = TABLE.find(([pattern]) => pattern.test(clause));
    if (row !== undefined) {
      const match = row[0].exec(clause);
      if (match !== null) orders.push(row[1](match, clause));
      continue;
    }
    const isChange: boolean =
      CHANGE.test(clause) || /\binstead\b|^actually\b/i.test(clause) || (isChanging && DEAL.test(clause));
    const change = isChange ? changeIn(clause) : undefined;
    isChanging ||= isChange;
    const target = deal ?? (change === undefined ? undefined : lastDeal(messages));
    if (change !== undefined && target !== undefined) {
      for (const one of [...open.filter((other) => other !== target), target]) put(one, change);
      open = [];
    } else if (change !== undefined)
      orders.push({ ask: 'Which opportunity is meant? Please give me its reference, such as OPP-123.' });
    else if (deal !== undefined && isChange) open.push(deal);
    else if (DEAL.test(clause)) orders.push({ name: 'GetAccount', args: { opportunity: deal } });
    else {
      const name = ACCOUNT.exec(clause)?.[1]?.replace(/\s+with (its|their|the)\b.*$/i, '');
      if (name !== undefined) orders.push(account(name, clause));
    }
  }
  for (const one of open)
    orders.push({ ask: `What shall I change on ${one}: stage, amount, close date or next step?` });
  return orders;
}

/** "Move OPP-1 to X and set OPP-2's amount to 5": two orders. A query is one, whatever it holds. */
function clausesOf(text: string): string[] {
  if (/^\s*(run |query:? ?)?select\s/i.test(text)) return [text.trim()];
  return text
    .split(
      /(?:[.;!?]\s+|,\s*(?=OPP-\d+\b|006\w{12})|,?\s+(?:and|then|also)\s+(?:also\s+|then\s+)?(?=(?:move|set|change|put|update|mark|sync|tell|show|what|how|who|look|its|the|close|raise|lower|OPP-\d+|006\w{12,15})\b))/i,
    )
    .map((clause) => clause.trim())
    .filter(Boolean);
}

/** What a clause changes, or undefined where it does not say. */
function changeIn(clause: string): Record<string, unknown> | undefined {
  const day = /\b\d{4}-\d{2}-\d{2}\b/.exec(clause)?.[0];
  if (day !== undefined && /clos|date|push|move|instead/i.test(clause)) return { closeDate: day };
  const next = /\bnext step\b.*?(?:\bto\b|:)\s*["“]?(.+?)["”]?[.!]?$/i.exec(clause)?.[1];
  if (next !== undefined) return { nextStep: next };
  const [, digits, kilo] = /(?:\bto|\bit|=)\s+(?:EUR|USD|[€$])?\s*(\d[\d.,]*)\s*(k)?\b/i.exec(clause) ?? [];
  if (digits !== undefined) return { amount: Number(digits.replace(/[,.](?=\d{3}\b)/g, '')) * (kilo ? 1000 : 1) };
  const word =
    /\b(?:to|as|into|actually,?|make it|rather)\s+(?:stage\s+)?["“]?(\p{L}[\p{L} ./&-]*?)["”]?\s*(?:,?\s*instead)?[.!]?$/iu.exec(
      clause,
    )?.[1];
  if (word === undefined) return /^close\b.*\bwon\b/i.test(clause) ? { stageName: 'Closed Won' } : undefined;
  return { stageName: STAGES.get(word.toLowerCase()) ?? word };
}

const STAGES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    won: 'Closed Won',
    lost: 'Closed Lost',
    'closed won': 'Closed Won',
    'closed lost': 'Closed Lost',
  }),
);

/** What the last proposal for this deal would change. */
function waitingChange(messages: readonly DemoMessage[], target: string): Record<string, unknown> {
  const calls = messages.flatMap(({ tool_calls: made = [] }) => made);
  for (const call of calls.toReversed()) {
    if (call.function.name !== 'UpdateOpportunity') continue;
    const { reference, id, ...change } = JSON.parse(call.function.arguments) as Record<string, unknown>;
    return reference === target || id === target ? change : {};
  }
  return {};
}

/** The deal that the conversation last changed or looked at. */
function lastDeal(messages: readonly DemoMessage[]): string | undefined {
  for (const { tool_calls: calls = [] } of messages.toReversed())
    for (const call of calls.toReversed()) {
      const { reference, id, opportunity } = JSON.parse(call.function.arguments) as Record<string, string>;
      const found = reference ?? opportunity ?? (id?.startsWith('006') ? id : undefined);
      if (found !== undefined) return found;
    }
  return undefined;
}

function account(name: string, clause: string): Order {
  const include = (['opportunities', 'contacts', 'cases'] as const).filter(
    (what) =>
      clause.toLowerCase().includes(what === 'opportunities' ? 'deal' : what) || clause.toLowerCase().includes(what),
  );
  const key = /^001[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$/.test(name) ? 'id' : 'name';
  // A visitor who was signed in says "my account": whose that is, the session says.
  const which = /^(?:my|our)(?: own)? (?:account|company|details|data)\b/i.test(name) ? {} : { [key]: name };
  return { name: 'GetAccount', args: { ...which, ...(include.length === 0 ? {} : { include }) } };
}

function count(from: string): Order {
  return {
    name: 'RunSOQL',
    args: {
      soql: `SELECT COUNT() FROM ${from.replace(/= (\w+_\w+)$/, (_, literal: string) => `= ${literal.toUpperCase()}`)}`,
    },
  };
}
