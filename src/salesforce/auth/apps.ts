import { GatehouseError } from '../../domain/errors.ts';
import type { Config } from '../../ports/config.ts';
import type { IssuingApp, OAuthApp, TokenSet } from '../../ports/tokens.ts';
import type { Transport } from '../transport/http.ts';
import { createOAuth, type OAuth } from './oauth.ts';

/** Which app in which org a sign-in goes by: the installation's, or one of the bot's own. */
export interface Apps {
  /** To sign in by. */
  by(app: OAuthApp | undefined): OAuth;
  /** To go on with what was issued; throws where the app that issued it is there no more. */
  issuerOf(tokens: Pick<TokenSet, 'app'>): OAuth;
  /** As it is kept beside what it issued. */
  kept(app: OAuthApp | undefined): IssuingApp | undefined;
}

export function createApps(deps: {
  readonly transport: Transport;
  readonly config: Pick<Config['salesforce'], 'clientId' | 'clientSecret'>;
  readonly now: () => number;
}): Apps {
  const { config } = deps;
  const installation = createOAuth(deps);
  const own = ({ clientId, clientSecret }: OAuthApp) => createOAuth({ ...deps, config: { clientId, clientSecret } });

  return {
    by: (app) => (app === undefined ? installation : own(app)),
    issuerOf({ app }) {
      if (app?.of === 'bot') return own(app);
      // Going on by another app would be a sign-in that nobody made.
      if (app === undefined || app.clientId === config.clientId) return installation;
      throw new GatehouseError(
        'reconnect_needed',
        'This sign-in was made by another app than the one that is set now.',
        {
          next: 'Ask the operator to connect the bot again, or to put the former SALESFORCE_CLIENT_ID back.',
        },
      );
    },
    kept: (app) =>
      app !== undefined
        ? { of: 'bot', clientId: app.clientId, clientSecret: app.clientSecret }
        : config.clientId === undefined
          ? undefined
          : { of: 'installation', clientId: config.clientId },
  };
}

/** The app of its own that a bot is connected by. */
export const ownApp = (tokens: Pick<TokenSet, 'app'> | undefined): OAuthApp | undefined =>
  tokens?.app?.of === 'bot' ? tokens.app : undefined;
