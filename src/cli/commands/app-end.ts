import { GatehouseError } from '../../domain/errors.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<id>'],

  async run(call) {
    const [id] = call.args;
    const app = await call.openApp();
    const by = await askOperatorOnceReal(call, app, 'MANAGE_OPERATORS');
    if (!(await app.identity.end(id, { principal: principalOf(by), channel: 'cli' })))
      throw new GatehouseError('not_found', 'There is no connected app of this id.', {
        next: 'See the ids with: gatehouse app list.',
      });
    call.terminal.print({ app: id, ended: true }, 'It is ended: its next request is refused.');
  },
});
