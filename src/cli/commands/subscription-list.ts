import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';
import { subscriptionLine } from '../subscription-line.ts';

export const command = defineCommand({
  args: ['<bot>'],

  async run({ args: [name], openApp, terminal }) {
    const app = await openApp();
    const { name: bot } = await botNamed(app.store, name);
    const subscriptions = await (await app.sync()).subscriptions.list(bot);
    const lines = subscriptions.map(subscriptionLine);
    terminal.print({ bot, subscriptions }, lines.join('\n') || `${bot} tells of people and cases alone.`);
  },
});
