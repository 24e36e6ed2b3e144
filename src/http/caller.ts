import { isSameSecret } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { type Access, type BrowserSession, bearerOf } from '../ports/access.ts';
import type { Caller, CallerKind } from '../ports/route.ts';
import { readCookie } from './cookie.ts';

/** Finds out who calls: a key of one of three kinds, or a signed-in operator. Never guesses, never mixes them. */

export async function callerOf(
  access: Access,
  request: Request,
  who: readonly CallerKind[],
  isSecure: boolean,
): Promise<Caller> {
  if (who.length === 0) return { kind: 'anyone', principal: 'anonymous' };
  const key = bearerOf(request.headers);
  if (key === undefined && who.includes('operator')) {
    const session = await access.session(readCookie(request.headers, isSecure));
    if (session !== undefined) {
      if (request.method !== 'GET') requireCsrf(session, request.headers.get('x-csrf-token'));
      return { kind: 'operator', operator: session, principal: `operator:${session.name}`, by: 'session', session };
    }
  }
  const kind = kindFor(key, who);
  if (kind === 'operator') {
    const operator = await access.operator(key);
    return { kind, operator, principal: `operator:${operator.name}`, by: 'key' };
  }
  return { kind, ...(await access[kind](key)) };
}

/** The kind its prefix claims, where this route takes it; else the route's own first kind, whose check says what is wrong. */
function kindFor(key: string | undefined, who: readonly CallerKind[]): CallerKind {
  const claimed = ({ gha_: 'agent', ghh_: 'host', gho_: 'operator' } as const)[key?.slice(0, 4) ?? ''];
  // `who` is not empty here; an operator is asked for where one may call, because only that tells a person what to do.
  return claimed !== undefined && who.includes(claimed) ? claimed : who.includes('operator') ? 'operator' : who[0]!;
}

export function requireCsrf(session: BrowserSession, given: string | null): void {
  if (isSameSecret(session.csrf, given ?? '')) return;
  throw new GatehouseError('permission_denied', 'This request does not carry the token of your session.', {
    next: 'Reload the page and try again.',
  });
}
