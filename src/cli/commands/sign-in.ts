import type { App } from '../../app/app.ts';

/** The token travels in the fragment, which no server, proxy or log sees; the page sends it by POST. */
export async function signInLink(
  app: App,
  operator: string,
  base: string,
): Promise<{ readonly url: string; readonly expiresAt: number }> {
  const { token, expiresAt } = await app.access.signInToken(operator);
  return { url: `${base}/sign-in#${token}`, expiresAt };
}

/** Somebody must be able to sign in. The link is the only way in until an admin makes a key: the first one, which nobody saw, is none. */
export async function firstAdmin({ access }: App): Promise<string> {
  const admin = (await access.operators()).find(({ role }) => role === 'admin');
  if (admin !== undefined) return admin.name;
  await access.createOperator('admin', 'admin');
  await access.revokeKeys('operator', 'admin');
  return 'admin';
}
