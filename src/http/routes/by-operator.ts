import type { Setter } from '../../audit/audit.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { BrowserSession } from '../../ports/access.ts';
import type { Looker } from '../../ports/gate.ts';
import type { Caller } from '../../ports/route.ts';

/** Who sets something, as the audit names them. */

type OperatorCaller = Extract<Caller, { kind: 'operator' }>;

export const setter = ({ principal, by }: OperatorCaller): Setter => ({
  principal,
  channel: by === 'session' ? 'console' : 'rest',
});

/** Where a browser asks, somebody has just shown who they are: one that was left open changes nobody who may enter. */
export function justSignedIn(caller: OperatorCaller, now: number): Setter {
  const { session } = caller;
  if (session === undefined || now - session.signedInAt <= FRESH_MS) return setter(caller);
  throw new GatehouseError(
    'permission_denied',
    'You signed in more than 15 minutes ago: to change operators, sign in once more.',
    {
      next: `Make a new link (gatehouse operator sign-in ${session.name}), and send this again. Nothing was changed.`,
      fields: [{ name: 'session', problem: 'is older than 15 minutes' }],
    },
  );
}

const FRESH_MS = 15 * 60_000;

/** The same as somebody who looks at proposals. */
export const looker = (caller: OperatorCaller): Looker => ({ ...setter(caller), rights: caller.operator });

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
