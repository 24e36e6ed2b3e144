import type { Session } from '../domain/session.ts';
import { type Access, bearerOf } from '../ports/access.ts';

/** The customer whom an agent key speaks for in this request: signed by the host, or nobody. */
export async function sessionOf(
  access: Pick<Access, 'verifySession'>,
  bot: string,
  headers: Headers,
): Promise<{ readonly session?: Session }> {
  const token = headers.get('gatehouse-session');
  return token === null ? {} : { session: await access.verifySession(bot, token) };
}

/** The agent key and the session of this request once more, for whoever waited since it came. */
export function provenAnew(access: Pick<Access, 'agent' | 'verifySession'>, bot: string, headers: Headers) {
  return async (): Promise<void> => {
    await access.agent(bearerOf(headers));
    await sessionOf(access, bot, headers);
  };
}
