import type { Setter } from '../../audit/audit.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { BrowserSession } from '../../ports/access.ts';
import type { Caller } from '../../ports/route.ts';

/** Who sets something, as the audit names them. */

type OperatorCaller = Extract<Caller, { kind: 'operator' }>;

export const setter = ({ principal, by }: OperatorCaller): Setter => ({
  principal,
  channel: by === 'session' ? 'console' : 'rest',
});

/** A key that makes keys would outlive its own revocation. */
export function bySession(caller: OperatorCaller): Setter {
  browserOf(caller);
  return setter(caller);
}

/** The session of the browser that asks; throws for a key. */
export function browserOf({ session }: OperatorCaller): BrowserSession {
  if (session !== undefined) return session;
  throw new GatehouseError('permission_denied', 'This is for a signed-in person, not for a key.', {
    next: 'Sign in to the console, or use the terminal: gatehouse --help lists its commands.',
  });
}
