import { z } from 'zod';
import { defineAction } from '../src/domain/action.ts';

export default defineAction({
  name: 'SyncParty',
  title: 'Sync a person',
  description:
    'Brings one person of the host app and their Salesforce Contact into step now. Use when the user asks to sync or refresh a customer. Not for creating leads. Needs the party id; ask for it, never invent it.',
  permission: 'SYNC_PARTY',
  risk: 'write',
  idempotent: true,
  touches: { reads: ['Contact', 'Account'], creates: ['Contact'], edits: ['Contact'], mapped: true },
  input: z.strictObject({ partyId: z.string().min(1).max(200).describe('Id of the person in the host app') }),
  output: z.object({
    operation: z.enum(['create', 'update', 'none']),
    direction: z.enum(['to_crm', 'from_crm', 'both', 'none']),
    id: z.string().describe('Id of the Contact'),
    url: z.string(),
    changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
    warnings: z.array(z.string()).optional(),
    alreadyDone: z.boolean().optional(),
  }),

  preview: ({ partyId }, { sync }) => sync.previewParty(partyId),

  async run({ partyId }, { sync }) {
    const { operation, direction, id, url, changes, warnings } = await sync.syncParty(partyId);
    return {
      operation,
      direction,
      id,
      url,
      changes: [...changes],
      ...(warnings === undefined ? {} : { warnings: [...warnings] }),
      ...(operation === 'none' ? { alreadyDone: true } : {}),
    };
  },
});
