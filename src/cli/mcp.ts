import { GatehouseError } from '../errors.ts';
import { DEMO_BOT, ensureDemoBot, findBot } from './bots.ts';
import { defineCommand } from './command.ts';
import { keepRecovering } from './keep-recovering.ts';

/** Standard output is the MCP wire: nothing here may print. */
export const command = defineCommand({
  options: { bot: { value: 'name', about: 'the bot to serve', required: true } },

  async run({ options: { bot: name }, config, openApp }) {
    const [{ serveMcpStdio }, app] = await Promise.all([import('../mcp/stdio.ts'), openApp(config)]);
    if (app.isSimulated && name === DEMO_BOT) await ensureDemoBot(app);
    const { principal } = await identify();
    const session = config.session === undefined ? undefined : app.access.verifySession(name, config.session);
    const stopRecovering = keepRecovering(app);
    await serveMcpStdio(app, { bot: name, principal, ...(session === undefined ? {} : { session }) });
    stopRecovering();

    async function identify() {
      const { name: bot } = await findBot(app, name);
      if (config.keys.bot === undefined && app.isSimulated) return { principal: 'local' };
      const caller = await app.access.agent(config.keys.bot);
      if (caller.bot === bot) return caller;
      throw new GatehouseError('permission_denied', 'The key in GATEHOUSE_BOT_KEY belongs to another bot.', {
        next: `Use the agent key of ${bot}; a new one: gatehouse bot key ${bot}.`,
      });
    }
  },
});
