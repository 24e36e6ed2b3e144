import { isRecord } from '../domain/is-record.ts';
import { SCOPES, type Scope } from '../domain/scopes.ts';
import type { Gate } from '../ports/gate.ts';
import type { McpCaller } from './deps.ts';

/**
 * Every scope that a message needs, where the person's sign-in lacks one: all at once, so that a client asks its person once. A name
 * that the bot does not have is the gate's to refuse.
 */
export async function lackingScopes(
  gate: Pick<Gate, 'actions'>,
  { bot, scopes }: Pick<McpCaller, 'bot' | 'scopes'>,
  message: unknown,
): Promise<readonly Scope[]> {
  if (scopes === undefined) return [];
  const called = (Array.isArray(message) ? message : [message]).flatMap(calledIn);
  const actions = called.length === 0 ? [] : await gate.actions(bot);
  const writes = actions.some(({ name, risk }) => risk !== 'read' && called.includes(name));
  const needed = SCOPES.filter((scope) => writes || scope === 'gatehouse:read');
  return needed.every((scope) => scopes.includes(scope)) ? [] : needed;
}

function calledIn(message: unknown): string[] {
  const { method, params } = isRecord(message) ? message : {};
  return method === 'tools/call' && isRecord(params) && typeof params.name === 'string' ? [params.name] : [];
}
