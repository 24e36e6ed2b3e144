import { shownRecord } from '../../permissions/shown-record.ts';
import type { Audit } from '../audit/audit.ts';
import { GatehouseError } from '../domain/errors.ts';
import { cleanData } from '../domain/safe-text.ts';
import { botNamed, switchedOff } from '../policy/permit.ts';
import type { Gate } from '../ports/gate.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { createReadLog, type ReadLog } from './read-log.ts';

/** Parts of these are fields of their own; the compounds only repeat them. */
const COMPOUND = ['address', 'location'];

export interface AccountContextDeps {
  readonly store: Pick<Store, 'bots'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly context: ContextDeps;
}

/** Rows that the host asks for are written down like a bot's. */
export function createAccountContext({ store, audit, context }: AccountContextDeps): Gate['accountContext'] {
  return async (name, session, signal = new AbortController().signal) => {
    const bot = await botNamed(store, name);
    const reads = createReadLog(context.now);
    const account = await readAccount(context, bot, session, signal, reads);
    await audit.record({
      bot: bot.name,
      principal: 'host',
      channel: 'chat',
      action: 'session_context',
      event: 'done',
      decision: 'auto',
      policyRevision: bot.policyRevision,
      ...reads.audited(),
    });
    return account;
  };
}

/**
 * What a chat session starts with (O9): the account found by the bot's index field, described from the cache, fetched once.
 * One request when the describe is known.
 */
async function readAccount(
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
