import type { App } from '../../app/app.ts';
import { keepRecovering } from '../../app/housekeeping.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import type { Config } from '../../ports/config.ts';
import { connectDemoBot, DEMO_BOT, ensureDemoBot } from '../bots.ts';
import { defineCommand } from '../command.ts';
import { createOwnPage } from '../page.ts';

/** Standard output is the MCP wire: nothing here may print. Every read before the first answer counts against F1. */
export const command = defineCommand({
  options: { bot: { value: 'name', about: 'the bot to serve', required: true } },

  async run({ options: { bot: name }, config, openApp }) {
    const [{ serveMcpStdio }, app] = await Promise.all([import('../../mcp/stdio.ts'), openApp(config)]);
    await checkBot(app, name);
    const prove = async () => ({
      principal: await identify(app, config, name),
      session: config.session === undefined ? undefined : await app.access.verifySession(name, config.session),
    });
    const caller = { bot: name, prove, ...(await prove()) };
    const stopRecovering = keepRecovering(app);
    const page = createOwnPage(app);
    const { instructions } = (await app.store.bots.get(name))?.policy.words ?? {};
    await serveMcpStdio({ ...app, openPage: page.open }, { ...caller, instructions });
    stopRecovering();
    await page.close();
  },
});

async function checkBot(app: App, name: string): Promise<void> {
  const isDemo = app.isSimulated && name === DEMO_BOT;
  if (isDemo && (await app.store.bots.get(name)) === undefined) await ensureDemoBot(app);
  else if (isDemo) await connectDemoBot(app);
  else await botNamed(app.store, name);
}

/** Without a key only on the simulated org, where nothing real can be touched (X2). */
async function identify(app: App, config: Config, bot: string): Promise<string> {
  if (config.keys.bot === undefined && app.isSimulated) return 'local';
  const caller = await app.access.agent(config.keys.bot);
  if (caller.bot === bot) return caller.principal;
  throw new GatehouseError('permission_denied', 'The key in GATEHOUSE_BOT_KEY belongs to another bot.', {
    next: `Use the agent key of ${bot}; a new one: gatehouse bot key ${bot}.`,
  });
}
