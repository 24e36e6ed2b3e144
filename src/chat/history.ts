import { parseJson } from '../domain/json-shape.ts';
import { type ModelMessage, OUTCOME, type ToolCall } from '../ports/model.ts';
import type { Entry } from './conversation.ts';
import { asOpen } from './tool-answer.ts';

/** Longest history that a model is sent, characters; older turns fall out whole. */
const MOST_HISTORY = 100_000;

/** What was said, as the model reads it. Starts with the person's words: a tool's answer without its call is refused by servers. */
export function toHistory(entries: readonly Entry[], under: string, most = MOST_HISTORY): ModelMessage[] {
  const messages = joined(entries.map((entry) => asOpen(entry, under)));
  let from = messages.length;
  let length = 0;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    length += lengthOf(messages[at]);
    if (messages[at]?.role !== 'user') continue;
    // The turn that runs is always told whole.
    if (length > most && from < messages.length) break;
    from = at;
  }
  return messages.slice(from === messages.length ? 0 : from);
}

/** After a turn that was stopped or failed the person speaks twice in a row, which strict servers refuse. */
function joined(entries: readonly Entry[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const message of entries.map(toMessage)) {
    const last = messages.at(-1);
    if (message.role === 'assistant' && message.text === '' && message.calls.length === 0) continue;
    if (message.role === 'user' && last?.role === 'user')
      messages[messages.length - 1] = { role: 'user', text: `${last.text}\n\n${message.text}` };
    else messages.push(message);
  }
  return messages;
}

function toMessage(entry: Entry): ModelMessage {
  switch (entry.role) {
    case 'user':
      return { role: 'user', text: entry.text };
    case 'assistant':
      return { role: 'assistant', text: entry.text, calls: entry.calls.map(readable), kept: entry.kept };
    case 'outcome':
      return { role: 'user', text: `${OUTCOME} ${entry.name}: ${entry.text}` };
    case 'tool':
      return { role: 'tool', call: entry.call, text: entry.text };
  }
}

/** Servers read the arguments of earlier calls back, and some fall over text that is no JSON. */
function readable(call: ToolCall): ToolCall {
  return call.args.trim() === '' || parseArgs(call.args) === undefined ? { ...call, args: '{}' } : call;
}

/** Undefined for what is no JSON object. Null means "not given": strict callers fill every key. */
export function parseArgs(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {};
  try {
    const value = parseJson(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
  } catch {
    return undefined;
  }
}

function lengthOf(message: ModelMessage | undefined): number {
  if (message === undefined) return 0;
  const calls = message.role === 'assistant' ? message.calls : [];
  return message.text.length + calls.reduce((sum, { args }) => sum + args.length, 0);
}
