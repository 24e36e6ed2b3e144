import { defineCommand } from '../command.ts';
import { decide } from './decide.ts';

export const command = defineCommand({
  args: ['<id>'],
  options: { choice: { value: 'id', about: "one of the proposal's choices" } },
  run: (call) => decide(call, call.args[0], 'approve', { choice: call.options.choice }),
});
