import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';
import { toKind } from '../sync-kind.ts';

export const command = defineCommand({
  args: ['<bot>', '<kind>', '<id>'],

  async run(call) {
    const [name, word, localId] = call.args;
    const kind = toKind(word);
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_MAPPINGS', name);
    const { name: bot } = await botNamed(app.store, name);
    const { orgId } = await app.connections.status(bot);
    if (orgId === undefined)
      throw new GatehouseError('not_connected', `${bot} was never connected, so nothing is linked.`, {
        next: `Connect it first: gatehouse connect ${bot} --flow web.`,
      });
    const { manualLinks } = await app.sync();
    const { object } = await manualLinks.unlink(bot, orgId, kind, localId);
    await app.audit.record({
      bot,
      principal: principalOf(operator),
      channel: 'cli',
      action: 'salesforce-link',
      event: 'unlinked',
      object,
      recordId: null,
      detail: { kind, id: localId },
    });
    call.terminal.print(
      { bot, kind, localId, linked: false },
      `The ${kind} ${localId} is linked to nothing now; the record in Salesforce stays as it is.`,
    );
  },
});
