import { z } from 'zod';
import { defineAction } from '../src/action.ts';

export default defineAction({
  name: 'RunSOQL',
  title: 'Run a query',
  description:
    'Runs one read-only SOQL query against Salesforce. Use for lists, counts and sums, e.g. SELECT COUNT() FROM Opportunity WHERE IsWon = true. Not for one account: use GetAccount. Name the fields and add WHERE and LIMIT. A refusal says how to repair the query. Broad queries may wait for approval.',
  permission: 'RUN_SOQL',
  risk: 'read',
  input: z.strictObject({
    soql: z.string().trim().min(1).describe('One SELECT statement, single quotes around text'),
    cursor: z.string().optional().describe('nextCursor of an earlier answer to the same query'),
    format: z.enum(['concise', 'detailed']).optional().describe('detailed adds Ids'),
  }),
  output: z.object({
    rows: z.array(z.record(z.string(), z.unknown())),
    returned: z.number(),
    total: z.number(),
    nextCursor: z.string().optional(),
    note: z.string().optional(),
  }),

  async preview({ soql, cursor, format = 'concise' }, context) {
    // Further pages of a query that was let through are not asked about again; budgets still count them.
    if (cursor !== undefined) return { summary: 'Read the next page of a query', changes: [] };
    const query = await context.soql.judge(soql, format);
    return { summary: `Run a query on ${query.objects.join(', ')}`, changes: [], query };
  },

  async run({ soql, cursor, format = 'concise' }, context) {
    const answer =
      cursor === undefined
        ? await context.soql.run(await context.soql.judge(soql, format), format)
        : await context.soql.next(cursor, format);
    return { ...answer, rows: answer.rows.map((one) => ({ ...one })) };
  },
});
