import { askOperator, principalOf } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';
import { describeEnvelope } from '../envelope.ts';

/** Asks; an approver decides, like over any other proposal. */
export const command = defineCommand({
  args: ['<audit>'],

  async run(call) {
    const [given] = call.args;
    if (!/^[1-9]\d{0,14}$/.test(given))
      throw new UsageError(
        `${JSON.stringify(given.slice(0, 80))} is no number of an audit row.`,
        'See the rows: gatehouse audit export.',
      );
    const app = await call.openApp();
    const bot = (await app.store.audit.get(Number(given)))?.bot;
    const operator = await askOperator(call, app, 'DECIDE_PROPOSALS', bot);
    const envelope = await app.approvals.undo(Number(given), principalOf(operator));
    const { terminal } = call;
    const hint =
      envelope.proposal === undefined ? '' : `\nAn operator decides: gatehouse approve ${envelope.proposal.id}`;
    terminal.print(envelope, `${describeEnvelope(envelope, terminal)}${hint}`);
  },
});
