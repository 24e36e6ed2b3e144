import type { App } from '../app.ts';

/** The token travels in the fragment, which no server, proxy or log sees; the page sends it by POST. */
export async function signInLink(
  app: App,
  operator: string,
  base: string,
): Promise<{ readonly url: string; readonly expiresAt: number }> {
  const { token, expiresAt } = await app.access.signInToken(operator);
  return { url: `${base}/sign-in#${token}`, expiresAt };
}
