import { shownRecord } from '../../permissions/shown-record.ts';
import { GatehouseError } from '../domain/errors.ts';
import { cleanData } from '../domain/safe-text.ts';
import { switchedOff } from '../policy/permit.ts';
import type { BotRow } from '../ports/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import type { ReadLog } from './read-log.ts';

/** Parts of these are fields of their own; the compounds only repeat them. */
const COMPOUND = ['address', 'location'];

/**
 * What a chat session starts with (O9): the account found by the bot's index field, described from the cache, fetched once.
 * One request when the describe is known.
 */
export async function readSessionContext(
  deps: ContextDeps,
  bot: BotRow,
  session: { readonly indexValue: string },
  signal: AbortSignal,
  reads: ReadLog,
): Promise<Readonly<Record<string, unknown>>> {
  if (bot.policy.mode === 'off') throw switchedOff('This bot');
  const { context } = await contextFor(deps, bot, { principal: 'host', session }, {}, signal, reads);
  const { salesforce } = context;
  const { fields } = await salesforce.describe('Account');
  const key = await context.lookups.must('accountKey');
  const found = await salesforce.find('Account', {
    fields: fields.filter(({ type }) => !COMPOUND.includes(type)).map(({ name }) => name),
    where: [{ field: key, is: session.indexValue }],
    limit: 2,
  });
  const [account, second] = found;
  if (account === undefined)
    throw new GatehouseError('not_found', 'No account has this key.', {
      next: `Check that ${key} of the account holds the key that the host app signs.`,
      fields: [{ name: 'indexValue', problem: 'matches no account that can be seen' }],
    });
  if (second !== undefined)
    throw new GatehouseError('ambiguous', 'Several accounts have this key.', {
      next: `Make ${key} unique in Salesforce; nothing is shown until then.`,
    });
  const known = Object.fromEntries(Object.entries(account).filter(([, value]) => value !== null));
  return cleanData({ ...shownRecord(bot.policy, 'Account', known), url: salesforce.recordUrl(account.Id) });
}
