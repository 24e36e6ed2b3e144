import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>'],

  async run(call) {
    const {
      args: [name],
      openApp,
      terminal,
    } = call;
    const app = await openApp();
    const operator = await askOperatorOnceReal(call, app, 'DELETE_INTEGRATIONS', name);
    const { name: bot } = await botNamed(app.store, name);
    const { state } = await app.connections.status(bot);
    // Also of one that is not connected: a process that died while it disconnected left its tokens.
    const { revoked } = await app.connections.disconnect(bot);
    if (!revoked && (state === 'disconnected' || state === 'never_connected')) {
      terminal.print({ bot, revoked, wasConnected: false }, `${bot} was not connected.`);
      return;
    }
    await app.audit.record({
      bot,
      principal: principalOf(operator),
      channel: 'cli',
      action: 'disconnect',
      event: 'disconnected',
      detail: { revoked },
    });
    terminal.print(
      { bot, revoked, wasConnected: true },
      revoked
        ? `${bot} is disconnected: Salesforce revoked its tokens, and they are deleted here.`
        : `${bot} is disconnected and its tokens are deleted here, but Salesforce did not confirm the revocation. Revoke them in Setup, "Connected Apps OAuth Usage".`,
    );
  },
});
