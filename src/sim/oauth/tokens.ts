/** Sessions and grants: what a token is worth, for how long, and what ends it. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Grant, Session } from '../facts.ts';
import type { Org } from '../org.ts';
import { appOf, identityUrl, organizationId } from './app.ts';

const liveGrants = 5;
/** Beyond this, dead sessions are swept out. Not before: a test may turn the clock back. */
const manySessions = 200;

export interface Issue {
  readonly userId: string;
  readonly origin: string;
  readonly scope?: string | undefined;
  readonly grant?: Grant | undefined;
  /** Shown once: at the first exchange, or when rotation has made a new one. */
  readonly showsRefreshToken?: boolean;
  /** A JWT answer has neither signature nor time of issue. */
  readonly isSigned?: boolean;
}

export function openGrant(org: Org, userId: string, scope: string): Grant {
  const { clientId } = appOf(org);
  const grant: Grant = {
    id: `g${org.count('grant')}`,
    token: refreshToken(),
    userId,
    clientId,
    scope,
    createdAt: org.now(),
  };
  org.keep('grant', grant.id, grant);
  const mine = org.facts('grant').filter((other) => other.userId === userId && other.clientId === clientId);
  for (const old of mine.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1))).slice(0, -liveGrants))
    closeGrant(org, old);
  return grant;
}

/** The old refresh token dies at once. */
export function rotateGrant(org: Org, grant: Grant): Grant {
  const next = { ...grant, token: refreshToken() };
  org.keep('grant', grant.id, next);
  return next;
}

/** Revoking a grant ends its sessions too. */
export function closeGrant(org: Org, grant: Grant): void {
  org.forget('grant', grant.id);
  for (const session of org.facts('session')) if (session.grantId === grant.id) org.forget('session', session.token);
}

export function issueSession(org: Org, issue: Issue): Record<string, string> {
  const { userId, origin, scope, grant } = issue;
  const { clientId, clientSecret } = appOf(org);
  const now = org.now();
  const sessions = org.facts('session');
  if (sessions.length > manySessions) {
    for (const old of sessions) if (old.expiresAt <= now) org.forget('session', old.token);
  }
  const token = `${organizationId(org).slice(0, 15)}!AQ${randomBytes(66).toString('base64url').replace(/-/g, '.')}`;
  org.keep('session', token, {
    token,
    userId,
    clientId,
    expiresAt: now + org.settings.sessionMs,
    grantId: grant?.id ?? null,
  });
  const id = identityUrl(org, origin, userId);
  const issuedAt = String(now);
  return {
    access_token: token,
    ...(grant && issue.showsRefreshToken ? { refresh_token: grant.token } : {}),
    ...(scope === undefined ? {} : { scope }),
    instance_url: origin,
    id,
    token_type: 'Bearer',
    ...(issue.isSigned
      ? {
          issued_at: issuedAt,
          signature: createHmac('sha256', clientSecret)
            .update(id + issuedAt)
            .digest('base64'),
        }
      : {}),
  };
}

export function liveSession(org: Org, token: string): Session | undefined {
  const session = org.fact('session', token);
  return session && session.expiresAt > org.now() ? session : undefined;
}

export function grantOf(org: Org, token: string): Grant | undefined {
  return org.facts('grant').find((grant) => grant.token === token);
}

function refreshToken(): string {
  return `5Aep861${randomBytes(60).toString('base64url')}`;
}
