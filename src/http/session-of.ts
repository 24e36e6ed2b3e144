import type { Session } from '../domain/session.ts';
import type { Access } from '../ports/access.ts';

/** The customer whom an agent key speaks for in this request: signed by the host, or nobody. */
export async function sessionOf(
  access: Pick<Access, 'verifySession'>,
  bot: string,
  headers: Headers,
): Promise<{ readonly session?: Session }> {
  const token = headers.get('gatehouse-session');
  return token === null ? {} : { session: await access.verifySession(bot, token) };
}
