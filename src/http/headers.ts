/**
 * Headers on every answer. Referrer-Policy is `same-origin`, not `no-referrer`: both tell other sites nothing, but under
 * `no-referrer` browsers send `Origin: null` with our own forms, and then the Origin check could not tell them from others'.
 */
export function securityHeaders(isSecure: boolean): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
    ...(isSecure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}

export const API_CSP = "default-src 'none'; frame-ancestors 'none'";

/** For pages: our own files only, nothing inline. `formTargets` are where a form may lead beside ourselves. */
export function pageCsp(formTargets: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    `form-action 'self'${formTargets.map((target) => ` ${target}`).join('')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
