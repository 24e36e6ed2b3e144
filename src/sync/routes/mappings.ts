import { z } from 'zod';
import type { FieldValue, ObjectDescribe } from '../../domain/action.ts';
import { fieldProblemAnswer, fieldsAnswer, momentAnswer } from '../../domain/answers.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { type Kind, mappingSchema } from '../../domain/mapping.ts';
import { defineRoute } from '../../ports/route.ts';
import type { SyncOrg } from '../../ports/sync.ts';
import { idOf } from '../host/record-id.ts';
import { type CompiledMapping, type CompiledRule, compileMapping, type RemoteRecord } from '../mapping/compile.ts';
import { defaultMapping } from '../mapping/defaults.ts';
import { previewMapping } from '../mapping/preview.ts';
import { checkInOrg, sampleWarnings, saveMapping } from '../mapping/save-mapping.ts';
import { suggestRules } from '../mapping/suggest.ts';
import { lookUp } from '../remote/look-up.ts';
import { boundMapping, openedBy } from '../remote/policy-bounds.ts';
import { mappingOf } from '../remote/target.ts';
import { missing, noteOf, parsePart, type RouteDeps } from './deps.ts';
import { hostId, kindInput } from './inputs.ts';

const mappingForm = mappingSchema.meta({ id: 'Mapping' });
const unread = { description: 'As GET answers it; not looked at' };
const saveInput = z.strictObject({
  mapping: mappingForm,
  version: z.number().int().min(0),
  by: z.string().nullable().optional().meta(unread),
  isDefault: z.boolean().optional().meta(unread),
});
/** The bare mapping is taken too. */
const checkInput = z.preprocess(
  (body) => (typeof body === 'object' && body !== null && !('mapping' in body) ? { mapping: body } : body),
  saveInput.partial({ version: true }),
);
const previewInput = z
  .strictObject({
    mapping: mappingForm.optional(),
    localId: hostId.optional(),
    recordId: z.string().max(40).optional(),
  })
  .refine(({ localId, recordId }) => (localId ?? recordId) !== undefined, 'name a localId, a recordId or both');

const warnings = z.array(fieldProblemAnswer);
const { rules } = mappingSchema.shape;
const lineAnswer = z.strictObject({
  rule: z.string(),
  direction: rules.element.shape.direction.unwrap(),
  sends: fieldsAnswer,
  receives: fieldsAnswer,
  note: z.string().optional(),
});
const suggestionAnswer = z.strictObject({ rule: rules.element, confidence: z.number(), reason: z.string() });

export function mappingRoutes(deps: RouteDeps) {
  const { store, openOrg, onChange, sync, requireBot } = deps;
  const base = '/api/bots/{bot}/mappings/{kind}';
  const may = { who: ['operator'], permission: 'MANAGE_MAPPINGS' } as const;

  return [
    defineRoute({
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      method: 'GET',
      path: base,
      summary: 'The mapping in force, and its version.',
      answer: z.strictObject({
        version: z.int(),
        mapping: mappingForm,
        by: z.string().nullable(),
        isDefault: z.boolean(),
      }),
      async handle({ params }) {
        const bot = await requireBot(params.bot);
        const kind = parsePart(kindInput, params.kind, 'kind');
        const row = await store.mappings.get(bot, kind);
        return {
          json: {
            version: row?.version ?? 0,
            mapping: row?.mapping ?? defaultMapping(kind),
            by: row?.by ?? null,
            isDefault: row === undefined,
          },
        };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      method: 'GET',
      path: `${base}/versions`,
      summary: 'Every version that was saved, newest first.',
      answer: z.strictObject({
        versions: z.array(z.strictObject({ version: z.int(), mapping: mappingForm, by: z.string(), at: momentAnswer })),
      }),
      async handle({ params }) {
        const bot = await requireBot(params.bot);
        const rows = await store.mappings.history(bot, parsePart(kindInput, params.kind, 'kind'));
        const versions = rows.map(({ version, mapping, by, at }) => ({
          version,
          mapping,
          by,
          at: new Date(at).toISOString(),
        }));
        return { json: { versions } };
      },
    }),
    defineRoute({
      ...may,
      method: 'PUT',
      path: base,
      body: saveInput,
      summary: 'Saves a mapping, checked against the org. Existing links follow field by field.',
      answer: z.strictObject({ version: z.int(), warnings, links: z.int().describe('Looked at again') }),
      async handle({ params, body: { mapping, version }, caller, signal }) {
        const bot = await requireBot(params.bot);
        const kind = parsePart(kindInput, params.kind, 'kind');
        const org = await openOrg(bot, signal);
        const saved = await saveMapping(deps, { bot, org, kind, mapping, version, by: caller.principal });
        await noteOf(deps)(caller, bot, 'mapping_saved', { kind, version: saved.version });
        onChange(bot);
        return { json: saved };
      },
    }),
    defineRoute({
      ...may,
      method: 'POST',
      path: `${base}/check`,
      body: checkInput,
      summary: 'Checks a mapping and saves nothing.',
      answer: z.strictObject({ problems: warnings, warnings }),
      async handle({ params, body: { mapping }, signal }) {
        const bot = await requireBot(params.bot);
        const kind = parsePart(kindInput, params.kind, 'kind');
        const org = await openOrg(bot, signal);
        const { describe, problems, warnings } = await checkInOrg(org, kind, mapping);
        const unfit = await sampleWarnings(store, bot, mapping, describe);
        return { json: { problems, warnings: [...warnings, ...unfit] } };
      },
    }),
    defineRoute({
      ...may,
      method: 'POST',
      path: `${base}/preview`,
      body: previewInput,
      summary: 'What a mapping does with one sample of either side; writes nothing.',
      answer: z.strictObject({ lines: z.array(lineAnswer), problems: warnings.describe('Why it could not be saved') }),
      async handle({ params, body, signal }) {
        const bot = await requireBot(params.bot);
        const kind = parsePart(kindInput, params.kind, 'kind');
        const { mapping = await mappingOf(store, bot, kind), localId, recordId } = body;
        const org = await openOrg(bot, signal);
        const host = localId === undefined ? undefined : await sync.hosts.get(bot, kind, localId);
        if (localId !== undefined && !host) throw missing(kind, localId);
        const { describe, problems } = await checkInOrg(org, kind, mapping);
        const whole = compileMapping(mapping, describe);
        const { compiled, refusal } = boundMapping(whole, describe, openedBy(await deps.policyOf(bot)));
        if (refusal) throw refusal;
        const record = recordId === undefined ? undefined : await readSample(org, compiled, describe, recordId);
        // In the order of the rules, of which some are left out.
        const open = [...previewMapping(compiled, host, record)];
        const lines = whole.rules.map(
          (rule) => (open[0]?.rule === rule.key ? open.shift() : undefined) ?? closedLine(rule),
        );
        return { json: { lines, problems } };
      },
    }),
    defineRoute({
      ...may,
      method: 'GET',
      path: `${base}/suggestions`,
      summary: 'Rules for host fields that none covers, with confidence and reason. Saves nothing.',
      answer: z.strictObject({ suggestions: z.array(suggestionAnswer) }),
      async handle({ params, signal }) {
        const bot = await requireBot(params.bot);
        const kind = parsePart(kindInput, params.kind, 'kind');
        const mapping = await mappingOf(store, bot, kind);
        const org = await openOrg(bot, signal);
        const taken = {
          local: new Set(mapping.rules.flatMap((rule) => rule.local)),
          remote: new Set(mapping.rules.flatMap((rule) => rule.remote)),
        };
        const describe = await org.describe(mapping.object, { isFresh: true });
        return { json: { suggestions: await suggestRules(kind, await samples(bot, kind), describe, taken) } };
      },
    }),
  ];

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

/** What sync leaves out by the bot's policy is not shown either. */
const closedLine = ({ key, direction }: CompiledRule) => ({
  rule: key,
  direction,
  sends: {},
  receives: {},
  note: 'left out: not open to this bot',
});

async function readSample(
  org: SyncOrg,
  { mapping: { object }, select }: CompiledMapping,
  { keyPrefix }: ObjectDescribe,
  recordId: string,
): Promise<RemoteRecord> {
  const values = [idOf(object, recordId, keyPrefix)];
  const lookup = { object, select: [...new Set(['Id', ...select])], field: 'Id', values };
  const [records = []] = await lookUp(org, [lookup], () => {});
  if (records[0]) return records[0];
  throw new GatehouseError('not_found', `There is no ${object} with this Id.`, {
    next: 'Copy the Id from the address of the record in Salesforce.',
  });
}
