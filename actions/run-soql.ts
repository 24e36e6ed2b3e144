import { z } from 'zod';
import { defineAction } from '../src/domain/action.ts';

export default defineAction({
  name: 'RunSOQL',
  title: 'Run a query',
  description:
    'Runs one read-only SOQL query against Salesforce. Use for lists, counts and sums, e.g. SELECT COUNT() FROM Opportunity WHERE IsWon = true. Not for one account: use GetAccount. Name the fields and add WHERE and LIMIT. A refusal says how to repair the query. Broad queries may wait for approval.',
  permission: 'RUN_SOQL',
  risk: 'read',
  touches: { reads: ['*'] },
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
    const query = await (cursor === undefined ? context.soql.judge(soql, format) : context.soql.resume(cursor, format));
    const what = cursor === undefined ? 'Run a query on' : 'Read the next page of a query on';
    return { summary: `${what} ${query.objects.join(', ')}`, changes: [], query };
  },

  async run({ soql, cursor, format = 'concise' }, context) {
    const query = await (cursor === undefined ? context.soql.judge(soql, format) : context.soql.resume(cursor, format));
    const answer = await context.soql.run(query, format);
    return { ...answer, rows: answer.rows.map((one) => ({ ...one })) };
  },
});
