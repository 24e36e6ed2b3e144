import { z } from 'zod';
import { definePrompt, given, optionalText } from '../src/domain/prompt.ts';

export default definePrompt({
  name: 'pipeline-report',
  title: 'Report on the pipeline',
  description: 'Open opportunities by stage for a period, with the largest and the overdue ones.',
  arguments: z.strictObject({
    period: optionalText('For example: this quarter, next month'),
    owner: optionalText('Only deals of this owner, by full name'),
  }),
  needs: ['RunSOQL'],
  render: ({ period, owner }) =>
    [
      `Report on our open pipeline: ${period === undefined ? 'this quarter' : given(period)}${owner === undefined ? '' : `, owner ${given(owner)}`}.`,
      'Use RunSOQL with few, narrow queries: count and sum of Amount by StageName where IsClosed is false, then the ten largest deals, then those whose CloseDate is past. Use date literals such as THIS_QUARTER, and a LIMIT.',
      'A query that reads much waits for a person to approve it: tell me and go on when it is done.',
      'Answer with a short table by stage, the largest deals, the overdue ones, and one sentence on what stands out. Say the period and how many records you read.',
    ].join('\n'),
});
