/** The one connected app of the simulated org, and its users' ready password. */
import { timingSafeEqual } from 'node:crypto';
import type { Settings } from '../facts.ts';
import type { Org } from '../org.ts';
import type { Row } from '../table.ts';

/** Consumer key and secret of the one app that this org knows. */
export const appOf = (org: Org): Settings['app'] => org.settings.app;
export const password = 'sim';

const scopes = new Set([
  'api',
  'web',
  'full',
  'id',
  'profile',
  'email',
  'address',
  'phone',
  'openid',
  'refresh_token',
  'offline_access',
  'chatter_api',
  'custom_permissions',
  'visualforce',
  'content',
  'lightning',
]); // prettier-ignore

export function areScopesKnown(scope: string): boolean {
  return scope
    .split(/\s+/)
    .filter(Boolean)
    .every((name) => scopes.has(name));
}

export function userNamed(org: Org, username: string): Row | undefined {
  const wanted = username.trim().toLowerCase();
  for (const row of org.table('User').all()) if (String(row.Username).toLowerCase() === wanted) return row;
  return undefined;
}

export function isSameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export function organizationId(org: Org): string {
  const [organization] = org.table('Organization').all();
  return organization?.Id ?? '';
}

export function identityUrl(org: Org, origin: string, userId: string): string {
  return `${origin}/id/${organizationId(org)}/${userId}`;
}
