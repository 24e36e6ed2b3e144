import { z } from 'zod';
import { GatehouseError } from '../../errors.ts';
import { splitName } from '../../mapping/names.ts';
import type { LogRow } from '../ports.ts';
import { hostId, limitInput } from './inputs.ts';
import { ok, parse, type RouteDeps, type SyncRoute } from './route.ts';

const syncInput = z.strictObject({ customerId: hostId, connectorId: z.string().min(1).max(200).optional() });
const logsInput = z.strictObject({
  customerId: hostId.optional(),
  platform: z.literal('salesforce').default('salesforce'),
  limit: limitInput.default(100),
});

/** The two routes whose form is fixed outside (W9). */
export function crmRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const { sync, store, openOrg, connectorOf } = deps;
  return [
    {
      method: 'POST',
      path: '/api/crm/salesforce/sync',
      key: 'host',
      input: syncInput,
      summary: 'Brings one person into step now.',
      async handle({ bot, body, signal }) {
        const { customerId, connectorId } = parse(syncInput, body);
        if (connectorId !== undefined && connectorId !== (await connectorOf(bot))) {
          throw new GatehouseError('not_found', 'There is no such connector for this bot.', {
            next: 'Leave connectorId out, or take the id that the connection status shows.',
          });
        }
        const { operation, direction, object, id, url } = await sync
          .forBot(bot, await openOrg(bot, signal), true)
          .syncParty(customerId);
        return ok({
          status: 'success',
          operation,
          direction: direction === 'none' || direction === 'both' ? 'to_crm' : direction,
          object,
          crmRecordId: id,
          url,
        });
      },
    },
    {
      method: 'GET',
      path: '/api/crm/sync-logs',
      key: 'host',
      query: logsInput,
      summary: 'What was synced for a person, newest first.',
      async handle({ bot, query }) {
        const { customerId, limit } = parse(logsInput, query);
        return ok({
          logs: (
            await store.log.find(bot, {
              // A case may have the id of a customer.
              ...(customerId === undefined ? {} : { localId: customerId, kind: 'party' }),
              limit,
            })
          ).map(toCrmLog),
        });
      },
    },
  ];
}

/** Exactly W9's form. */
export function toCrmLog({ id, operation, direction, status, sfId, changes, at }: LogRow): Record<string, unknown> {
  const flat = changes.flatMap(({ field, after, crm }) => {
    if (crm) return Object.entries(crm);
    const names = field.split('+');
    if (names.length === 1) return [[field, after] as const];
    const parts = splitName(String(after ?? ''));
    return names.map((name, index) => [name, parts[index] ?? null] as const);
  });
  return {
    id,
    operation,
    direction,
    status,
    crmRecordId: sfId,
    changes: Object.fromEntries(flat),
    createdAt: new Date(at).toISOString(),
  };
}
