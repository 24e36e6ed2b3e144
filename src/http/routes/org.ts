import { z } from 'zod';
import { momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { DEPLOY_STATES } from '../../ports/org-deploy.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { browserOf, setter } from './by-operator.ts';
import { callbackOf } from './integration.ts';

const names = z.array(z.string());
const rightsAnswer = z.strictObject({
  object: z.string(),
  rights: z.array(z.enum(['read', 'create', 'edit', 'delete', 'viewAll', 'modifyAll'])),
  readFields: names,
  editFields: names,
  because: names.describe('What of the bot needs the object'),
});

const reported = {
  status: z.string().describe("Salesforce's word for how it stands"),
  isGood: z.boolean(),
  parts: z.array(
    z.strictObject({ type: z.string(), name: z.string(), change: z.enum(['created', 'changed', 'unchanged']) }),
  ),
  failures: z.array(z.strictObject({ type: z.string(), name: z.string(), problem: z.string() })),
};
const deploymentAnswer = z
  .strictObject({
    id: z.string(),
    bot: z.string(),
    by: z.string().describe('Who began it, and alone goes on with it'),
    orgId: z.string(),
    digest: z.string().describe('SHA-256 of the zip that it deploys, and no other'),
    permissionSet: z.string(),
    withEvents: z.boolean(),
    state: z.enum(DEPLOY_STATES),
    createdAt: momentAnswer,
    expiresAt: momentAnswer.describe('Its sign-in is revoked by then'),
    username: z.string().optional().describe('Who signed in to Salesforce for it'),
    check: z
      .strictObject({
        isNew: z.boolean().describe('No permission set of that name is in the org'),
        gains: names.describe('What the set gives afterwards, and does not now'),
        loses: names.describe('What it gives now, and the package does not name'),
        ...reported,
      })
      .optional()
      .describe('What trying it came to; nothing was changed by that'),
    deployId: z.string().optional().describe('By which Salesforce, in Setup, Deployment Status, names it'),
    result: z.strictObject(reported).optional(),
    assigned: z.string().optional(),
    problem: z.strictObject({ message: z.string(), next: z.string(), quote: z.string().optional() }).optional(),
    isSignInOver: z.boolean().describe('No sign-in of it stands any more'),
  })
  .meta({ id: 'Deployment' });

/** The org of a bot as it must be set up, and as it is. */
export function orgRoutes({ store, orgSetup, orgDeploy }: HttpDeps) {
  /** Of this bot, or none. */
  const deployment = async ({ bot, id }: { readonly bot: string; readonly id: string }) => {
    const deploys = await orgDeploy();
    await botNamed(store, bot);
    if (!(await deploys.list(bot)).some((one) => one.id === id))
      throw new GatehouseError('not_found', `There is no deployment ${id} of ${bot}.`, {
        next: `Begin one: POST /api/bots/${bot}/org/deployments.`,
      });
    return deploys;
  };
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
        const { permissionSet, parts, clicks, environment, username, digest } = made;
        return {
          json: { permissionSet, parts, clicks, environment, username, digest, zip: made.zip.toString('base64') },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/org/deployments',
      summary: 'Deployments of its package to its org, newest first',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject({ deployments: z.array(deploymentAnswer) }),
      async handle({ params }) {
        const { name } = await botNamed(store, params.bot);
        return { json: { deployments: await (await orgDeploy()).list(name) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/org/deployments',
      summary: 'Begin to deploy its package by an administrator’s own sign-in. Nothing is sent yet',
      who: ['operator'],
      permission: 'CREATE_OAUTH',
      body: z.strictObject({ events: z.boolean().default(false).describe('With change events') }),
      answer: deploymentAnswer,
      status: 201,
      async handle({ params, caller, body }) {
        const bot = await botNamed(store, params.bot);
        return { json: await (await orgDeploy()).begin(bot, body, setter(caller)), status: 201 };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/org/deployments/{id}',
      summary: 'Where a deployment stands; Salesforce is asked while it is at work',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: deploymentAnswer,
      async handle({ params }) {
        return { json: await (await deployment(params)).look(params.id) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/org/deployments/{id}/sign-in',
      summary: 'Where the browser signs in to Salesforce for it. Only for a browser, which must come back',
      who: ['operator'],
      permission: 'CREATE_OAUTH',
      answer: z.strictObject({ url: z.string() }),
      async handle({ params, caller, baseUrl }) {
        const browser = { sessionId: browserOf(caller).id, redirectUri: callbackOf(baseUrl) };
        return { json: await (await deployment(params)).signIn(params.id, setter(caller), browser) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/org/deployments/{id}/check',
      summary: 'Try it in the org, which changes nothing there',
      who: ['operator'],
      permission: 'CREATE_OAUTH',
      answer: deploymentAnswer,
      async handle({ params, caller }) {
        return { json: await (await deployment(params)).check(params.id, setter(caller)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/org/deployments/{id}/deploy',
      summary: 'The yes: deploy what was tried. Sent once, whatever becomes of the answer',
      who: ['operator'],
      permission: 'CREATE_OAUTH',
      body: z.strictObject({
        digest: z.string().describe('Of the package that was shown'),
        assign: z.boolean().default(false).describe('Also give the permission set to the connected user'),
      }),
      answer: deploymentAnswer,
      async handle({ params, caller, body }) {
        return { json: await (await deployment(params)).deploy(params.id, setter(caller), body) };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/bots/{bot}/org/deployments/{id}',
      summary: 'End it, and revoke its sign-in; not while Salesforce deploys it',
      who: ['operator'],
      permission: 'CREATE_OAUTH',
      answer: deploymentAnswer,
      async handle({ params, caller }) {
        return { json: await (await deployment(params)).cancel(params.id, setter(caller)) };
      },
    }),
  ];
}
