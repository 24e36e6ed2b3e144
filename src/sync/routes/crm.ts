import { z } from 'zod';
import { fieldsAnswer, momentAnswer } from '../../domain/answers.ts';
import { asUuid } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { momentInput, readMoment } from '../../domain/moment.ts';
import { defineRoute } from '../../ports/route.ts';
import type { LogRow } from '../../ports/sync-store.ts';
import { logIdAt, toUuid } from '../host/log-ids.ts';
import { splitName } from '../mapping/names.ts';
import { logAnswer } from './answers.ts';
import type { RouteDeps } from './deps.ts';
import { hostId, limitInput } from './inputs.ts';

const syncInput = z
  .strictObject({
    customerId: hostId.optional(),
    caseId: hostId.optional(),
    connectorId: z.string().min(1).max(200).optional(),
  })
  .refine((body) => (body.customerId === undefined) !== (body.caseId === undefined), {
    error: 'name one: customerId for a person, or caseId',
    when: ({ issues }) => issues.length === 0,
  });
const logsInput = z.strictObject({
  customerId: hostId.optional(),
  caseId: hostId.optional(),
  since: momentInput.optional(),
  until: momentInput.optional(),
  platform: z.literal('salesforce').default('salesforce'),
  limit: limitInput.default(100),
});

const crmLogAnswer = logAnswer.pick({ id: true, operation: true, direction: true, status: true }).extend({
  crmRecordId: z.string().nullable(),
  changes: fieldsAnswer,
  createdAt: momentAnswer,
});

/** The two routes whose form is fixed outside (W9). */
export function crmRoutes(deps: RouteDeps) {
  const { sync, store, openOrg, connectorOf } = deps;
  return [
    defineRoute({
      method: 'POST',
      path: '/api/crm/salesforce/sync',
      who: ['host'],
      body: syncInput,
      summary: 'Brings one person or one case into step now.',
      answer: z.strictObject({
        status: z.literal('success'),
        operation: z.enum(['create', 'update', 'none']),
        direction: z.enum(['to_crm', 'from_crm']),
        object: z.string(),
        crmRecordId: z.string(),
        url: z.string(),
      }),
      async handle({ caller: { bot }, body: { customerId, caseId, connectorId }, signal }) {
        if (connectorId !== undefined && asUuid(connectorId) !== asUuid((await connectorOf(bot)) ?? '')) {
          throw new GatehouseError('not_found', 'There is no such connector for this bot.', {
            next: 'Leave connectorId out, or take the id that the connection status shows.',
          });
        }
        const port = sync.forHost(bot, await openOrg(bot, signal));
        const { operation, direction, object, id, url } =
          caseId === undefined ? await port.syncParty(customerId ?? '') : await port.syncCase(caseId);
        return {
          json: {
            status: 'success',
            operation,
            direction: direction === 'none' || direction === 'both' ? 'to_crm' : direction,
            object,
            crmRecordId: id,
            url,
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/crm/sync-logs',
      who: ['host'],
      query: logsInput,
      summary: 'What was synced, of all or of one person or case, newest first.',
      answer: z.strictObject({ logs: z.array(crmLogAnswer) }),
      async handle({ caller: { bot }, query: { customerId, caseId, since, until, limit } }) {
        if (customerId !== undefined && caseId !== undefined)
          throw new GatehouseError('invalid_input', 'The log of a person or of a case, not of both.', {
            next: 'Leave customerId or caseId out.',
            fields: [{ name: 'caseId', problem: 'not beside customerId' }],
          });
        const idAt = (text: string | undefined) =>
          text === undefined ? text : logIdAt(readMoment(text, deps.now()) ?? 0);
        // A case may have the id of a customer.
        const one =
          customerId !== undefined
            ? { localId: customerId, kind: 'party' as const }
            : caseId !== undefined
              ? { localId: caseId, kind: 'case' as const }
              : {};
        const rows = await store.log.find(bot, { ...one, from: idAt(since), before: idAt(until), limit });
        return { json: { logs: rows.map(toCrmLog) } };
      },
    }),
  ];
}

/** Exactly W9's form. */
export function toCrmLog({
  id,
  operation,
  direction,
  status,
  sfId,
  changes,
  at,
}: LogRow): z.output<typeof crmLogAnswer> {
  const flat = changes.flatMap(({ field, after, crm }) => {
    if (crm) return Object.entries(crm);
    const names = field.split('+');
    if (names.length === 1) return [[field, after] as const];
    const parts = splitName(String(after ?? ''));
    return names.map((name, index) => [name, parts[index] ?? null] as const);
  });
  return {
    id: toUuid(id),
    operation,
    direction,
    status,
    crmRecordId: sfId,
    changes: Object.fromEntries(flat),
    createdAt: new Date(at).toISOString(),
  };
}
