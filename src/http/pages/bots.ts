import { roleHolds } from '../../../permissions/catalog.ts';
import { botView, disconnectView, homeView } from '../../console/bots.ts';
import { type Html, html } from '../../console/html.ts';
import { notice } from '../../console/layout.ts';
import { shownOnce } from '../../console/operators.ts';
import { salesforceSaid } from '../../console/problem.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { lookupNotes } from '../../policy/lookups.ts';
import { botNamed } from '../../policy/permit.ts';
import { issueBotKey } from '../../policy/save.ts';
import type { BrowserSession } from '../../ports/access.ts';
import type { HttpDeps } from '../deps.ts';
import { disconnect } from '../routes/integration.ts';
import { type Page, type PageReply, pathTo } from './page.ts';

/** The list of bots, and each one's card. */
export function botPages(deps: HttpDeps): readonly Page[] {
  const { store, connections, approvals } = deps;

  const botPage = async (session: BrowserSession, name: string, told?: Html, status = 200): Promise<PageReply> => {
    const bot = await botNamed(store, name);
    const connection = await connections.status(bot.name);
    const lookups = connection.state === 'connected' ? await lookupNotes(connections, bot) : [];
    const body = botView(
      { bot, status: connection, lookups },
      {
        bot: bot.name,
        csrf: session.csrf,
        mayMakeKeys: roleHolds(session.role, 'MANAGE_GRANTS'),
        mayConnect: roleHolds(session.role, 'CREATE_OAUTH'),
        mayDisconnect: roleHolds(session.role, 'DELETE_INTEGRATIONS'),
      },
      told,
    );
    return { title: bot.name, body, here: 'bots', status };
  };

  return [
    {
      method: 'GET',
      path: '/',
      permission: 'READ_INTEGRATIONS',
      async handle() {
        const bots = await store.bots.list();
        const summaries = await Promise.all(
          bots.map(async (bot) => ({ bot, status: await connections.status(bot.name) })),
        );
        const waiting = (await approvals.list({ pending: true, limit: 100 })).length;
        return { title: 'Bots', body: homeView(summaries, waiting), here: 'bots' };
      },
    },
    {
      method: 'GET',
      path: '/bots/{bot}',
      permission: 'READ_INTEGRATIONS',
      handle: async ({ session, params, query }) =>
        botPage(session, params.bot ?? '', TOLD.get(query.get('salesforce') ?? query.get('test') ?? '')),
    },
    {
      method: 'POST',
      path: '/bots/{bot}/test',
      permission: 'READ_INTEGRATIONS',
      async handle({ session, params, signal }) {
        const bot = await botNamed(store, params.bot ?? '');
        try {
          const org = await connections.open(bot.name, { signal });
          await org.identity();
          return { goTo: `${pathTo('bots', bot.name)}?test=ok` };
        } catch (error) {
          if (!(error instanceof GatehouseError)) throw error;
          const said = notice('bad', error.message, html`<p>${error.next}</p>${salesforceSaid(error)}`);
          return botPage(session, bot.name, said, error.status);
        }
      },
    },
    {
      method: 'POST',
      path: '/bots/{bot}/keys',
      permission: 'MANAGE_GRANTS',
      async handle({ session, params, form }) {
        const bot = await botNamed(store, params.bot ?? '');
        const kind = form.get('kind') === 'host' ? 'host' : 'agent';
        const by = { principal: `operator:${session.name}`, channel: 'console' } as const;
        const { key } = await issueBotKey(deps, bot.name, { kind, replace: false }, by);
        const told = shownOnce(`A new ${kind} key of ${bot.name}, shown this once:`, key, 'Earlier keys stay valid.');
        return botPage(session, bot.name, told);
      },
    },
    {
      method: 'GET',
      path: '/bots/{bot}/disconnect',
      permission: 'DELETE_INTEGRATIONS',
      async handle({ session, params }) {
        const bot = await botNamed(store, params.bot ?? '');
        return { title: `Disconnect ${bot.name}`, body: disconnectView(bot.name, session.csrf), here: 'bots' };
      },
    },
    {
      method: 'POST',
      path: '/bots/{bot}/disconnect',
      permission: 'DELETE_INTEGRATIONS',
      async handle({ session, params }) {
        const bot = await botNamed(store, params.bot ?? '');
        const { revoked } = await disconnect(deps, bot.name, `operator:${session.name}`, 'console');
        return { goTo: `${pathTo('bots', bot.name)}?salesforce=${revoked ? 'disconnected' : 'not-revoked'}` };
      },
    },
  ];
}

/** Asked by what stands in the address, so no plain object: `constructor` is no notice. */
const TOLD: ReadonlyMap<string, Html> = new Map(
  Object.entries({
    success: notice('good', 'Connected.', html`<p>This bot can now reach Salesforce within its grants and policy.</p>`),
    ok: notice('good', 'The connection works.', html`<p>Salesforce answered just now.</p>`),
    disconnected: notice(
      'good',
      'Disconnected.',
      html`<p>The access was revoked at Salesforce and the tokens are deleted.</p>`,
    ),
    'not-revoked': notice(
      'warn',
      'Disconnected here, but Salesforce did not confirm.',
      html`<p>The tokens are deleted. To be sure, revoke the app's access for this user in Salesforce: Setup, Connected Apps OAuth Usage.</p>`,
    ),
  }),
);
