import { defineCommand } from '../command.ts';
import { switchAction } from './switch-action.ts';

export const command = defineCommand({
  args: ['<bot>', '<action>'],
  run: (call) => switchAction(call, ...call.args, true),
});
