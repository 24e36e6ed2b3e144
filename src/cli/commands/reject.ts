import { defineCommand } from '../command.ts';
import { decide } from './decide.ts';

export const command = defineCommand({
  args: ['<id>'],
  options: {
    reason: { value: 'text', about: 'kept with the decision; read by people, and by the model where policy says so' },
  },
  run: (call) => decide(call, call.args[0], 'reject', { reason: call.options.reason }),
});
