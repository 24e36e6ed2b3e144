import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<bot>', '<object>'],

  async run(call) {
    const [name, object] = call.args;
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_MAPPINGS', name);
    const { name: bot } = await botNamed(app.store, name);
    const { subscriptions } = await app.sync();
    if (!(await subscriptions.remove(bot, object)))
      throw new GatehouseError('not_found', `${bot} has no subscription to ${JSON.stringify(object.slice(0, 80))}.`, {
        next: `See them with: gatehouse subscription list ${bot}`,
      });
    await app.audit.record({
      ...{ bot, principal: principalOf(operator), channel: 'cli', action: 'sync', event: 'unsubscribed' },
      detail: { object },
    });
    call.terminal.print({ bot, object, deleted: true }, `${object} is not told of any more.`);
  },
});
