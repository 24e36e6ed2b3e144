/** Requests and answers as the org's front desk sees them, between fetch and the parts that answer. */

export interface Incoming {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
  /** The same as it came: a zip is no text. */
  readonly bytes: Uint8Array;
  /** The control plane answers only to callers on this machine. */
  readonly isLoopback: boolean;
  /** What instance and identity URLs are built from. */
  readonly origin: string;
}

export interface Outgoing {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly cookies?: readonly string[];
  /** Nothing to say yet: whoever answers waits for news, and asks again with this. */
  readonly held?: HeldConnect;
}

/** A connect of CometD that waits for events. */
export interface HeldConnect {
  readonly clientId: string;
  readonly messageId: unknown;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Outgoing {
  // An answer without a body says nothing of its type.
  const type = body === undefined ? {} : { 'Content-Type': 'application/json;charset=UTF-8' };
  return { status, headers: { ...type, ...headers }, text: body === undefined ? '' : JSON.stringify(body) };
}

export function page(status: number, title: string, body: string): Outgoing {
  const text = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
fieldset{border:1px solid #999;border-radius:.5rem;margin:1rem 0}label{display:block;padding:.4rem 0}
button{font:inherit;padding:.5rem 1rem;margin-right:.5rem;border-radius:.4rem;border:1px solid #0b5cab;background:#fff;color:#0b5cab}
button[value=allow]{background:#0b5cab;color:#fff}.note{color:#555}
</style></head><body><main>
${body}
</main></body></html>
`;
  const headers = {
    'Content-Type': 'text/html;charset=UTF-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
  };
  return { status, headers, text };
}

export function redirect(location: string): Outgoing {
  return { status: 302, headers: { Location: location, 'Cache-Control': 'no-store' }, text: '' };
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}

/** From a page of another site: a browser says so, and sends plain text without asking us first. */
export function isForeign({ headers }: Incoming): boolean {
  const origin = headers.get('origin');
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.get('host');
}
