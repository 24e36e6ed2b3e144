/**
 * The cookie of a signed-in operator. SameSite=Lax rather than Strict, because the return from Salesforce's login is a
 * navigation from another site and must find the session; every change needs POST, our Origin and the CSRF token besides.
 */

const SESSION_SECONDS = 12 * 3600;

function nameFor(isSecure: boolean, kind = ''): string {
  // The prefix makes the browser refuse the cookie from a sibling host or over plain http.
  return `${isSecure ? '__Host-' : ''}gatehouse${kind}`;
}

export function sessionCookie(value: string, isSecure: boolean): string {
  return `${nameFor(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_SECONDS}${isSecure ? '; Secure' : ''}`;
}

export function clearedCookie(isSecure: boolean): string {
  return `${nameFor(isSecure)}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${isSecure ? '; Secure' : ''}`;
}

export function readCookie(headers: Headers, isSecure: boolean): string | undefined {
  return cookieNamed(headers, nameFor(isSecure));
}

const VISITOR = '-visitor';
const VISITOR_SECONDS = 30 * 24 * 3600;

/**
 * The cookie of an anonymous chat visitor. In a frame of another site browsers send it only as SameSite=None, and with
 * Partitioned each site has its own. That is no way in for forged requests: the chat routes want a header of our page.
 */
export function visitorCookie(value: string, isSecure: boolean): string {
  const where = isSecure ? 'SameSite=None; Secure; Partitioned' : 'SameSite=Lax';
  return `${nameFor(isSecure, VISITOR)}=${value}; Path=/; HttpOnly; Max-Age=${VISITOR_SECONDS}; ${where}`;
}

export function readVisitor(headers: Headers, isSecure: boolean): string | undefined {
  return cookieNamed(headers, nameFor(isSecure, VISITOR));
}

function cookieNamed(headers: Headers, name: string): string | undefined {
  const prefix = `${name}=`;
  const found = (headers.get('cookie') ?? '').split(';').map((part) => part.trim());
  return found.find((part) => part.startsWith(prefix))?.slice(prefix.length) || undefined;
}
