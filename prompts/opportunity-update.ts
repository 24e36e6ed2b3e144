import { z } from 'zod';
import { definePrompt, given, requiredText } from '../src/domain/prompt.ts';

export default definePrompt({
  name: 'opportunity-update',
  title: 'Update an opportunity',
  description: 'Turns a sentence about a deal into one exact change, which a person approves.',
  arguments: z.strictObject({
    opportunity: requiredText('Reference such as OPP-123, Id or exact name'),
    news: requiredText('What happened, in your own words'),
  }),
  needs: ['UpdateOpportunity'],
  render: ({ opportunity, news }) =>
    [
      `Update the opportunity ${given(opportunity)}. What happened: ${given(news)}.`,
      'Change only what the news says: stage, amount, close date (YYYY-MM-DD) or next step. If it is not clear which stage or which date, ask me.',
      'Call UpdateOpportunity once. A person approves the exact change; tell me when it waits and where, and afterwards what changed, old value to new value.',
    ].join('\n'),
});
