import { readFile } from 'node:fs/promises';
import { GatehouseError } from '../../domain/errors.ts';
import { lookupNotes } from '../../policy/lookups.ts';
import { botNamed } from '../../policy/permit.ts';
import type { HeadlessFlow } from '../../ports/salesforce.ts';
import type { OAuthApp } from '../../ports/tokens.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { type CommandCall, defineCommand, UsageError } from '../command.ts';
import { describeConnection, describeLookups } from './status.ts';

const options = {
  flow: {
    value: 'flow',
    about: 'how to get in; "simulated" is the default on the simulated org',
    choices: ['web', 'jwt', 'client-credentials', 'password', 'simulated'],
  },
  sandbox: { about: 'a sandbox (test.salesforce.com)' },
  loginUrl: { value: 'url', about: 'My Domain, e.g. https://example.my.salesforce.com' },
  clientId: { value: 'key', about: "the bot's own app; its secret is asked for, or SALESFORCE_BOT_CLIENT_SECRET" },
  clientSecretFile: { value: 'file', about: 'holds that secret' },
  username: { value: 'username', about: 'Salesforce user, for jwt and password' },
} as const;

export const command = defineCommand({
  args: ['<bot>'],
  options,

  async run(call) {
    const [name] = call.args;
    const app = await call.openApp();
    const { name: bot } = await botNamed(app.store, name);
    const flow = call.options.flow ?? (app.isSimulated ? 'simulated' : undefined);
    if (flow === undefined)
      throw new UsageError('A flow is needed.', 'Add --flow web (recommended), jwt, client-credentials or password.');
    if (flow === 'web') {
      const url = webLink(call, app.serverAddress.url(), bot);
      call.terminal.print(
        { bot, flow, url },
        `Open ${url}\nSign in as an operator there, and connect ${bot}. "gatehouse serve" must be running.`,
      );
      return;
    }
    const operator = await askOperatorOnceReal(call, app, 'CREATE_OAUTH', bot);
    const status = await app.connections.connect(bot, { ...(await toFlow(flow, call)), ...(await readApp(call)) });
    await app.audit.record({
      bot,
      principal: principalOf(operator),
      channel: 'cli',
      action: 'connect',
      event: 'connected',
      detail: { flow, orgId: status.orgId, environment: status.environment },
    });
    const lookups = await lookupNotes(app.connections, await botNamed(app.store, bot));
    call.terminal.print(
      { bot, connection: status, ...(lookups.length === 0 ? {} : { lookups }) },
      [`${bot} is connected.`, '', describeConnection(status), ...describeLookups(lookups)].join('\n'),
    );
  },
});

type Call = CommandCall<readonly ['<bot>'], typeof options>;

function webLink({ options: { sandbox, loginUrl, clientId } }: Call, base: string, bot: string): string {
  const url = new URL(`${base}/connect/${encodeURIComponent(bot)}`);
  if (sandbox) url.searchParams.set('sandbox', '1');
  if (loginUrl !== undefined) url.searchParams.set('loginUrl', loginUrl);
  if (clientId !== undefined) url.searchParams.set('clientId', clientId);
  return url.href;
}

/** Never an argument: those stand in the shell's history and in the list of processes. */
async function readApp({ config, options, terminal }: Call): Promise<{ readonly app?: OAuthApp }> {
  const { clientId, clientSecretFile: file } = options;
  if (clientId === undefined) {
    if (file === undefined) return {};
    throw new UsageError('A client secret without its client id says nothing.', 'Add --client-id KEY.');
  }
  const given =
    file !== undefined
      ? (await readSecret(file, '--client-secret-file')).trim()
      : (config.salesforce.botClientSecret ??
        (terminal.canAsk
          ? await terminal.ask('Client secret of the app (empty if it needs none): ', { isSecret: true })
          : ''));
  return { app: { clientId, clientSecret: given === '' ? undefined : given } };
}

async function toFlow(flow: HeadlessFlow['flow'], { config, options, terminal }: Call): Promise<HeadlessFlow> {
  const { username, loginUrl, sandbox } = options;
  const where = { sandbox, loginUrl };
  const user = () => {
    if (username === undefined) throw new UsageError(`The ${flow} flow needs a user.`, 'Add --username NAME.');
    return username;
  };
  switch (flow) {
    case 'simulated':
      return { flow };
    case 'client-credentials':
      // Salesforce takes this grant on a My Domain host only.
      return { flow, loginUrl: loginUrl ?? config.salesforce.loginUrl };
    case 'jwt':
      return { flow, username: user(), privateKey: await readKey(config.salesforce.jwtKeyFile), ...where };
    case 'password': {
      const name = user();
      // Switched off: refused in its own words, and nobody types a password for it.
      if (!config.salesforce.allowPassword) return { flow, username: name, password: '', ...where };
      const password =
        config.salesforce.password ??
        (terminal.canAsk ? await terminal.ask(`Password of ${name}: `, { isSecret: true }) : undefined);
      if (password === undefined)
        throw new UsageError(
          'The password flow needs a password.',
          'Set SALESFORCE_PASSWORD, or run it in a terminal.',
        );
      return { flow, username: name, password, ...where };
    }
  }
}

async function readKey(file: string | undefined): Promise<string> {
  if (file === undefined)
    throw new UsageError('The jwt flow needs a private key.', 'Set SALESFORCE_JWT_KEY_FILE to its PEM file.');
  return readSecret(file, 'SALESFORCE_JWT_KEY_FILE');
}

async function readSecret(file: string, named: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new GatehouseError('config_invalid', `The file of ${named} cannot be read.`, {
      next: 'Check that the path is right and that this user may read it.',
      cause,
    });
  });
}
