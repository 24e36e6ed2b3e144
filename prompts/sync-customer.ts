import { z } from 'zod';
import { definePrompt, given, optionalText, requiredText } from '../src/domain/prompt.ts';

export default definePrompt({
  name: 'sync-customer',
  title: 'Bring a customer into step with Salesforce',
  description: 'Syncs one person, and one of their cases if named, and says what changed on which side.',
  arguments: z.strictObject({
    partyId: requiredText('Id of the person in this app'),
    caseId: optionalText('Id of a case in this app'),
  }),
  needs: ['SyncParty', 'SyncCase'],
  render: ({ partyId, caseId }) =>
    [
      `Bring the person ${given(partyId)} into step with Salesforce: call SyncParty.`,
      caseId === undefined ? '' : `Then bring the case ${given(caseId)} into step: call SyncCase.`,
      'Tell me what was created or changed on which side, old value to new value, with the links. If nothing changed, say that.',
      'If several records match, stop and tell me that an operator must choose; do not pick one.',
    ]
      .filter(Boolean)
      .join('\n'),
});
