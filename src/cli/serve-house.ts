import type { App } from '../app/app.ts';
import { keepRecovering } from '../app/housekeeping.ts';
import type { Config } from '../ports/config.ts';
import { DEMO_BOT, ensureDemoBot } from './bots.ts';
import { firstAdmin, signInLink } from './commands/sign-in.ts';
import type { DemoBeside } from './demo/beside.ts';
import { explainListen } from './port.ts';
import { thisProgram } from './self-command.ts';
import { columns, indent, type Terminal } from './terminal.ts';

/** Every door over HTTP, from the greeting until it is stopped. */
export async function serveHouse({
  config,
  terminal,
  openApp,
  stopped,
  demo,
}: {
  readonly config: Config;
  readonly terminal: Terminal;
  openApp(): Promise<App>;
  readonly stopped: Promise<void>;
  /** Offered where nothing was done yet. */
  readonly demo?: DemoBeside;
}): Promise<void> {
  const [{ listen }, { createMcpHttp }, app] = await Promise.all([
    import('../http/server.ts'),
    import('../mcp/http.ts'),
    openApp(),
  ]);
  const key =
    app.isSimulated && (await ensureDemoBot(app)).isNew ? await app.access.issueKey('agent', DEMO_BOT) : undefined;
  const mcp = createMcpHttp(app);
  const { routes, worker, mark: syncHead, degraded } = await app.sync();
  const context = app.gate.accountContext;
  const server = await listen({ ...app, mcp, routes, context, syncHead, degraded, openDemo: demo?.open }, config).catch(
    (error: unknown) => {
      throw explainListen(error, config);
    },
  );

  // What fails once it listens ends it all: a server whose database is closed answers for ever, and nobody starts it again.
  const leaving: (() => void | Promise<void>)[] = [];
  try {
    leaving.push(await app.serverAddress.publish(server.url));
    const mayShow = terminal.isScreen || config.printSignIn;
    const signIn = mayShow ? await signInLink(app, await firstAdmin(app), server.url) : undefined;
    const document = {
      url: server.url,
      mcp: `${server.url}/mcp`,
      dataDir: config.dataDir,
      simulated: app.isSimulated,
      ...(signIn === undefined ? {} : { signIn: signIn.url }),
      mcpServers: mcpServers(server.url, config.dataDir, await shownBot(app), mayShow ? key : undefined),
    };
    terminal.print(document, greeting(document, app, terminal));
    leaving.unshift(keepRecovering(app));
    worker.start();
    await stopped;
    terminal.note('Stopping.');
  } finally {
    for (const leave of leaving) await leave();
    // Together: a call that waits at a form is answered before its connection is cut.
    await Promise.all([server.close(), worker.stop(), mcp.close(), demo?.close()]);
  }
}

interface Document {
  readonly url: string;
  readonly mcp: string;
  readonly dataDir: string;
  readonly signIn?: string;
  readonly mcpServers: object;
}

function greeting(at: Document, { isSimulated }: App, { style }: Terminal): string {
  const signIn =
    at.signIn === undefined
      ? 'Sign-in links are shown on a terminal only: gatehouse operator sign-in admin'
      : `Sign in (once, within ten minutes): ${style('cyan', at.signIn)}\nMake operators and their keys there, under Settings: ${at.url}/settings/operators`;
  return [
    style('bold', `Gatehouse is open at ${at.url}`),
    '',
    indent(
      columns([
        ['data', at.dataDir],
        [
          'org',
          isSimulated
            ? 'SIMULATED: no lead here reaches Salesforce. Set SALESFORCE_CLIENT_ID for a real org.'
            : 'Salesforce',
        ],
        ['MCP', at.mcp],
      ]),
    ),
    '',
    signIn,
    '',
    isSimulated
      ? 'For an MCP client (one of the two):'
      : 'For an MCP client (one of the two; the first also needs the SALESFORCE_ and GATEHOUSE_ settings of this server in its "env"):',
    indent(JSON.stringify({ mcpServers: at.mcpServers }, null, 2)),
    '',
    style('dim', 'Stop with Ctrl+C.'),
  ].join('\n');
}

/** The bot of the snippets: the demo one, or with a real org the first that is there. */
async function shownBot({ isSimulated, store }: App): Promise<{ readonly name: string; readonly needsKey: boolean }> {
  if (isSimulated) return { name: DEMO_BOT, needsKey: false };
  const [first] = await store.bots.list();
  return { name: first?.name ?? 'BOT', needsKey: true };
}

function mcpServers(
  url: string,
  dataDir: string,
  { name, needsKey }: Awaited<ReturnType<typeof shownBot>>,
  key: string | undefined,
): object {
  const agentKey = key ?? `(a key from: gatehouse bot key ${name})`;
  return {
    // A client starts it with an environment of its own: the folder is said, so that both see one org.
    'gatehouse-stdio': {
      ...thisProgram('mcp', '--bot', name),
      env: { GATEHOUSE_DATA: dataDir, ...(needsKey ? { GATEHOUSE_BOT_KEY: agentKey } : {}) },
    },
    'gatehouse-http': { type: 'http', url: `${url}/mcp`, headers: { Authorization: `Bearer ${agentKey}` } },
  };
}
