import { newOperatorKey, revokeOperatorKeys } from '../../access/operators.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';

export const command = defineCommand({
  args: ['<name>'],
  options: {
    replace: { about: 'revoke every earlier key of this person' },
    revoke: { about: 'revoke every key and make no new one' },
  },

  async run(call) {
    const [name] = call.args;
    const { replace, revoke } = call.options;
    if (replace && revoke) throw new UsageError('--replace and --revoke exclude each other.', 'Give one of them.');
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_OPERATORS');
    const by = { principal: principalOf(operator), channel: 'cli' } as const;
    if (revoke) {
      const revoked = await revokeOperatorKeys(app, name, by);
      call.terminal.print({ operator: name, revoked }, `Keys of ${name} revoked: ${revoked}.`);
      return;
    }
    const { key, revoked } = await newOperatorKey(app, name, { replace }, by);
    call.terminal.print(
      { operator: name, key, revoked },
      [
        key,
        `This is a new operator key of ${name}, shown this once.${replace ? ` Earlier keys revoked: ${revoked}.` : ' Earlier keys stay valid.'}`,
      ].join('\n'),
    );
  },
});
