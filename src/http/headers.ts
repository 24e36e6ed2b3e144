/**
 * Headers on every answer. Referrer-Policy is `same-origin`, not `no-referrer`: both tell other sites nothing, but under
 * `no-referrer` browsers send `Origin: null` with our own forms, and then the Origin check could not tell them from others'.
 */
export function securityHeaders(isSecure: boolean): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
    ...(isSecure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}

export const API_CSP = "default-src 'none'; frame-ancestors 'none'";

export function mayBeFramed(headers: Headers): boolean {
  return !(headers.get('content-security-policy') ?? API_CSP).includes("frame-ancestors 'none'");
}

export interface PageLimits {
  /** Where a form may lead beside ourselves. */
  readonly formTargets?: readonly string[] | undefined;
  /** Sites that may show the page in a frame. */
  readonly frameOrigins?: readonly string[];
}

/** For pages: our own files only, nothing inline. */
export function pageCsp({ formTargets = [], frameOrigins = [] }: PageLimits = {}): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    `form-action 'self'${formTargets.map((target) => ` ${target}`).join('')}`,
    `frame-ancestors ${frameOrigins.length === 0 ? "'none'" : frameOrigins.join(' ')}`,
    "base-uri 'none'",
  ].join('; ');
}
