import { randomBytes } from 'node:crypto';
import { sha256 } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { bearerOf } from '../ports/access.ts';
import type { BotRow } from '../ports/store.ts';
import { readVisitor, visitorCookie } from './cookie.ts';
import type { HttpDeps } from './deps.ts';

/**
 * Who talks at the chat: a person whose session the host app signed, or a visitor known by nothing but a random cookie. The
 * owner's name holds the bot's, so that a conversation of one bot is nobody's at another.
 */
export interface EndUser {
  readonly owner: string;
  readonly isAnonymous: boolean;
  readonly session?: { readonly indexValue: string };
  /** For a visitor seen for the first time: the cookie to keep. */
  readonly setCookie?: string;
}

/** Any value will do: another site's page cannot send it without asking us first, and we never say yes. */
const PAGE_HEADER = 'gatehouse-chat';

export async function endUserOf(
  { access, config }: Pick<HttpDeps, 'access' | 'config'>,
  bot: BotRow,
  headers: Headers,
  { isChange }: { readonly isChange: boolean },
): Promise<EndUser> {
  // A model may hold an agent key, and a host app acts for itself: neither is the person (C3).
  if (bearerOf(headers) !== undefined)
    throw new GatehouseError('permission_denied', 'A key cannot talk or decide as a person.', {
      next: 'Send the person’s own Gatehouse-Session instead; agents call /api/bots/BOT/actions.',
    });
  const token = headers.get('gatehouse-session');
  if (token !== null) {
    const { indexValue, user } = await access.verifySession(bot.name, token);
    const owner = user === undefined ? `customer:${bot.name}/${indexValue}` : `user:${bot.name}/${user}`;
    return { owner, isAnonymous: false, session: { indexValue } };
  }
  if (!bot.policy.chat.anonymous)
    throw new GatehouseError('unauthenticated', 'This chat opens only from the site that it belongs to.', {
      next: 'Open it there while signed in; the site makes a session with POST /api/bots/BOT/sessions.',
    });
  if (isChange && !headers.has(PAGE_HEADER))
    throw new GatehouseError('permission_denied', 'This did not come from the chat page.', {
      next: `Send the header ${PAGE_HEADER}: 1.`,
    });
  const isSecure = config.url?.startsWith('https:') ?? false;
  const known = readVisitor(headers, isSecure);
  // Only values that we could have made: a planted name such as "a" would be shared by everyone it was planted on.
  const isUsable = known !== undefined && /^[\w-]{43}$/.test(known);
  const value = isUsable ? known : randomBytes(32).toString('base64url');
  return {
    // The store learns a digest: whoever reads it cannot become the visitor.
    owner: `visitor:${bot.name}/${sha256(value).slice(0, 32)}`,
    isAnonymous: true,
    ...(isUsable ? {} : { setCookie: visitorCookie(value, isSecure) }),
  };
}
