import { z } from 'zod';
import { botNamed } from '../../policy/permit.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';

const names = z.array(z.string());
const rightsAnswer = z.strictObject({
  object: z.string(),
  rights: z.array(z.enum(['read', 'create', 'edit', 'delete', 'viewAll', 'modifyAll'])),
  readFields: names,
  editFields: names,
  because: names.describe('What of the bot needs the object'),
});

/** The org of a bot as it must be set up, and as it is. */
export function orgRoutes({ store, orgSetup }: HttpDeps) {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/org/check',
      summary: 'What the connected Salesforce user may do, beside what the bot needs: too little, and too much',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({
        username: z.string(),
        tooLittle: z.array(rightsAnswer).describe('What will fail'),
        tooMuch: z.array(rightsAnswer).describe('What to take away'),
        system: names.describe('System permissions to take away'),
        isSystemUnknown: z.boolean().describe('The user may not look at permission sets: nothing is said of them'),
        needs: z.array(
          z.strictObject({
            object: z.string(),
            create: z.boolean(),
            edit: z.boolean(),
            delete: z.boolean(),
            fields: z.array(z.strictObject({ name: z.string(), isEdited: z.boolean(), isOptional: z.boolean() })),
            because: names,
          }),
        ),
      }),
      async handle({ params, signal }) {
        const { username = '', ...check } = await (await orgSetup()).check(await botNamed(store, params.bot), signal);
        return { json: { username, ...check } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/org/package',
      summary: 'What an admin deploys or clicks in the org: our fields, and the least permission set of the bot',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      query: z.object({ events: z.enum(['true', 'false']).default('false').describe('With change events') }),
      answer: z.strictObject({
        permissionSet: z.string(),
        parts: names,
        clicks: names,
        environment: z.enum(['production', 'sandbox', 'simulated']),
        username: z.string().describe('Who gets the permission set'),
        digest: z.string().describe('SHA-256 of the zip'),
        zip: z.string().describe('Base64'),
      }),
      async handle({ params, query: { events }, signal }) {
        const bot = await botNamed(store, params.bot);
        const made = await (await orgSetup()).prepare(bot, { events: events === 'true' }, signal);
        return { json: { ...made, zip: made.zip.toString('base64') } };
      },
    }),
  ];
}
