import { z } from 'zod';
import { defineAction } from '../src/domain/action.ts';

export default defineAction({
  name: 'SyncCase',
  title: 'Sync a case',
  description:
    'Brings one case of the host app and its Salesforce Opportunity into step now, with its people as contact roles. Use when the user asks to sync a case or matter. Not for moving a stage by hand: use UpdateOpportunity. Needs the case id; ask for it.',
  permission: 'SYNC_CASE',
  risk: 'write',
  idempotent: true,
  touches: {
    reads: ['Opportunity', 'Contact', 'OpportunityContactRole'],
    creates: ['Opportunity', 'Contact', 'OpportunityContactRole'],
    edits: ['Opportunity', 'OpportunityContactRole'],
    mapped: true,
  },
  input: z.strictObject({ caseId: z.string().min(1).max(200).describe('Id of the case in the host app') }),
  output: z.object({
    operation: z.enum(['create', 'update', 'none']),
    direction: z.enum(['to_crm', 'from_crm', 'both', 'none']),
    id: z.string().describe('Id of the Opportunity'),
    url: z.string(),
    changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
    roles: z.array(z.object({ party: z.string(), contactId: z.string(), role: z.string() })),
    warnings: z.array(z.string()).optional(),
    alreadyDone: z.boolean().optional(),
  }),

  preview: ({ caseId }, { sync }) => sync.previewCase(caseId),

  async run({ caseId }, { sync }) {
    const { operation, direction, id, url, changes, roles, warnings } = await sync.syncCase(caseId);
    return {
      operation,
      direction,
      id,
      url,
      changes: [...changes],
      roles: [...roles],
      ...(warnings === undefined ? {} : { warnings: [...warnings] }),
      ...(operation === 'none' ? { alreadyDone: true } : {}),
    };
  },
});
