/**
 * The cookie of a signed-in operator. SameSite=Lax rather than Strict, because the return from Salesforce's login is a
 * navigation from another site and must find the session; every change needs POST, our Origin and the CSRF token besides.
 */

const SESSION_SECONDS = 12 * 3600;

function nameFor(isSecure: boolean): string {
  // The prefix makes the browser refuse the cookie from a sibling host or over plain http.
  return isSecure ? '__Host-gatehouse' : 'gatehouse';
}

export function sessionCookie(value: string, isSecure: boolean): string {
  return `${nameFor(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SESSION_SECONDS}${isSecure ? '; Secure' : ''}`;
}

export function clearedCookie(isSecure: boolean): string {
  return `${nameFor(isSecure)}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${isSecure ? '; Secure' : ''}`;
}

export function readCookie(headers: Headers, isSecure: boolean): string | undefined {
  const prefix = `${nameFor(isSecure)}=`;
  const found = (headers.get('cookie') ?? '').split(';').map((part) => part.trim());
  return found.find((part) => part.startsWith(prefix))?.slice(prefix.length) || undefined;
}
