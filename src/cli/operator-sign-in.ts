import { GatehouseError } from '../errors.ts';
import { defineCommand } from './command.ts';
import { askOperatorOnceReal } from './operator-key.ts';
import { signInLink } from './sign-in.ts';

export const command = defineCommand({
  args: ['<name>'],

  async run(call) {
    const [name] = call.args;
    if (!call.terminal.isScreen && !call.config.printSignIn)
      throw new GatehouseError('permission_denied', 'A sign-in link is shown on a terminal only.', {
        next: 'Run it in a terminal, or set GATEHOUSE_PRINT_SIGN_IN=1 where nothing records standard output.',
      });
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'READ_INTEGRATIONS');
    if (operator !== undefined && operator.name !== name) app.access.require(operator, 'MANAGE_GRANTS');
    const { url, expiresAt } = await signInLink(app, name, app.served.url());
    call.terminal.print(
      { operator: name, url, expiresAt: new Date(expiresAt).toISOString() },
      `${url}\nSigns ${name} in once, within ten minutes, while "gatehouse serve" runs.`,
    );
  },
});
