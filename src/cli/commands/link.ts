import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';
import { toKind } from '../sync-kind.ts';

/** What a human decided where several records could be meant. */
export const command = defineCommand({
  args: ['<bot>', '<kind>', '<id>', '<recordId>'],
  options: { insteadOf: { value: 'id', about: 'whose record it was so far; that one is unlinked' } },

  async run(call) {
    const [name, word, localId, recordId] = call.args;
    const kind = toKind(word);
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_MAPPINGS', name);
    const { name: bot } = await botNamed(app.store, name);
    const org = await app.connections.open(bot, { signal: AbortSignal.timeout(60_000) });
    const { manualLinks } = await app.sync();
    const { insteadOf } = call.options;
    const { object, sfId } = await manualLinks.link(bot, org, kind, localId, recordId, { insteadOf });
    await app.audit.record({
      bot,
      principal: principalOf(operator),
      channel: 'cli',
      action: 'salesforce-link',
      event: 'linked',
      object,
      recordId: sfId,
      detail: { kind, id: localId, ...(insteadOf === undefined ? {} : { insteadOf }) },
    });
    call.terminal.print(
      { bot, kind, localId, object, recordId: sfId },
      `The ${kind} ${localId} is the ${object} ${sfId}. It is brought into step by serve, a worker, or: gatehouse sync ${bot}.`,
    );
  },
});
