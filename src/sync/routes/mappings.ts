import { z } from 'zod';
import type { FieldValue } from '../../action.ts';
import { GatehouseError } from '../../errors.ts';
import { compileMapping } from '../../mapping/compile.ts';
import { defaultMapping } from '../../mapping/defaults.ts';
import { type Kind, type Mapping, mappingSchema } from '../../mapping/mapping.ts';
import { previewMapping } from '../../mapping/preview.ts';
import { suggestRules } from '../../mapping/suggest.ts';
import { columnsOf, lookUp } from '../remote.ts';
import { checkInOrg, sampleWarnings, saveMapping } from '../save-mapping.ts';
import { mappingOf, openTarget } from '../target.ts';
import { hostId, kindInput } from './inputs.ts';
import { namedBot, ok, parse, type RouteDeps, type SyncRoute } from './route.ts';

const saveInput = z.strictObject({ mapping: mappingSchema, version: z.number().int().min(0) });
const previewInput = z.strictObject({
  mapping: mappingSchema.optional(),
  localId: hostId.optional(),
  recordId: z
    .string()
    .regex(/^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/)
    .optional(),
});

export function mappingRoutes(deps: RouteDeps): readonly SyncRoute[] {
  const { store, openOrg, onChange, sync } = deps;
  const base = '/api/bots/{bot}/mappings/{kind}';
  const may = { key: 'operator', permission: 'MANAGE_MAPPINGS' } as const;

  return [
    {
      key: 'operator',
      permission: 'READ_INTEGRATIONS',
      method: 'GET',
      path: base,
      summary: 'The mapping in force, and its version.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const kind = parse(kindInput, request.params.kind);
        const row = await store.mappings.get(bot, kind);
        return ok({
          version: row?.version ?? 0,
          mapping: row?.mapping ?? defaultMapping(kind),
          by: row?.by ?? null,
          isDefault: row === undefined,
        });
      },
    },
    {
      ...may,
      method: 'PUT',
      path: base,
      input: saveInput,
      summary: 'Saves a mapping, checked against the org. Existing links follow field by field.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const kind = parse(kindInput, request.params.kind);
        const { mapping, version } = parse(saveInput, request.body);
        const org = await openOrg(bot, request.signal);
        const saved = await saveMapping(deps, { bot, org, kind, mapping, version, by: request.principal });
        onChange(bot);
        return ok(saved);
      },
    },
    {
      ...may,
      method: 'POST',
      path: `${base}/check`,
      input: mappingSchema,
      summary: 'Checks a mapping and saves nothing.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const mapping = parse(mappingSchema, request.body);
        const org = await openOrg(bot, request.signal);
        const { describe, problems, warnings } = await checkInOrg(org, mapping);
        return ok({ problems, warnings: [...warnings, ...(await sampleWarnings(store, bot, mapping, describe))] });
      },
    },
    {
      ...may,
      method: 'POST',
      path: `${base}/preview`,
      input: previewInput,
      summary: 'What a mapping does with one sample of either side; writes nothing.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const kind = parse(kindInput, request.params.kind);
        const {
          mapping = await mappingOf(store, bot, kind),
          localId,
          recordId,
        } = parse(previewInput, request.body ?? {});
        const org = await openOrg(bot, request.signal);
        const host = localId === undefined ? undefined : await sync.hosts.get(bot, kind, localId);
        return ok({
          lines: previewMapping(
            compileMapping(mapping, await org.describe(mapping.object)),
            host,
            await readSample(bot, mapping, recordId, request.signal),
          ),
        });
      },
    },
    {
      ...may,
      method: 'GET',
      path: `${base}/suggestions`,
      summary: 'Rules for host fields that none covers, with confidence and reason. Saves nothing.',
      async handle(request) {
        const bot = await namedBot(deps, request);
        const kind = parse(kindInput, request.params.kind);
        const mapping = await mappingOf(store, bot, kind);
        const org = await openOrg(bot, request.signal);
        const taken = {
          local: new Set(mapping.rules.flatMap((rule) => rule.local)),
          remote: new Set(mapping.rules.flatMap((rule) => rule.remote)),
        };
        const describe = await org.describe(mapping.object, { isFresh: true });
        return ok({ suggestions: suggestRules(kind, await samples(bot, kind), describe, taken) });
      },
    },
  ];

  async function readSample(bot: string, mapping: Mapping, recordId: string | undefined, signal: AbortSignal) {
    if (recordId === undefined) return undefined;
    const org = await openOrg(bot, signal);
    const target = {
      ...(await openTarget(deps, bot, org, mapping.kind)),
      object: mapping.object,
      hasRoles: false,
      compiled: compileMapping(mapping, await org.describe(mapping.object)),
    };
    const [records = []] = await lookUp(
      org,
      [{ object: mapping.object, select: columnsOf(target), field: 'Id', values: [recordId] }],
      () => {},
    );
    if (records[0]) return records[0];
    throw new GatehouseError('not_found', `There is no ${mapping.object} with this Id.`, {
      next: 'Copy the Id from the address of the record in Salesforce.',
    });
  }

  /** One value of every field that the newest records have. */
  async function samples(bot: string, kind: Kind): Promise<Record<string, FieldValue>> {
    const found: Record<string, FieldValue> = {};
    for (const { fields } of await store.hosts.newest(bot, kind, 200)) {
      for (const [name, value] of Object.entries(fields))
        if (found[name] === undefined || found[name] === null) found[name] = value;
    }
    return found;
  }
}
