import { askOperator, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  args: ['<subject>'],

  async run(call) {
    const app = await call.openApp();
    const operator = await askOperator(call, app, 'ERASE_PEOPLE');
    const erased = await app.retention.erase(call.args[0], principalOf(operator));
    call.terminal.print(
      erased,
      `Blanked ${erased.proposals} proposals and ${erased.rows} audit rows; the chain still proves every row. Records in Salesforce stay as they are.`,
    );
  },
});
