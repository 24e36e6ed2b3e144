import { z } from 'zod';
import {
  type ActionContext,
  type Change,
  CURRENCY_FIELD,
  defineAction,
  type Fields,
  type FieldValue,
  inCurrency,
  isSame,
  isSumOfProducts,
  type ObjectDescribe,
  PRODUCTS_FIELD,
  quoted,
  type SObject,
  SUM_OF_PRODUCTS,
} from '../src/domain/action.ts';
import { GatehouseError } from '../src/domain/errors.ts';

const FIELDS = { stageName: 'StageName', amount: 'Amount', closeDate: 'CloseDate', nextStep: 'NextStep' } as const;
const NAMES = Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [field, name]));

const input = z.strictObject({
  id: z.string().optional().describe('Opportunity Id (006...)'),
  reference: z.string().optional().describe('Reference, e.g. OPP-123'),
  name: z.string().optional().describe('Exact name; give exactly one of id, reference, name'),
  stageName: z.string().optional().describe('New stage, e.g. Closed Won'),
  amount: z.number().min(0).optional().describe('New amount'),
  closeDate: z.iso.date().optional().describe('New close date, YYYY-MM-DD'),
  nextStep: z.string().optional().describe('New next step'),
});

export default defineAction({
  name: 'UpdateOpportunity',
  title: 'Update an opportunity',
  description:
    'Changes stage, amount, close date or next step of one Salesforce Opportunity. Use when the user asks to move or correct a deal. Not for reading one: use GetAccount or RunSOQL. Usually waits for a person to approve.',
  permission: 'UPDATE_OPPORTUNITY',
  risk: 'destructive',
  touches: {
    reads: ['Opportunity', 'Account'],
    edits: ['Opportunity'],
    sets: Object.values(FIELDS),
    fields: ['Opportunity.Name', 'Opportunity.AccountId', 'Account.Name'],
  },
  exposes: 'Opportunity',
  input,
  output: z.object({
    id: z.string(),
    name: z.string(),
    url: z.string(),
    changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
    alreadyDone: z.boolean().optional().describe('The record held these values before the call'),
  }),

  async preview(wish, context) {
    const { record, fields, warnings, describe } = await read(wish, context);
    const words = (field: string) => ({
      label: field,
      ...inCurrency(
        describe.fields.find(({ name }) => name === field),
        record,
        fields,
      ),
    });
    return {
      summary: `Update the opportunity ${quoted(String(record.Name ?? record.Id), 255)}`,
      target: {
        object: 'Opportunity',
        id: record.Id,
        name: String(record.Name ?? record.Id),
        url: context.salesforce.recordUrl(record.Id),
      },
      changes: changed(record, fields, describe).map((change): Change => ({ ...change, ...words(change.field) })),
      warnings,
    };
  },

  async run(wish, context) {
    const { record, fields, describe } = await read(wish, context);
    const held = await context.salesforce.update('Opportunity', record, fields);
    const changes = changed(record, fields, describe).map((change) => ({
      ...change,
      after: held[change.field] ?? change.after,
    }));
    return {
      id: record.Id,
      name: String(record.Name ?? record.Id),
      url: context.salesforce.recordUrl(record.Id),
      changes,
      ...(changes.length === 0 ? { alreadyDone: true } : {}),
    };
  },
});

type Wish = z.output<typeof input>;

/** The record as it is now, and the values as the org would store them. */
async function read(wish: Wish, context: ActionContext) {
  const { salesforce, extra } = context;
  const wanted: Fields = {
    ...Object.fromEntries(
      Object.entries(FIELDS).flatMap(([name, field]): [string, FieldValue][] => {
        const value = wish[name as keyof typeof FIELDS];
        return value === undefined ? [] : [[field, value]];
      }),
    ),
    ...extra,
  };
  if (Object.keys(wanted).length === 0)
    throw new GatehouseError('invalid_input', 'Nothing to change was given.', {
      next: 'Ask the user what to change: stageName, amount, closeDate or nextStep.',
      fields: Object.keys(FIELDS).map((name) => ({ name, problem: 'give at least one' })),
    });
  const { fields, warnings } = await salesforce.check('Opportunity', 'update', wanted, NAMES);
  const describe = await salesforce.describe('Opportunity');
  const besides = [PRODUCTS_FIELD, CURRENCY_FIELD].filter((field) =>
    describe.fields.some(({ name }) => name === field),
  );
  const record = await find(wish, context, [...Object.keys(fields), ...besides]);
  for (const { field } of changed(record, fields, describe))
    if (isSumOfProducts('Opportunity', field, record))
      throw new GatehouseError('invalid_input', `The amount of this opportunity ${SUM_OF_PRODUCTS}.`, {
        next: 'Tell the user so, and leave the amount out.',
        fields: [{ name: 'amount', problem: SUM_OF_PRODUCTS }],
      });
  return { record, fields, warnings, describe };
}

async function find(wish: Wish, { salesforce, lookups }: ActionContext, more: readonly string[]): Promise<SObject> {
  const given = (['id', 'reference', 'name'] as const).filter((key) => wish[key] !== undefined);
  const [key] = given;
  if (key === undefined || given.length > 1)
    throw new GatehouseError(
      'invalid_input',
      'Exactly one of id, reference and name says which opportunity is meant.',
      {
        next: 'Ask the user which opportunity is meant, and give one of the three.',
        fields: ['id', 'reference', 'name'].map((name) => ({ name, problem: 'give exactly one of the three' })),
      },
    );
  const fields = [...new Set(['Name', 'StageName', 'Amount', 'CloseDate', 'NextStep', 'LastModifiedDate', ...more])];
  const field = key === 'reference' ? await lookups.must('opportunityReference') : { id: 'Id', name: 'Name' }[key];
  // wish[key] was found given above.
  const found = await salesforce.find('Opportunity', {
    fields,
    where: [{ field, is: wish[key]! }],
    limit: 6,
  });
  if (found.length > 1)
    throw new GatehouseError(
      'ambiguous',
      `${found.length > 5 ? 'More than five' : found.length} opportunities have this ${key}.`,
      {
        next: 'Ask the user which one is meant and call again with its id.',
        candidates: found.slice(0, 5).map((record) => ({
          id: record.Id,
          name: String(record.Name ?? record.Id),
          hint: `${record.StageName}, closes ${record.CloseDate}`,
        })),
      },
    );
  const [record] = found;
  if (record !== undefined) return record;
  throw new GatehouseError('not_found', `No opportunity has this ${key}.`, {
    next: 'Check the spelling with the user; do not guess another one.',
    fields: [{ name: key, problem: 'matches no opportunity that can be seen' }],
  });
}

function changed(record: SObject, fields: Fields, describe: ObjectDescribe): Omit<Change, 'label'>[] {
  return Object.entries(fields).flatMap(([field, after]) => {
    const before = (record[field] ?? null) as FieldValue; // plain fields hold plain values
    const described = describe.fields.find(({ name }) => name === field);
    return isSame(described, before, after) ? [] : [{ field, before, after }];
  });
}
