import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server';
import type { McpCaller } from './deps.ts';

/** The caller beside each request, as the SDK carries it. The key itself goes no further than `http.ts`. */
export function toAuthInfo(caller: McpCaller): AuthInfo {
  return { token: '', clientId: caller.bot, scopes: [], extra: { caller } };
}

export function callerIn(authInfo: AuthInfo | undefined): McpCaller | undefined {
  return authInfo?.extra?.caller as McpCaller | undefined; // put there by toAuthInfo alone
}

/**
 * Who asks this: a session outlives the token that opened it, and a process on standard streams the key that it was started
 * with, which is proven anew for each request.
 */
export async function askedBy(opener: McpCaller, ctx: ServerContext): Promise<McpCaller> {
  const caller = callerIn(ctx.http?.authInfo);
  if (caller === undefined) await opener.prove?.();
  return caller ?? opener;
}
