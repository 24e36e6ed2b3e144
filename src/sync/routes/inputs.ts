import { z } from 'zod';
import type { FieldValue } from '../../domain/action.ts';
import { areFewCustom, HOST_FIELDS, type HostField, hostField, isUsableName } from '../../domain/host-fields.ts';
import type { Kind } from '../../domain/mapping.ts';
import { EMAIL } from '../../domain/stored-value/email.ts';
import { isRead } from '../../domain/stored-value/read.ts';
import { readDay } from '../../domain/stored-value/times.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import type { HostInput } from '../host/hosts.ts';

/** What host apps may send. Strict: a misspelt field is an error, not a field nobody reads. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: what no database and no CRM takes
const BROKEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}/u;
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !BROKEN.test(value), 'holds control characters');
const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}([T ][\d:.]{5,15}(Z|[+-]\d{2}:?\d{2})?)?$/, {
    error: 'a date such as 2026-05-31',
    abort: true,
  })
  .refine((text) => isRead(readDay(text)), 'a day that the calendar has');

function schemaOf({ type, most = 0 }: HostField): z.ZodType<FieldValue> {
  switch (type) {
    case 'text':
      return text(most).nullable();
    case 'email':
      return z.email({ pattern: EMAIL }).max(most).nullable();
    case 'number':
      return z.number().min(-1e15).max(1e15).nullable();
    case 'date':
      return day.nullable();
    default:
      return type satisfies never;
  }
}

/** Left out, a field stays as it is; null clears it. */
function schemasOf<T extends Readonly<Record<string, HostField>>>(
  fields: T,
): { [K in keyof T]: z.ZodOptional<z.ZodType<FieldValue>> } {
  // The same keys.
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, schemaOf(field).optional()]),
  ) as ReturnType<typeof schemasOf<T>>;
}

const value = z
  .union([text(32_000), z.number(), z.boolean(), z.null()], {
    error: ({ input }) =>
      Array.isArray(input)
        ? 'no list: write several choices as one text, such as "Red;Green"'
        : 'a text of at most 32,000 characters, a number, true, false or null',
  })
  .optional();

export const hostId = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:@+=~-]{0,127}$/, 'letters, digits and . _ : @ + = ~ -, at most 128');
/** What the host calls its own. A name we know is checked as what it is, and stands beside `custom`. */
const customOf = (kind: Kind) =>
  z
    .record(
      z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, {
          error: 'a custom name is a letter, then letters, digits or _',
          abort: true,
        })
        .refine(isUsableName, {
          error: ({ input }) => `${input} is a name that cannot be used: take another one`,
          abort: true,
        })
        .refine((name) => !hostField(kind, name), {
          error: ({ input }) => `${input} is a field of its own: send it beside custom`,
        }),
      value,
      { error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) },
    )
    .refine((fields) => areFewCustom(kind, fields), 'at most 100 custom fields')
    .optional();

const unread = { description: 'As it was answered; not looked at' };
/** So that what GET answers can be sent back. */
const answered = { version: z.number().optional().meta(unread), changedAt: z.string().optional().meta(unread) };
const single = { externalId: hostId.optional().describe('The id of the path, or left out'), ...answered };
const isSomething = (body: object) => Object.keys(body).length > 0;
const something: z.core.$ZodCustomParams = {
  error: 'name at least one field',
  when: ({ issues }) => issues.length === 0,
};

const partyFields = { ...schemasOf(HOST_FIELDS.party), custom: customOf('party') };
export const partyInput = z.strictObject({ ...single, ...partyFields }).refine(isSomething, something);
export const partyListInput = z.strictObject({
  parties: z
    .array(z.strictObject({ externalId: hostId, ...answered, ...partyFields }))
    .min(1)
    .max(1_000),
});

const involved = z.strictObject({
  externalId: hostId,
  role: z.enum(['complainant', 'respondent', 'other']),
  ...partyFields,
});
const caseFields = {
  ...schemasOf(HOST_FIELDS.case),
  custom: customOf('case'),
  parties: z.array(involved).max(100).optional(),
};
export const caseInput = z.strictObject({ ...single, ...caseFields }).refine(isSomething, something);
export const caseListInput = z.strictObject({
  cases: z
    .array(z.strictObject({ externalId: hostId, ...answered, ...caseFields }))
    .min(1)
    .max(1_000),
});

export function toPartyInput(id: string, body: z.output<typeof partyInput>): HostInput {
  return { id, fields: fieldsOf('party', body) };
}

/** The case, and its people as far as the sender described them. */
export function toCaseInput(
  id: string,
  { parties, ...body }: z.output<typeof caseInput>,
): { readonly caseRecord: HostInput; readonly people: readonly HostInput[] } {
  const people = parties?.map((party) => toPartyInput(party.externalId, party)) ?? [];
  const roles = parties?.map(({ externalId, role }) => ({ party: externalId, role }));
  return { caseRecord: { id, fields: fieldsOf('case', body), parties: roles }, people };
}

/** Without what says which record it is, and how it was answered. */
function fieldsOf(
  kind: Kind,
  { custom, ...body }: Readonly<Record<string, unknown>> & { readonly custom?: object | undefined },
): Record<string, FieldValue> {
  const known = Object.entries(body).filter(([name]) => hostField(kind, name));
  return Object.fromEntries(
    // The schema let values alone pass.
    [...Object.entries(custom ?? {}), ...known].filter(
      (entry): entry is [string, FieldValue] => entry[1] !== undefined,
    ),
  );
}

/** Fields that we know beside what is the host's own. */
export function toWire({ id, kind, fields, version, changedAt }: HostRecord) {
  const entries = Object.entries(fields);
  const known = Object.fromEntries(entries.filter(([name]) => hostField(kind, name)));
  const others = entries.filter(([name]) => !hostField(kind, name));
  return {
    externalId: id,
    ...known,
    ...(others.length > 0 ? { custom: Object.fromEntries(others) } : {}),
    version,
    changedAt: new Date(changedAt).toISOString(),
  };
}

export function toWireCase(record: HostRecord) {
  const parties = record.parties.map(({ party, role }) => ({ externalId: party, role }));
  return { ...toWire(record), parties };
}

export const kindInput = z.enum(['party', 'case']);
export const limitInput = z.coerce.number().int().min(1).max(1_000);

/** Optional keys that are undefined are left out: the ports take them absent. */
export function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The entries that were undefined are gone.
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
