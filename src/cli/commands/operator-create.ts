import { createOperator } from '../../access/operators.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<name>'],
  options: {
    role: {
      value: 'role',
      about: 'what this person may do: admin, approver, viewer, or one of role list',
      required: true,
    },
  },

  async run(call) {
    const [name] = call.args;
    const { role } = call.options;
    const app = await call.openApp();
    // Somebody must be the first; after that, once something real is at stake, an admin vouches for the next.
    const isFirst = (await app.access.operators()).length === 0;
    const by = isFirst ? undefined : await askOperatorOnceReal(call, app, 'MANAGE_OPERATORS');
    const key = await createOperator(app, name, role, { principal: principalOf(by), channel: 'cli' });
    call.terminal.print(
      { operator: name, role, key },
      [
        key,
        `This is the operator key of ${name} (${role}), shown this once. Keep it from every bot and model.`,
        'Use it in the terminal as GATEHOUSE_OPERATOR_KEY.',
      ].join('\n'),
    );
  },
});
