import { defineCommand } from '../command.ts';
import { decide } from './decide.ts';

export const command = defineCommand({
  args: ['<id>'],
  run: (call) => decide(call, call.args[0], 'reject'),
});
