import { createHash } from 'node:crypto';
import { isWithin } from '../../../permissions/catalog.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { WebReturn, WebStart } from '../../ports/salesforce.ts';
import type { ValueStore } from '../../ports/store.ts';
import type { OAuthApp, TokenStore } from '../../ports/tokens.ts';
import { type Apps, ownApp } from './apps.ts';
import type { Grant } from './oauth.ts';
import { signInFailure } from './sign-in-failures.ts';

/**
 * The browser's way to Salesforce and back. A state is 128 random bits, good once and for ten minutes, and tied to the browser
 * session and bot that began; a newer Connect of the bot voids it (O8).
 */
export interface WebFlow {
  /** By `app`, or the installation's. */
  begin(
    bot: string,
    start: Pick<WebStart, 'sessionId' | 'redirectUri'>,
    loginUrl: string,
    app: OAuthApp | undefined,
  ): Promise<{ readonly url: string }>;
  finish(back: WebReturn): Promise<{
    readonly bot: string;
    readonly loginUrl: string;
    readonly app: OAuthApp | undefined;
    readonly grant: Grant;
  }>;
  /** Nothing that was begun for this bot can be finished. */
  forget(bot: string): Promise<void>;
}

const STATE = 'oauth_state';
const LATEST = 'oauth_latest';
const TTL_MS = 10 * 60_000;

interface Pending {
  readonly bot: string;
  readonly sessionId: string;
  readonly redirectUri: string;
  readonly loginUrl: string;
  readonly verifier: string;
  /** With an app of its own, which lies in the vault meanwhile: it has a secret. */
  readonly hasApp?: boolean;
}

export function createWebFlow(deps: {
  readonly apps: Apps;
  readonly vault: TokenStore;
  readonly values: ValueStore;
  readonly random: (bytes: number) => Uint8Array;
  readonly now: () => number;
}): WebFlow {
  const { apps, vault, values, random, now } = deps;

  async function forget(bot: string): Promise<void> {
    const older = await values.consume(LATEST, bot, now());
    if (older === undefined) return;
    await values.remove(STATE, older);
    await vault.delete(vaultKey(older));
  }

  return {
    async begin(bot, { sessionId, redirectUri }, loginUrl, app) {
      const state = Buffer.from(random(16)).toString('base64url');
      const verifier = Buffer.from(random(48)).toString('base64url');
      const url = apps.by(app).authorizeUrl(loginUrl, { redirectUri, state, verifier });
      const key = hash(state);
      await forget(bot);
      const pending: Pending = { bot, sessionId, redirectUri, loginUrl, verifier, hasApp: app !== undefined };
      if (app !== undefined) await vault.set(vaultKey(key), { accessToken: '', app: apps.kept(app) });
      await values.set(STATE, key, JSON.stringify(pending), now() + TTL_MS);
      await values.set(LATEST, bot, key, now() + TTL_MS);
      return { url };
    },
    async finish({ sessionId, bots, state, code, error, errorDescription }) {
      const key = hash(state ?? '');
      const stored = state ? await values.consume(STATE, key, now()) : undefined;
      if (stored === undefined)
        throw unusable('This return from Salesforce is unknown, used already, or older than ten minutes.');
      // Written by begin alone, so its shape is known.
      const pending = JSON.parse(stored) as Pending;
      const app = pending.hasApp ? ownApp(await vault.get(vaultKey(key))) : undefined;
      if (pending.hasApp) await vault.delete(vaultKey(key));
      if (pending.sessionId !== sessionId) {
        throw new GatehouseError('permission_denied', 'This sign-in was begun in another browser session.', {
          next: 'Sign in to Gatehouse in this browser and press Connect here.',
        });
      }
      if (!isWithin({ bots }, pending.bot))
        throw new GatehouseError('permission_denied', `Your role is not for the bot ${pending.bot}.`, {
          next: 'Ask somebody whose role is for every bot to connect it.',
        });
      // Two Connects in the same instant: only the one that was noted last may finish.
      if ((await values.get(LATEST, pending.bot, now())) !== key)
        throw unusable('A newer Connect of this bot has taken the place of this one.');
      await values.remove(LATEST, pending.bot);
      if (error) throw signInFailure(error, errorDescription ?? '');
      if (!code) throw unusable('The return from Salesforce carries no code.');
      const { bot, loginUrl, redirectUri, verifier } = pending;
      if (pending.hasApp && app === undefined) throw unusable('The app of this sign-in is no longer kept.');
      const grant = await apps.by(app).redeem(loginUrl, { code, redirectUri, verifier });
      return { bot, loginUrl, app, grant };
    },
    forget,
  };
}

/** No connection's: an id of theirs has no blanks. */
const vaultKey = (state: string): string => `connecting ${state}`;

/** The store never holds a state that could be replayed. */
function hash(state: string): string {
  return createHash('sha256').update(state).digest('hex');
}

function unusable(message: string): GatehouseError {
  return new GatehouseError('invalid_input', message, { next: 'Press Connect again from the start.' });
}
