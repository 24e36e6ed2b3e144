import { z } from 'zod';
import {
  type ActionContext,
  type Condition,
  CURRENCY_FIELD,
  defineAction,
  type Find,
  hasCurrencies,
  type SObject,
} from '../src/domain/action.ts';
import { GatehouseError } from '../src/domain/errors.ts';

const FIELDS = ['Name', 'Type', 'Industry', 'Website', 'Phone', 'BillingCity', 'BillingCountry', 'NumberOfEmployees'];

const RELATED = {
  opportunities: {
    object: 'Opportunity',
    fields: ['Name', 'StageName', 'Amount', 'CloseDate', 'NextStep'],
    open: { field: 'IsClosed', is: false },
  },
  contacts: { object: 'Contact', fields: ['Name', 'Title', 'Email', 'Phone'], open: undefined },
  cases: {
    object: 'Case',
    fields: ['CaseNumber', 'Subject', 'Status', 'Priority'],
    open: { field: 'IsClosed', is: false },
  },
} as const;

const KEYS = ['id', 'key', 'name', 'opportunity'] as const;

const input = z.strictObject({
  id: z.string().optional().describe('Account Id (001...)'),
  key: z.string().optional().describe("The host app's own key of the account"),
  name: z.string().optional().describe('Exact account name'),
  opportunity: z.string().optional().describe('Id, reference or exact name of one of its opportunities, e.g. OPP-123'),
  include: z
    .array(z.enum(['opportunities', 'contacts', 'cases']))
    .max(3)
    .optional()
    .describe('Open opportunities, contacts or open cases, up to 25 each'),
});

const row = z.record(z.string(), z.unknown());

export default defineAction({
  name: 'GetAccount',
  title: 'Look up an account',
  description:
    'Reads one Salesforce Account by Id, key, exact name, or one of its opportunities. Use for "who is" and "what is the status of OPP-123". Not for lists or counts: use RunSOQL. Several hits come back as candidates to ask about.',
  permission: 'READ_ACCOUNT',
  risk: 'read',
  touches: {
    reads: ['Account', 'Contact', 'Opportunity', 'Case'],
    fields: [
      ...FIELDS.map((field) => `Account.${field}`),
      ...Object.values(RELATED).flatMap(({ object, fields, open }) =>
        [...fields, 'AccountId', ...(open ? [open.field] : [])].map((field) => `${object}.${field}`),
      ),
    ],
  },
  input,
  output: z.object({
    account: row,
    opportunity: row.optional().describe('The opportunity that was asked for'),
    opportunities: z.array(row).optional(),
    contacts: z.array(row).optional(),
    cases: z.array(row).optional(),
  }),

  async run(wish, context) {
    if (context.bot.audience === 'public') return ownAccount(wish, context);
    const given = KEYS.filter((key) => wish[key] !== undefined);
    const [key] = given;
    if (key === undefined || given.length > 1)
      throw new GatehouseError(
        'invalid_input',
        'Exactly one of id, key, name and opportunity says which account is meant.',
        {
          next: 'Ask the user which account is meant, and give one of the four.',
          fields: KEYS.map((name) => ({ name, problem: 'give exactly one of the four' })),
        },
      );
    // wish[key] was found given above.
    const value = wish[key]!;
    if (key === 'opportunity') return byOpportunity(value, wish.include ?? [], context);
    const field = key === 'key' ? await context.lookups.must('accountKey') : { id: 'Id', name: 'Name' }[key];
    return byField(key, field, value, wish.include ?? [], context);
  },
});

type Wish = z.output<typeof input>;
type Include = NonNullable<Wish['include']>;

/** The account and what belongs to it, in one request. */
async function byField(key: string, field: string, value: string, include: Include, { salesforce }: ActionContext) {
  const found = await salesforce.findAll([
    { object: 'Account', find: { fields: FIELDS, where: [{ field, is: value }], limit: 6 } },
    ...(await Promise.all(
      include.map((what) =>
        related(what, { field: field === 'Id' ? 'AccountId' : `Account.${field}`, is: value }, salesforce),
      ),
    )),
  ]);
  const [accounts = [], ...others] = found;
  const account = only(accounts, key);
  return { account: present(account, salesforce), ...named(include, others, salesforce) };
}

async function byOpportunity(value: string, include: Include, { salesforce, lookups }: ActionContext) {
  const fields = [
    ...(await fieldsOf('opportunities', salesforce)),
    'IsClosed',
    'AccountId',
    ...FIELDS.map((name) => `Account.${name}`),
  ];
  const by = (field: string) => salesforce.find('Opportunity', { fields, where: [{ field, is: value }], limit: 6 });
  const isId = /^006[0-9A-Za-z]{12}([0-9A-Za-z]{3})?$/.test(value);
  const reference = isId ? 'Id' : await lookups.field('opportunityReference');
  let found = reference === undefined ? [] : await by(reference);
  // People say its name too; and where the org keeps no references that is all there is.
  if (found.length === 0 && !isId) found = await by('Name');
  if (found.length === 0 && !isId) await lookups.must('opportunityReference');
  const opportunity = only(found, 'opportunity');
  const { Account, AccountId, ...rest } = opportunity;
  if (typeof AccountId !== 'string')
    throw new GatehouseError('not_found', 'This opportunity belongs to no account.', { next: 'Tell the user so.' });
  const others =
    include.length === 0
      ? []
      : await salesforce.findAll(
          await Promise.all(include.map((what) => related(what, { field: 'AccountId', is: AccountId }, salesforce))),
        );
  return {
    account: present({ ...(Account as object), Id: AccountId }, salesforce),
    opportunity: present(rest as SObject, salesforce), // `rest` keeps the Id of the opportunity
    ...named(include, others, salesforce),
  };
}

/** A public bot's visitor sees the account of the session that the host signed, and nothing else (P6). */
async function ownAccount(wish: Wish, { salesforce, lookups, caller, log }: ActionContext) {
  // The visitor reads it, too.
  const said =
    caller.session === undefined
      ? 'Nothing can be looked up here without being signed in.'
      : 'Nothing but your own account can be looked up here.';
  const refusal = new GatehouseError('permission_denied', said, {
    next: 'Tell the user that only their own account can be looked up here. Do not retry with other values.',
  });
  if (caller.session === undefined) throw refusal;
  const key = await lookups.field('accountKey');
  if (key === undefined) {
    // An operator must hear of it; a visitor can do nothing about it.
    log.info('no account of a session can be found: lookups.accountKey of the policy names no field of this org');
    throw refusal;
  }
  const find: Find = {
    fields: FIELDS,
    where: [{ field: key, is: caller.session.indexValue }],
    limit: 2,
  };
  const [account, second] = await salesforce.find('Account', find);
  if (account === undefined || second !== undefined) throw refusal;
  const isOther =
    wish.opportunity !== undefined ||
    (wish.id !== undefined && wish.id.slice(0, 15) !== account.Id.slice(0, 15)) ||
    (wish.key !== undefined && wish.key !== caller.session.indexValue) ||
    (wish.name !== undefined && wish.name !== account.Name);
  if (isOther || (wish.include ?? []).length > 0) throw refusal;
  return { account: present(account, salesforce) };
}

async function related(
  what: Include[number],
  of: Condition,
  salesforce: ActionContext['salesforce'],
): Promise<{ object: string; find: Find }> {
  const { object, open } = RELATED[what];
  const fields = await fieldsOf(what, salesforce);
  return { object, find: { fields, where: open === undefined ? [of] : [of, open], limit: 25 } };
}

/** An amount means nothing without its currency, where the org has several. */
async function fieldsOf(what: Include[number], { describe }: ActionContext['salesforce']): Promise<readonly string[]> {
  const { object, fields } = RELATED[what];
  if (what !== 'opportunities' || !hasCurrencies(await describe(object))) return fields;
  return [...fields, CURRENCY_FIELD];
}

function only(found: readonly SObject[], key: string): SObject {
  const [first, second] = found;
  if (first === undefined)
    throw new GatehouseError(
      'not_found',
      `No ${key === 'opportunity' ? 'opportunity' : 'account'} matches this ${key}.`,
      {
        next:
          key === 'name'
            ? 'Names match whole, not in part. Ask the user for the full name as Salesforce has it; do not guess another one.'
            : 'Check the spelling with the user; do not guess another one.',
        fields: [{ name: key, problem: 'matches nothing that can be seen' }],
      },
    );
  if (second === undefined) return first;
  throw new GatehouseError(
    'ambiguous',
    `${found.length > 5 ? 'More than five' : found.length} records match this ${key}.`,
    {
      next: 'Ask the user which one is meant and call again with its id.',
      candidates: found.slice(0, 5).map((record) => ({
        id: record.Id,
        name: String(record.Name ?? record.Id),
        hint: [record.Industry, record.BillingCity, record.Website].filter(Boolean).join(', '),
      })),
    },
  );
}

function named(include: Include, lists: readonly (readonly SObject[])[], salesforce: ActionContext['salesforce']) {
  return Object.fromEntries(
    include.map((what, at) => [what, (lists[at] ?? []).map((record) => present(record, salesforce))]),
  );
}

/** Without nulls, with a link. */
function present(record: SObject, salesforce: ActionContext['salesforce']): Record<string, unknown> {
  const { Id, ...rest } = record;
  return {
    id: Id,
    url: salesforce.recordUrl(Id),
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)),
  };
}
