import { connectView } from '../../console/connect.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import type { BrowserSession } from '../../ports/access.ts';
import type { HttpDeps } from '../deps.ts';
import { type Page, type PageCall, type PageReply, pathTo } from './page.ts';

/** Connect: a page first, then Salesforce's login, then back with the card (O1, O2, O8). */
export function connectPages(deps: HttpDeps): readonly Page[] {
  const { store, connections, config } = deps;

  const connectPage = async (
    { session, params, form, query, origin }: PageCall,
    problem?: GatehouseError,
  ): Promise<PageReply> => {
    const bot = await botNamed(store, params.bot ?? '');
    const body = connectView(bot, session.csrf, {
      isSimulated: deps.isSimulated,
      actions: deps.actions,
      callback: callbackOf(origin),
      salesforce: config.salesforce,
      // The link of `gatehouse connect` brings its options along.
      form: {
        sandbox: form.get('sandbox') === 'on' || query.get('sandbox') === '1',
        loginUrl: form.get('loginUrl') ?? query.get('loginUrl') ?? '',
      },
      problem,
    });
    return {
      title: `Connect ${bot.name}`,
      body,
      here: 'bots',
      formTargets: formTargets(config.salesforce.extraHosts),
      ...(problem === undefined ? {} : { status: problem.status }),
    };
  };

  const connected = async (bot: string, { name }: BrowserSession): Promise<string> => {
    await deps.audit.record({
      bot,
      principal: `operator:${name}`,
      channel: 'console',
      action: 'integration',
      event: 'connected',
    });
    return `${pathTo('bots', bot)}?salesforce=success`;
  };

  const begin = async ({ session, form, origin }: PageCall, bot: string): Promise<string> => {
    if (deps.isSimulated) {
      await connections.connect(bot, { flow: 'simulated' });
      return connected(bot, session);
    }
    const domain = (form.get('loginUrl') ?? '').trim();
    const { url } = await connections.begin(bot, {
      sessionId: session.id,
      redirectUri: callbackOf(origin),
      sandbox: form.get('sandbox') === 'on',
      ...(domain === '' ? {} : { loginUrl: domain }),
    });
    return url;
  };

  return [
    { method: 'GET', path: '/connect/{bot}', permission: 'CREATE_OAUTH', handle: (call) => connectPage(call) },
    {
      method: 'POST',
      path: '/connect/{bot}',
      permission: 'CREATE_OAUTH',
      async handle(call) {
        const bot = await botNamed(store, call.params.bot ?? '');
        try {
          return { goTo: await begin(call, bot.name) };
        } catch (error) {
          if (error instanceof GatehouseError) return connectPage(call, error);
          throw error;
        }
      },
    },
    {
      method: 'GET',
      path: '/oauth/callback',
      permission: 'CREATE_OAUTH',
      async handle({ session, query }) {
        const { bot } = await connections.finish({
          sessionId: session.id,
          state: query.get('state') ?? undefined,
          code: query.get('code') ?? undefined,
          error: query.get('error') ?? undefined,
          errorDescription: query.get('error_description') ?? undefined,
        });
        return { goTo: await connected(bot, session) };
      },
    },
  ];
}

const callbackOf = (origin: string) => `${origin}/oauth/callback`;

/**
 * Browsers hold a form's redirects to form-action too, and Salesforce's login may pass through a company's own sign-in page,
 * whose host nobody knows here: so any https address, and the trusted hosts over http on loopback.
 */
function formTargets(extraHosts: readonly string[]): string[] {
  return [
    'https:',
    ...extraHosts
      .filter((host) => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host))
      .map((host) => `http://${host}`),
  ];
}
