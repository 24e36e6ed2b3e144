import { z } from 'zod';
import { GatehouseError } from '../../domain/errors.ts';
import { receiveMessage, refuseAddress, rotateToken } from '../inbound/receive.ts';
import { findField } from '../mapping/compile.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { setWebhook } from '../webhooks/deliver.ts';
import { namedBot, ok, parse, type RouteDeps, type SyncRoute } from './route.ts';

const webhookInput = z.strictObject({ url: z.url().max(2_000) });
const subscriptionInput = z.strictObject({
  fields: z
    .array(z.string().regex(/^[A-Za-z]\w{0,79}$/))
    .min(1)
    .max(100),
});
const rotateInput = z.strictObject({
  keepOldForMs: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400_000)
    .optional(),
});
const objectName = z.string().regex(/^[A-Za-z]\w{0,79}$/, 'an API name such as Opportunity');

/** Events in from Salesforce, and out to the host app. */
export function eventRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const { store } = deps;
  const may = { key: 'operator', permission: 'MANAGE_MAPPINGS' } as const;
  return [
    {
      method: 'POST',
      path: '/api/webhooks/salesforce/{token}',
      key: 'webhook',
      summary: 'Takes outbound messages (SOAP). Answers Ack only when all of it is stored.',
      async admit({ params }) {
        const refused = await refuseAddress(deps, params.token ?? '');
        return refused && { ...refused, contentType: 'text/xml; charset=utf-8' };
      },
      async handle({ params, text }) {
        const { status, body } = await receiveMessage(deps, params.token ?? '', text);
        return { status, body, contentType: 'text/xml; charset=utf-8' };
      },
    },
    {
      ...may,
      method: 'POST',
      path: '/api/bots/{bot}/sync/inbound-token',
      input: rotateInput,
      summary: 'A new secret address for outbound messages, shown once.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { keepOldForMs } = parse(rotateInput, request.body ?? {});
        const token = await rotateToken(deps, bot, keepOldForMs);
        return ok({ url: `${deps.publicUrl}/api/webhooks/salesforce/${token}` }, 201);
      },
    },
    {
      ...may,
      method: 'PUT',
      path: '/api/bots/{bot}/sync/webhook',
      input: webhookInput,
      summary: 'Where the host app is told of changes; answers the signing secret, once.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        return ok(await setWebhook(deps, bot, parse(webhookInput, request.body).url));
      },
    },
    {
      key: 'operator',
      permission: 'READ_LOGS',
      method: 'GET',
      path: '/api/bots/{bot}/sync/webhook',
      summary: 'How delivery stands.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const target = await store.webhooks.get(bot);
        const head = await store.feed.head(bot);
        return ok(
          target
            ? {
                url: target.url,
                state: target.state,
                delivered: target.delivered,
                waiting: head - target.delivered,
                attempts: target.attempts,
                problem: target.lastError,
              }
            : { state: 'none' },
        );
      },
    },
    {
      ...may,
      method: 'DELETE',
      path: '/api/bots/{bot}/sync/webhook',
      summary: 'Ends delivery; the feed stays.',
      async handle(request) {
        await store.webhooks.remove(await namedBot(deps, request));
        return ok({ deleted: true });
      },
    },
    {
      key: 'operator',
      permission: 'READ_LOGS',
      method: 'GET',
      path: '/api/bots/{bot}/sync/subscriptions',
      summary: 'Objects and fields that the host app is told of.',
      async handle(request) {
        const all = await store.subscriptions.list(await namedBot(deps, request));
        return ok({ subscriptions: all.map(({ object, fields }) => ({ object, fields })) });
      },
    },
    {
      ...may,
      method: 'PUT',
      path: '/api/bots/{bot}/sync/subscriptions/{object}',
      input: subscriptionInput,
      summary: 'Tells the host app of every change of an object.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const { fields } = parse(subscriptionInput, request.body);
        const org = await deps.openOrg(bot, request.signal);
        const describe = await org.describe(parse(objectName, request.params.object, 'object'));
        const found = fields.map((name) => findField(describe, name)?.name);
        const unknown = fields.filter((_, at) => found[at] === undefined);
        if (unknown.length > 0)
          throw new GatehouseError('invalid_input', `${describe.name} has no field ${unknown.join(', ')}.`, {
            next: 'Take the API names from Setup, Object Manager.',
            fields: unknown.map((name) => ({ name: 'fields', problem: `no field ${name}` })),
          });
        const opened = openedBy(await deps.policyOf(bot));
        const closed = found.filter((name) => name !== undefined && !opened.isOpen(describe.name, name));
        if (closed.length > 0)
          throw new GatehouseError(
            'permission_denied',
            `The bot's policy does not open ${describe.name}: ${closed.join(', ')}.`,
            {
              next: 'Subscribe to fields that the policy opens to read, neither denied nor masked; or change the policy first.',
              fields: closed.map((name) => ({ name: 'fields', problem: `${name} is not open to this bot` })),
            },
          );
        const subscription = { object: describe.name, fields: found.filter((name) => name !== undefined) };
        await store.subscriptions.put({ bot, ...subscription });
        return ok(subscription);
      },
    },
    {
      ...may,
      method: 'DELETE',
      path: '/api/bots/{bot}/sync/subscriptions/{object}',
      summary: 'Ends a subscription.',
      async handle(request) {
        await store.subscriptions.remove(
          await namedBot(deps, request),
          parse(objectName, request.params.object, 'object'),
        );
        return ok({ deleted: true });
      },
    },
  ];
}
