import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';
import { subscriptionLine } from '../subscription-line.ts';

export const command = defineCommand({
  args: ['<bot>', '<object>'],
  options: {
    fields: { about: 'Fields that are told, with commas between', value: 'NAMES', required: true },
    when: { about: 'Tell only as this picklist or checkbox becomes a value', value: 'FIELD' },
    becomes: { about: 'The value, or several with ; between', value: 'VALUES' },
    channel: { about: 'A custom channel (/event/…__chn or /data/…__chn) instead of its own', value: 'CHANNEL' },
    'record-id-field': { about: 'Of a platform event: its field with the id of a record to look at', value: 'FIELD' },
  },

  async run(call) {
    const [name, object] = call.args;
    const { fields, when: field, becomes, channel, 'record-id-field': recordIdField } = call.options;
    if ((field === undefined) !== (becomes === undefined))
      throw new UsageError('--when and --becomes go together.', 'Example: --when StageName --becomes "Closed Won"');
    const wish = {
      fields: wordsOf(fields, ','),
      ...(channel === undefined ? {} : { channel }),
      ...(recordIdField === undefined ? {} : { recordIdField }),
      ...(field === undefined ? {} : { when: { field, becomes: wordsOf(becomes ?? '', ';').map(plain) } }),
    };
    const app = await call.openApp();
    const operator = await askOperatorOnceReal(call, app, 'MANAGE_MAPPINGS', name);
    const { name: bot } = await botNamed(app.store, name);
    const org = await app.connections.open(bot, { signal: AbortSignal.timeout(120_000) });
    const { held, ...saved } = await (await app.sync()).subscriptions.set(bot, org, object, wish);
    await app.audit.record({
      ...{ bot, principal: principalOf(operator), channel: 'cli', action: 'sync', event: 'subscribed' },
      detail: { ...saved },
    });
    const already = held ? ` ${held} hold such a value already, and are not told.` : '';
    call.terminal.print(
      { bot, ...saved, ...(held === undefined ? {} : { held }) },
      `The host app is told of ${subscriptionLine(saved)}.${already}`,
    );
  },
});

const wordsOf = (text: string, between: string): readonly string[] =>
  text
    .split(between)
    .map((word) => word.trim())
    .filter(Boolean);

/** A checkbox becomes true, not the word. */
const plain = (word: string): string | boolean => (word === 'true' ? true : word === 'false' ? false : word);
