import { z } from 'zod';
import type { FieldDescribe } from '../../domain/action.ts';
import { candidateAnswer } from '../../domain/answers.ts';
import { KINDS } from '../../domain/mapping.ts';
import { defineRoute } from '../../ports/route.ts';
import { openedBy } from '../remote/policy-bounds.ts';
import { searchRecords } from '../remote/search.ts';
import { mappingOf } from '../remote/target.ts';
import { parsePart, type RouteDeps } from './deps.ts';

const objectName = z.string().regex(/^[A-Za-z]\w{0,79}$/, 'an API name such as Opportunity');
const findInput = z.strictObject({ q: z.string().trim().min(2).max(80) });

const fieldAnswer = z.strictObject({
  name: z.string(),
  label: z.string(),
  type: z.string(),
  length: z.int(),
  isCustom: z.boolean(),
  isRequired: z.boolean(),
  mayWrite: z.boolean(),
  isOpen: z.boolean().describe('Open to this bot by its policy'),
  values: z.array(z.string()).optional().describe('Of a picklist, those in use'),
  referenceTo: z.array(z.string()).optional(),
  relationshipName: z.string().optional(),
});

/** What an org has, for who picks fields and records. */
export function objectRoutes(deps: RouteDeps) {
  const { store, openOrg, requireBot } = deps;
  const read = { who: ['operator'], permission: 'READ_INTEGRATIONS' } as const;
  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: '/api/bots/{bot}/objects',
      summary: 'Objects that the bot touches: by its policy, and by its mappings.',
      answer: z.strictObject({ objects: z.array(z.string()) }),
      async handle({ params }) {
        const bot = await requireBot(params.bot);
        const policy = await deps.policyOf(bot);
        const mapped = await Promise.all(KINDS.map(async (kind) => (await mappingOf(store, bot, kind)).object));
        return { json: { objects: [...new Set([...mapped, ...Object.keys(policy?.objects ?? {})])].sort() } };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: '/api/bots/{bot}/objects/{object}',
      summary: 'Fields of an object as the connected user sees them: labels, types, picklists.',
      answer: z.strictObject({ name: z.string(), label: z.string(), fields: z.array(fieldAnswer) }),
      async handle({ params, signal }) {
        const bot = await requireBot(params.bot);
        const object = parsePart(objectName, params.object, 'object');
        const { name, label, fields } = await (await openOrg(bot, signal)).describe(object);
        const opened = openedBy(await deps.policyOf(bot));
        return {
          json: { name, label, fields: fields.map((field) => toWire(field, opened.isOpen(name, field.name))) },
        };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'MANAGE_MAPPINGS',
      method: 'GET',
      path: '/api/bots/{bot}/objects/{object}/find',
      query: findInput,
      summary: 'Records of an object by words of their name, for who links one by hand.',
      answer: z.strictObject({ records: z.array(candidateAnswer.extend({ url: z.string() })) }),
      async handle({ params, query: { q }, signal }) {
        const bot = await requireBot(params.bot);
        const object = parsePart(objectName, params.object, 'object');
        const org = await openOrg(bot, signal);
        const found = await searchRecords(org, openedBy(await deps.policyOf(bot)), object, q);
        return { json: { records: found.map((one) => ({ ...one, url: org.recordUrl(one.id) })) } };
      },
    }),
  ];
}

function toWire(field: FieldDescribe, isOpen: boolean) {
  const { name, label, type, length, custom, nillable, defaultedOnCreate, createable, updateable } = field;
  const values = field.picklistValues.flatMap(({ value, active }) => (active ? [value] : []));
  return {
    name,
    label,
    type,
    length,
    isCustom: custom,
    isRequired: !nillable && !defaultedOnCreate && createable,
    mayWrite: updateable,
    isOpen,
    ...(values.length > 0 ? { values } : {}),
    ...(field.referenceTo.length > 0 ? { referenceTo: field.referenceTo } : {}),
    ...(field.relationshipName === null ? {} : { relationshipName: field.relationshipName }),
  };
}
