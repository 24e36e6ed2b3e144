import { recoverAccess } from '../../access/operators.ts';
import type { App } from '../../app/app.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { askOperatorOnceReal } from '../ask-operator.ts';
import { type CommandCall, defineCommand } from '../command.ts';
import { signInLink } from './sign-in.ts';

export const command = defineCommand({
  args: ['<name>'],
  options: {
    recover: { about: 'the way back in for whoever owns the data folder, when no admin has a key or session' },
  },

  async run(call) {
    const [name] = call.args;
    const { url, expiresAt, recovered } = call.options.recover ? await recover(call, name) : await signIn(call, name);
    call.terminal.print(
      { operator: name, url, expiresAt: new Date(expiresAt).toISOString(), ...(recovered ? { recovered } : {}) },
      `${url}\nSigns ${name} in once, within ten minutes, while "gatehouse serve" runs.`,
    );
  },
});

type Call = Pick<CommandCall, 'config' | 'terminal' | 'openApp'>;
type Link = { readonly url: string; readonly expiresAt: number; readonly recovered?: true };

async function signIn(call: Call, name: string): Promise<Link> {
  if (!call.terminal.isScreen && !call.config.printSignIn)
    throw new GatehouseError('permission_denied', 'A sign-in link is shown on a terminal only.', {
      next: 'Run it in a terminal, or set GATEHOUSE_PRINT_SIGN_IN=1 where nothing records standard output.',
    });
  const app = await call.openApp();
  const operator = await askOperatorOnceReal(call, app, 'READ_INTEGRATIONS', ({ bots }) => bots?.[0]);
  if (operator !== undefined && operator.name !== name) app.access.require(operator, 'MANAGE_OPERATORS');
  return signInLink(app, name, app.serverAddress.url());
}

/** A person at a terminal, not a script: both ends must be one, and the installation's name is typed. */
async function recover({ terminal, openApp }: Call, name: string): Promise<Link> {
  if (!terminal.isScreen || !terminal.canAsk)
    throw new GatehouseError('permission_denied', 'Access is recovered at a terminal only, by a person who types.', {
      next: 'Run it in a terminal, without pipes: gatehouse operator sign-in NAME --recover.',
    });
  const app = await openApp();
  const installation = nameOf(app);
  terminal.note(
    `This signs ${name} in without a key. It is written into the audit, and the console shows it to every operator for seven days.`,
  );
  const typed = await terminal.ask(`Type the name of this installation (${installation}) to go on: `);
  if (typed !== installation)
    throw new GatehouseError('permission_denied', 'That is not the name of this installation; nothing was done.', {
      next: `Run it again and type: ${installation}`,
    });
  const { token, expiresAt } = await recoverAccess(app, name);
  await (await app.sync()).tellRecovered(name);
  return { url: `${app.serverAddress.url()}/sign-in#${token}`, expiresAt, recovered: true };
}

/** Its public address: what people know it by. */
function nameOf({ serverAddress }: App): string {
  return new URL(serverAddress.url()).host;
}
