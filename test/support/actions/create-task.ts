import { z } from 'zod';
import { type ActionContext, defineAction } from '../../../src/action.ts';

const input = z.strictObject({ subject: z.string().min(1).describe('What is to be done') });

/** An action as a newcomer writes it: this file, and (for a permission of its own) a line in the catalog. */
export default defineAction({
  name: 'CreateTask',
  title: 'Create a task',
  description: 'Creates one Salesforce Task. Use when something must be done later. Not for events.',
  permission: 'CREATE_LEAD',
  risk: 'write',
  touches: { creates: ['Task'] },
  input,
  output: z.object({ id: z.string() }),

  async preview({ subject }, context) {
    await context.salesforce.describe('Task');
    return {
      summary: 'Create a task',
      changes: [{ field: 'Subject', label: 'Subject', before: null, after: subject }],
    };
  },

  run: ({ subject }, { salesforce }: ActionContext) => salesforce.create('Task', { Subject: subject }),
});
