import { z } from 'zod';
import { definePrompt, given, optionalText } from '../src/domain/prompt.ts';

export default definePrompt({
  name: 'qualify-lead',
  title: 'Qualify a visitor and create a lead',
  description: 'Asks for what a lead needs, then creates it once.',
  arguments: z.strictObject({
    interest: optionalText('What the visitor is interested in'),
  }),
  needs: ['CreateLead'],
  render: ({ interest }) =>
    [
      'Talk with the visitor and create one Salesforce lead.',
      interest === undefined ? '' : `The visitor is interested in: ${given(interest)}.`,
      'Ask, one question at a time, for the family name, the company and a work email, and for a phone number if they prefer a call. Ask again rather than invent; without a company use "[not provided]".',
      'Read the details back, and call CreateLead only after the visitor says they are right.',
      'If a look-alike is reported, say so and do not create a second lead.',
    ]
      .filter(Boolean)
      .join('\n'),
});
